"""The focus scenario as a table of plain text: lane, time, a dot on a scale, ratio, counts."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from textwrap import wrap

from ormbench.cell import Cell
from ormbench.report import lateness, questions
from ormbench.report.batch_phases import rows_text
from ormbench.report.batch_words import spoken_grid, table_batch, usual_of
from ormbench.report.batches import Grid
from ormbench.report.findings import CellFinding, Findings
from ormbench.report.pool_map import Column
from ormbench.report.pool_words import clients_name, spoken_column
from ormbench.report.quantities import time_text
from ormbench.report.round_trips import any_counted, trips_text
from ormbench.report.sentences import Focus
from ormbench.report.wrong_data import fails

_ROWS = 7  # lanes shown here; the others are in the report
_TELLING = 4  # strategies that stay in any case
_TIME = 9
_NEW = 5
_BAR = 6  # columns at least


def focus_table(findings: Findings, width: int, *, plain: bool) -> Iterator[str]:
    """Lines of the table, its heading first; without times where the run is not usable."""
    cells = questions.focus_cells(findings)
    if not cells:
        return
    if not findings.trust.usable:
        yield from _without_times(cells)
        return
    spoken = _pools(findings)
    grid = _grid(findings)
    shown = _chosen(findings, _of_grid(_of_column(cells, spoken), grid))
    names = _names(cells, spoken, grid)
    columns = _Columns.over(findings, shown, names, width)
    lane = clients_name(spoken.clients) if spoken else "lane"
    lane = rows_text(table_batch(grid)) if grid else lane
    against = f"vs {questions.reference_name(findings)}"
    head = f" {lane:<{columns.lane}}{'per op':>{_TIME}}  {columns.scale.ticks(plain=plain)} "
    trips = f"{'trips':>{columns.trips}}" if columns.trips else ""
    yield f"{head}{against:<{columns.ratio}}{trips}{'new':>{_NEW}}"
    for one in shown:
        name = _short(names[one.cell], columns.lane)
        yield f" {name:<{columns.lane}}{_row(findings, one, columns, plain=plain)}"
    if len(shown) < len(cells):
        yield f" {len(cells) - len(shown)} more cells: see the report"
    late = [
        f"{names[one.cell]} {time}"
        for one in shown
        if (time := lateness.lag_time(one, plain=plain))
    ]
    if late:
        words = f"event loop late, p99: {', '.join(late)}"
        yield from wrap(words, width, initial_indent=" ", subsequent_indent="   ")


@dataclass(frozen=True, slots=True)
class _Columns:
    """How wide the columns are whose text decides it, and the ruler in what is left."""

    lane: int
    ratio: int
    trips: int  # 0 where nothing was counted: there is no such column then
    scale: "Scale"

    @classmethod
    def over(
        cls,
        findings: Findings,
        shown: tuple[CellFinding, ...],
        names: Mapping[Cell, str],
        width: int,
    ) -> "_Columns":
        timed = [one for one in shown if one.service and not fails(one)]
        ratios = [_ratio(findings, one) for one in timed]
        ratio = max(len(f"vs {questions.reference_name(findings)}"), *map(len, ratios), 0)
        counted = [trips_text(one) for one in shown] if any_counted(shown) else []
        trips = max([len("trips"), *map(len, counted)]) + 2 if counted else 0
        room = width - 1 - _TIME - 3 - ratio - trips - _NEW
        lane = min(max(24, room - _BAR), max(8, *(len(names[one.cell]) for one in shown)))
        bar = max(_BAR, room - lane)
        times = (one.service.value for one in timed if one.service)
        return cls(lane, ratio, trips, Scale.over(times, bar))


class Scale:
    """A ruler from 0 in a whole number of round steps, drawn *columns* wide."""

    def __init__(self, step: float, most: float, columns: int) -> None:
        self.step = step
        self.most = most
        self.columns = columns

    @classmethod
    def over(cls, values: Iterator[float], columns: int) -> "Scale":
        """Make the ruler that holds *values*: at most four steps of 1, 2 or 5 times 10^n."""
        most = max(values, default=0.0) or 1.0
        power = 10.0 ** math.floor(math.log10(most))
        step = next(one * power for one in (0.2, 0.5, 1.0, 2.0, 5.0) if most / (one * power) <= 4)  # noqa: PLR2004
        return cls(step, most, columns)

    def place(self, value: float) -> int:
        """The column of *value*."""
        return round(value / self.most * (self.columns - 1))

    def bar(self, value: float) -> str:
        """As "|------o", padded to the width of the ruler."""
        end = self.place(value)
        return ("|" + "-" * (end - 1) + "o" if end else "o").ljust(self.columns)

    def ticks(self, *, plain: bool) -> str:
        """The heading: round values above their columns, as far as they have room."""
        line = "0"
        for value in (self.step * number for number in count(1)):
            text = time_text(value, plain=plain)
            start = self.place(value) - len(text) // 2 if value <= self.most else self.columns
            if start + len(text) > self.columns:
                break
            if start > len(line) + 1:
                line = line.ljust(start) + text
        return line.ljust(self.columns)


def _chosen(findings: Findings, cells: tuple[CellFinding, ...]) -> tuple[CellFinding, ...]:
    """All cells, or the first, the last and the reference with as many others as have room."""
    if len(cells) > _ROWS:
        cells = _nearest_and_farthest(cells)
    spare = len(cells) - _ROWS
    if spare <= 0:
        return cells
    spoken, grid = _pools(findings), _grid(findings)
    kept = {one.cell for one in spoken.smallest} if spoken else set()
    kept |= {one.cell for one in cells if grid and one.cell.lane in _telling(grid)}
    kept |= {one.cell for one in cells if questions.is_reference(findings, one.cell)}
    middle = [one for one in cells[1:-1] if one.cell not in kept]
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
    """The lanes of a grid that its table shows in any case: the fastest, and the session's own."""
    tier = next(one for one in grid.tiers if one.batch == table_batch(grid))
    return tuple(dict.fromkeys([tier.fastest, usual_of(grid), *tier.equals]))[:_TELLING]


