"""Which cells the terminal's table shows, and what it calls them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ormbench.cell import Cell
from ormbench.report import questions
from ormbench.report.batch_phases import rows_text
from ormbench.report.batch_session import session_of, table_batch, usual_of
from ormbench.report.batch_words import spoken_grid
from ormbench.report.batches import Grid
from ormbench.report.cell_names import cell_names
from ormbench.report.findings import CellFinding, Findings
from ormbench.report.focus import Focus
from ormbench.report.pool_map import Column
from ormbench.report.pool_words import clients_name, spoken_column

ROWS = 7  # lanes shown; the others are in the report
_TELLING = 4  # strategies that stay in any case


@dataclass(frozen=True, slots=True)
class Rows:
    """The cells of the table, each with its name."""

    heading: str  # above the names: what they share, or "lane"
    cells: tuple[CellFinding, ...]
    names: Mapping[Cell, str]
    left: int  # how many of the focus are not shown


def rows_shown(findings: Findings, most: int = ROWS) -> Rows:
    """At most *most* rows with the line that counts the others, as far as the rest can go."""
    cells = questions.focus_cells(findings)
    if not findings.trust.usable:
        return Rows("lane", cells[:most], cell_names(one.cell for one in cells), len(cells[most:]))
    spoken, grid = _pools(findings), _grid(findings)
    heading = clients_name(spoken.clients) if spoken else "lane"
    heading = rows_text(table_batch(grid)) if grid else heading
    column = _of_grid(_of_column(cells, spoken), grid)
    shown = _chosen(findings, column, most)
    return Rows(heading, shown, _names(cells, spoken, grid), len(cells) - len(shown))


def _chosen(
    findings: Findings, cells: tuple[CellFinding, ...], most: int
) -> tuple[CellFinding, ...]:
    """All cells, or the first, the last and the reference with as many others as have room.

    Of strategies those that the answer is about instead of the last.
    """
    if len(cells) > most:
        cells = _nearest_and_farthest(cells)
    spare = len(cells) - most
    if spare <= 0:
        return cells
    spoken, grid = _pools(findings), _grid(findings)
    kept = {one.cell for one in spoken.smallest} if spoken else set()
    kept |= {one.cell for one in cells if grid and one.cell.lane in _telling(grid)}
    kept |= {one.cell for one in cells if questions.is_reference(findings, one.cell)}
    between = cells if grid else cells[1:-1]
    middle = [one for one in between if one.cell not in kept]
    dropped = middle[: spare + 1]  # one more, for the line that says so
    return tuple(one for one in cells if one not in dropped)


def _pools(findings: Findings) -> Column | None:
    """The pools that the answer is about."""
    focus = Focus(findings.focus, findings.focus_target)
    return spoken_column(findings.comparisons, findings.cells, focus)


def _of_column(cells: tuple[CellFinding, ...], column: Column | None) -> tuple[CellFinding, ...]:
    """Of pools with several numbers of clients, those that the answer is about."""
    if column is None:
        return cells
    wanted = {one.cell for one in column.entries}
    return tuple(one for one in cells if one.cell in wanted)


def _grid(findings: Findings) -> Grid | None:
    """The strategies that the answer is about."""
    focus = Focus(findings.focus, findings.focus_target)
    return spoken_grid(findings.comparisons, findings.cells, focus)


def _of_grid(cells: tuple[CellFinding, ...], grid: Grid | None) -> tuple[CellFinding, ...]:
    """Of strategies with several numbers of rows, those with one of them."""
    if grid is None:
        return cells
    wanted = {one.cell for one in grid.points if one.batch == table_batch(grid)}
    return tuple(one for one in cells if one.cell in wanted)


def _telling(grid: Grid) -> tuple[str, ...]:
    """The lanes of a grid that its table shows in any case: the fastest, and a Session's."""
    tier = next(one for one in grid.tiers if one.batch == table_batch(grid))
    told = dict.fromkeys([tier.fastest, session_of(grid), usual_of(grid), *tier.equals])
    return tuple(one for one in told if one)[:_TELLING]


def _names(
    cells: tuple[CellFinding, ...], column: Column | None, grid: Grid | None
) -> dict[Cell, str]:
    """What tells cells apart; the number of clients, or of rows, stands above those of a column."""
    if grid is not None:
        return {one.cell: one.cell.lane for one in cells}
    chosen = any(one.cell.pool or one.cell.isolation for one in cells)
    alike = chosen and len({one.cell.clients for one in cells}) == 1  # the heading has them
    if column is None and not alike:
        return cell_names(one.cell for one in cells)
    bare = {one.cell: replace(one.cell, clients=1) for one in cells}
    names = cell_names(bare.values())
    return {cell: names[plain] for cell, plain in bare.items()}


def _nearest_and_farthest(cells: tuple[CellFinding, ...]) -> tuple[CellFinding, ...]:
    """Of cells at several distances, those at the least and at the most."""
    rtts = {one.cell.rtt for one in cells if one.cell.rtt is not None}
    ends = {min(rtts), max(rtts)} if rtts else set()
    return tuple(one for one in cells if one.cell.rtt in ends) if len(ends) > 1 else cells
