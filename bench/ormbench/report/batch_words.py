"""What a run says of strategies and rows an operation, by rule: the title, the answer, the card.

First from how many rows on which strategy, of each product for itself; then what a session does
by itself.
"""

from collections.abc import Sequence
from dataclasses import replace

from ormbench.report.batch_phases import clauses, rows_text, says
from ormbench.report.batches import Grid, Point
from ormbench.report.digest_batches import grids
from ormbench.report.findings import Card, CellFinding, Comparison
from ormbench.report.focus import Focus
from ormbench.report.names import bare_driver, driver_name, opened, product_name
from ormbench.report.quantities import (
    counted_text,
    has_interval,
    interval_of,
    ratio_text,
    span_text,
    without_interval,
)
from ormbench.report.round_trips import trips

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


def headline(comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus) -> str:
    """The answer in one line; "" where the focus has no grid."""
    grid = spoken_grid(comparisons, cells, focus)
    if grid is None:
        return ""
    texts = clauses(grid, bounds=False)
    if len(texts) > _CLAUSES:
        texts = (texts[0], *texts[1 - _CLAUSES :])
    return f"{grid.key.scenario} on {grid.place}: {'; '.join(texts)}"


def answer(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> tuple[str, ...]:
    """The answer of a run whose focus has a grid, in sentences; () where it has none."""
    found = spoken_grids(comparisons, cells, focus)
    if not found:
        return ()
    told = [*(f"{one.place}: {says(one)}" for one in found), _usual(*found)]
    return tuple(f"{opened(one)}." for one in told if one)


def card(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> Card | None:
    """The card: what to choose with the most rows, and with fewer; None where there is no grid."""
    found = spoken_grids(comparisons, cells, focus)
    if not found:
        return None
    grid, *others = found
    *fewer, verdict_of_most = clauses(grid)
    question = _QUESTIONS.get(grid.key.scenario, _OTHERS)
    workload = f"for {grid.key.scenario} on {driver_name(grid.key.target)}"
    detail = "; ".join([*fewer, workload])
    beside = tuple(
        (product_name(one.key.target), f"{bare_driver(one.key.target)}: {says(one)}")
        for one in others
    )
    return Card(question, opened(verdict_of_most), opened(detail), measured=True, others=beside)


def spoken_grid(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> Grid | None:
    """The grid that the answer is about; None where there is none."""
    return next(iter(spoken_grids(comparisons, cells, focus)), None)


def spoken_grids(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> tuple[Grid, ...]:
    """The grid that the answer is about, then that of each other product, of its first driver.

    () where the focus has none with a comparison.
    """
    found = grids(comparisons, cells)
    grid = _choice(found, focus)
    if grid is None:
        return ()
    firsts: dict[str, str] = {}
    for one in found:
        firsts.setdefault(product_name(one.key.target), one.key.target)
    targets = (target for product, target in firsts.items() if product != focus.product)
    others = (_choice(found, replace(focus, target=target)) for target in targets)
    return (grid, *(one for one in others if one))


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


def _choice(found: Sequence[Grid], focus: Focus) -> Grid | None:
    """Of the focus's scenario, on its target if that has one, with the fewest unusual axes."""

    def elsewhere(grid: Grid) -> tuple[bool, int]:
        return grid.key.target != focus.target, len(grid.key.unusual())

    here = [one for one in found if one.key.scenario == focus.scenario and _is_compared(one)]
    own = [one for one in here if product_name(one.key.target) == focus.product]
    return min(own, key=elsewhere, default=None)


def _is_compared(grid: Grid) -> bool:
    return any(one.ratio and one.cell.lane != grid.reference for one in grid.points)


def _usual(grid: Grid, *others: Grid) -> str:
    """As "add_all takes 4.8x as long as core with 1,000 rows [4.5, 5.1] and sends ..."."""
    lane = usual_of(grid)
    known = [one for one in grid.points if one.cell.lane == lane and one.ratio]
    point = max(known, key=lambda one: one.batch, default=None)
    if point is None or point.ratio is None or not has_interval(point.ratio):
        return ""
    text = ratio_text(point.ratio, point.verdict)
    against = f"{grid.reference} with {rows_text(point.batch)}{interval_of(text)}"
    takes = {
        "same": f"{lane} takes the same time as {against}",
        "cannot tell": f"this run cannot tell {lane} from {against}",
    }.get(point.verdict, f"{lane} takes {without_interval(text)} as long as {against}")
    return takes + _sent(grid, point, others)


def _sent(grid: Grid, point: Point, others: Sequence[Grid]) -> str:
    """As " and sends the same 3 round trips; on MySQL it sends 1,002"; "" if not counted."""
    mine = _trips(point)
    theirs = _trips(grid.point(grid.reference, point.batch))
    if mine is None or theirs is None:
        return ""
    noun = "round trip"
    same = f"the same {counted_text(mine, noun)}"
    apart = f"{counted_text(mine, noun)}, {grid.reference} {span_text(theirs)}"
    told = [f" and sends {same if mine == theirs else apart}"]
    for other in others:
        span = _trips(other.point(point.cell.lane, point.batch))
        if span is not None and span != mine:
            told.append(f"on {product_name(other.key.target)} it sends {span_text(span)}")
    return "; ".join(told)


def _trips(point: Point | None) -> tuple[int, int] | None:
    """The least and the most round trips of an operation; None where nobody counted them."""
    return trips(point.found.count) if point and point.found else None