def _names(
    cells: tuple[CellFinding, ...], column: Column | None, grid: Grid | None
) -> dict[Cell, str]:
    """What tells cells apart; the number of clients, or of rows, stands above those of a column."""
    if grid is not None:
        return {one.cell: one.cell.lane for one in cells}
    chosen = any(one.cell.pool or one.cell.isolation for one in cells)
    alike = chosen and len({one.cell.clients for one in cells}) == 1  # the heading has them
    if column is None and not alike:
        return questions.cell_names(one.cell for one in cells)
    bare = {one.cell: replace(one.cell, clients=1) for one in cells}
    names = questions.cell_names(bare.values())
    return {cell: names[plain] for cell, plain in bare.items()}


def _nearest_and_farthest(cells: tuple[CellFinding, ...]) -> tuple[CellFinding, ...]:
    """Of cells at several distances, those at the least and at the most."""
    rtts = {one.cell.rtt for one in cells if one.cell.rtt is not None}
    ends = {min(rtts), max(rtts)} if rtts else set()
    return tuple(one for one in cells if one.cell.rtt in ends) if len(ends) > 1 else cells


def _row(findings: Findings, one: CellFinding, columns: _Columns, *, plain: bool) -> str:
    if one.service is None:
        return f"{'-':>{_TIME}}  {one.status}: {one.reason}"
    if fails(one):
        return f"{'-':>{_TIME}}  {fails(one)}"
    time = time_text(one.service.value, plain=plain)
    ratio = _ratio(findings, one)
    trips = f"{trips_text(one):>{columns.trips}}" if columns.trips else ""
    new = f"{one.new_per_1000:.2g}" if one.new_per_1000 < 100 else f"{one.new_per_1000:.0f}"  # noqa: PLR2004
    bar = columns.scale.bar(one.service.value)
    return f"{time:>{_TIME}}  {bar} {ratio:<{columns.ratio}}{trips}{new:>{_NEW}}"


def _ratio(findings: Findings, one: CellFinding) -> str:
    comparison = questions.against_reference(findings, one.cell)
    if comparison is not None:
        return questions.short_ratio(comparison)
    return "reference" if questions.is_reference(findings, one.cell) else "not compared"


def _without_times(cells: tuple[CellFinding, ...]) -> Iterator[str]:
    names = questions.cell_names(one.cell for one in cells)
    room = min(32, max(8, *(len(name) for name in names.values())))
    counted = any_counted(cells)
    head = "  trips" if counted else ""
    words = "outcome (no times: they would not be evidence)"
    yield f" {'lane':<{room}}  {'operations':>10}{head}   {words}"
    for one in cells[:_ROWS]:
        outcome = f"{one.status}: {one.reason}" if one.reason else one.status
        trips = f"{trips_text(one):>7}" if counted else ""
        yield f" {_short(names[one.cell], room):<{room}}  {one.operations:>10,}{trips}   {outcome}"
    if len(cells) > _ROWS:
        yield f" {len(cells) - _ROWS} more cells: see the report"


def _short(name: str, room: int) -> str:
    """*name* without its middle where it is too long: its end tells pools and levels apart."""
    name = name if len(name) <= room else name.replace(" pool=", " ").replace(" isolation=", " ")
    if len(name) <= room:
        return name
    end = (room - 2) * 2 // 3
    return f"{name[: room - 2 - end]}..{name[-end:]}"
