"""The numbers of the grids of strategies as tables: a row a strategy, a column a number of rows."""

from dataclasses import dataclass

from ormbench.report.batch_phases import rows_text, says
from ormbench.report.batches import Grid, Point, Strategy
from ormbench.report.digest_batches import grids
from ormbench.report.findings import Findings
from ormbench.report.names import opened
from ormbench.report.quantities import number_text, ratio_text
from ormbench.report.round_trips import NOT_COUNTED, trips_text
from ormbench.report.rows import Shown

NOT_ASKED = "not asked for"
_WHOLE = 100  # from here on without decimals
_NOTHING = Shown()


@dataclass(frozen=True, slots=True)
class BatchCell:
    """One strategy with so many rows, in words."""

    rate: str = ""  # rows per second
    ratio: Shown = _NOTHING  # of times, against the reference with as many rows
    trips: str = ""  # round trips of one operation; "-" where nobody counted
    missing: str = ""  # why there are no numbers
    span: int = 1  # columns with the same reason


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A strategy."""

    lane: str
    cells: tuple[BatchCell, ...]

    def texts(self, *, brief: bool) -> list[str]:
        """A text a column, a reason in the first of its own; *brief*: the ratio alone."""
        found: list[str] = []
        for cell in self.cells:
            rate = "" if brief and cell.ratio.mark else cell.rate and f"{cell.rate}/s"
            trips = "" if brief or cell.trips in ("", NOT_COUNTED) else f"trips {cell.trips}"
            ratio = "" if brief and rate else f"{cell.ratio.mark} {cell.ratio.text}".strip()
            told = [cell.missing, rate, ratio, trips]
            found += [", ".join(filter(None, told)), *[""] * (cell.span - 1)]
        return found


@dataclass(frozen=True, slots=True)
class BatchTable:
    """One grid."""

    caption: str
    brief_caption: str  # where there is room for the ratio alone
    scenario: str
    target: str
    says: str  # from how many rows on which strategy
    reference: str
    batches: tuple[str, ...]  # "1 row", "10 rows", ...
    rows: tuple[BatchRow, ...]


def batch_tables(findings: Findings) -> tuple[BatchTable, ...]:
    """A table for each grid, those of the focus first; () where nothing is to be read."""
    if not findings.trust.usable:
        return ()
    found = grids(findings.comparisons, findings.cells, findings.left_out)
    scenarios = list(dict.fromkeys([findings.focus, *(one.key.scenario for one in found)]))

    def place(grid: Grid) -> tuple[int, bool]:
        return scenarios.index(grid.key.scenario), grid.key.target != findings.focus_target

    return tuple(_table(one) for one in sorted(found, key=place))


def rate_of(rows_per_second: float) -> str:
    """As "12,300", "85.2" rows per second: three significant digits."""
    if rows_per_second < _WHOLE:
        return number_text(rows_per_second)
    return f"{float(f'{rows_per_second:.3g}'):,.0f}"


def _table(grid: Grid) -> BatchTable:
    name, reference = grid.name, grid.reference
    return BatchTable(
        f"{name}: rows per second; time vs {reference}; round trips of one operation",
        f"{name}: time vs {reference}; of {reference} itself rows per second",
        grid.key.scenario,
        grid.key.target,
        f"{opened(says(grid))}.",
        reference,
        tuple(rows_text(one) for one in grid.batches),
        tuple(_row(grid, one) for one in grid.strategies),
    )


def _row(grid: Grid, strategy: Strategy) -> BatchRow:
    points = {one.batch: one for one in strategy.points}
    cells: list[BatchCell] = []
    for batch in grid.batches:
        cell = _cell(points[batch]) if batch in points else BatchCell(missing=NOT_ASKED)
        before = cells[-1] if cells else None
        if before and cell.missing and cell.missing == before.missing:
            cells[-1] = BatchCell(missing=cell.missing, span=before.span + 1)
        else:
            cells.append(cell)
    reference = strategy.lane == grid.reference
    return BatchRow(strategy.lane, tuple(_named(one) if reference else one for one in cells))


def _named(cell: BatchCell) -> BatchCell:
    if cell.missing:
        return cell
    return BatchCell(cell.rate, Shown("reference", 1.0), cell.trips)


def _cell(point: Point) -> BatchCell:
    if point.found is None or point.rows_per_second is None:
        return BatchCell(missing=point.missing or NOT_ASKED)
    ratio = Shown("not compared")
    if point.ratio is not None:
        text = ratio_text(point.ratio, point.verdict)
        ratio = Shown(text, point.ratio.value, point.verdict)
    return BatchCell(rate_of(point.rows_per_second), ratio, trips_text(point.found))
