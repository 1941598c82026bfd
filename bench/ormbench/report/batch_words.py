"""What a run says of strategies and rows an operation, by rule: the title, the answer, the card.

First from how many rows on which strategy, of each product for itself; then what a session does
by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ormbench.report.batch_phases import clauses, point_of, rows_text, says
from ormbench.report.batches import Grid, Point
from ormbench.report.digest_batches import grids
from ormbench.report.findings import Card, CellFinding, Comparison
from ormbench.report.names import axes_text, bare_driver, driver_name, opened, product_name
from ormbench.report.quantities import (
    counted_text,
    has_interval,
    interval_of,
    ratio_text,
    span_text,
    without_interval,
)
from ormbench.report.round_trips import trips
from ormbench.report.sentences import Focus
from ormbench.stats.verdict import verdict

_QUESTIONS = {
    "insert_rows": "WHICH INSERT?",
    "update_rows": "WHICH UPDATE?",
    "delete_rows": "WHICH DELETE?",
    "upsert_rows": "WHICH UPSERT?",
    "move_rows": "WHICH MIGRATION?",
}
_OTHERS = "WHICH STRATEGY?"
QUESTIONS = (*_QUESTIONS.values(), _OTHERS)
# what a session does by itself, where nobody asks for anything faster
_USUAL = ("add_all", "dirty_flush", "session_delete", "merge", "row_by_row", "orm")
_CLAUSES = 3  # of a title


def grid_name(grid: Grid) -> str:
    """As "inserts, asyncpg", "inserts, MySQL aiomysql, cache=128"."""
    axes = {axis: value for axis, value in grid.key.unusual().items() if axis != "placement"}
    return ", ".join([grid.key.scenario, driver_name(grid.key.target), *axes_text(axes)])


def headline(comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus) -> str:
    """The answer in one line; "" where the focus has no grid."""
    grid = spoken_grid(comparisons, cells, focus)
    if grid is None:
        return ""
    texts = clauses(grid, bounds=False)
    if len(texts) > _CLAUSES:
        texts = (texts[0], *texts[1 - _CLAUSES :])
    return f"{grid.key.scenario} on {_where(grid)}: {'; '.join(texts)}"


def answer(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> tuple[str, ...]:
    """The answer of a run whose focus has a grid, in sentences; () where it has none."""
    found = grids(comparisons, cells)
    grid = _spoken_of(found, focus)
    if grid is None:
        return ()
    others = list(_on_other_products(found, grid, focus))
    told = [
        f"{_where(grid)}: {says(grid)}",
        *(f"{_where(other)}: {says(other)}" for other in others),
        _usual(grid, others),
    ]
    return tuple(f"{opened(one)}." for one in told if one)


def card(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> Card | None:
    """The card: what to choose with the most rows, and with fewer; None where there is no grid."""
    found = grids(comparisons, cells)
    grid = _spoken_of(found, focus)
    if grid is None:
        return None
    *fewer, verdict_of_most = clauses(grid)
    question = _QUESTIONS.get(grid.key.scenario, _OTHERS)
    workload = f"for {grid.key.scenario} on {driver_name(grid.key.target)}"
    detail = "; ".join([*fewer, workload])
    beside = tuple(
        (product_name(one.key.target), f"{bare_driver(one.key.target)}: {says(one)}")
        for one in _on_other_products(found, grid, focus)
    )
    return Card(question, opened(verdict_of_most), opened(detail), measured=True, others=beside)


def spoken_grid(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> Grid | None:
    """The grid that the answer is about; None where the focus has none with a comparison."""
    return _spoken_of(grids(comparisons, cells), focus)


def table_batch(grid: Grid) -> int:
    """The most rows of those that the most strategies were timed with: what one table shows."""
    counts = dict.fromkeys(grid.batches, 0)
    for point in grid.points:
        counts[point.batch] += point.found is not None
    return max(grid.batches, key=lambda batch: (counts[batch], batch))


def usual_of(grid: Grid) -> str:
    """The lane that does what a session does by itself; "" where there is none with a ratio."""
    compared = {one.cell.lane for one in grid.points if one.ratio and has_interval(one.ratio)}
    return next((one for one in _USUAL if one in compared and one != grid.reference), "")


def _spoken_of(found: Sequence[Grid], focus: Focus) -> Grid | None:
    """Of the focus's scenario, on its target if that has one, with the fewest unusual axes."""

    def elsewhere(grid: Grid) -> tuple[bool, int]:
        return grid.key.target != focus.target, len(grid.key.unusual())

    here = [one for one in found if one.key.scenario == focus.scenario and _is_compared(one)]
    own = [one for one in here if product_name(one.key.target) == focus.product]
    return min(own, key=elsewhere, default=None)


def _is_compared(grid: Grid) -> bool:
    return any(one.ratio and one.cell.lane != grid.reference for one in grid.points)


def _on_other_products(found: Sequence[Grid], grid: Grid, focus: Focus) -> Iterator[Grid]:
    """The grid of each other product, chosen alike: of the first driver that it has there."""
    for product in dict.fromkeys(product_name(one.key.target) for one in found):
        here = [one for one in found if product_name(one.key.target) == product]
        elsewhere = replace(focus, target=here[0].key.target)
        other = _spoken_of(here, elsewhere)
        if other is not None and product != product_name(grid.key.target):
            yield other


def _where(grid: Grid) -> str:
    """As "PostgreSQL, asyncpg", "MySQL, aiomysql, cache=128"."""
    cell = grid.key
    axes = {axis: value for axis, value in cell.unusual().items() if axis != "placement"}
    return ", ".join([product_name(cell.target), bare_driver(cell.target), *axes_text(axes)])


def _usual(grid: Grid, others: Sequence[Grid]) -> str:
    """As "add_all takes 4.8x as long as core with 1,000 rows [4.5, 5.1] and sends ..."."""
    lane = usual_of(grid)
    known = [one for one in grid.points if one.cell.lane == lane and one.ratio]
    point = max(known, key=lambda one: one.batch, default=None)
    if point is None or point.ratio is None or not has_interval(point.ratio):
        return ""
    judged = verdict(point.ratio.low, point.ratio.high)
    text, with_rows = ratio_text(point.ratio, judged), f"with {rows_text(point.batch)}"
    ratio, interval = without_interval(text), interval_of(text)
    takes = {
        "same": f"{lane} takes the same time as {grid.reference} {with_rows}{interval}",
        "cannot tell": f"this run cannot tell {lane} from {grid.reference} {with_rows}{interval}",
    }.get(judged, f"{lane} takes {ratio} as long as {grid.reference} {with_rows}{interval}")
    return takes + _sent(grid, point, others)


def _sent(grid: Grid, point: Point, others: Sequence[Grid]) -> str:
    """As " and sends the same 3 round trips; on MySQL it sends 1,002"; "" if not counted."""
    mine = _span(point)
    base = point_of(grid, grid.reference, point.batch)
    theirs = _span(base) if base else None
    if mine is None or theirs is None:
        return ""
    noun = "round trip"
    same = f"the same {counted_text(mine, noun)}"
    apart = f"{counted_text(mine, noun)}, {grid.reference} {span_text(theirs)}"
    told = [f" and sends {same if mine == theirs else apart}"]
    for other in others:
        there = point_of(other, point.cell.lane, point.batch)
        span = _span(there) if there else None
        if span is not None and span != mine:
            told.append(f"on {product_name(other.key.target)} it sends {span_text(span)}")
    return "; ".join(told)


def _span(point: Point) -> tuple[int, int] | None:
    return trips(point.found.count) if point.found else None
