"""What the strategies of a Session cost: the best of them, and what it does by itself. Pure."""

from collections.abc import Sequence

from ormbench.report.batch_phases import rows_text
from ormbench.report.batch_receives import has_session
from ormbench.report.batches import Grid, Point
from ormbench.report.names import product_name
from ormbench.report.quantities import (
    counted_text,
    has_interval,
    interval_of,
    ratio_text,
    span_text,
    without_interval,
)
from ormbench.report.round_trips import trips
from ormbench.stats.verdict import EQUIVALENCE

# what a session does by itself, where nobody asks for anything faster
_USUAL = ("add_all", "dirty_flush", "session_delete", "merge", "row_by_row", "orm")


def table_batch(grid: Grid) -> int:
    """The most rows of those that the most strategies were timed with: what one table shows."""
    counts = dict.fromkeys(grid.batches, 0)
    for point in grid.points:
        counts[point.batch] += point.found is not None
    return max(grid.batches, key=lambda batch: (counts[batch], batch))


def usual_of(grid: Grid) -> str:
    """The lane that does what a session does by itself; "" where there is none with a ratio."""
    compared = {one.cell.lane for one in grid.points if _is_compared(one)}
    return next((one for one in _USUAL if one in compared and one != grid.reference), "")


def session_of(grid: Grid) -> str:
    """The fastest lane that is given a Session; "" where there is none, or the reference is.

    With as many rows as the table shows; of lanes within 5 % that of the most numbers of rows.
    """
    points = _session_points(grid)
    if not points:
        return ""
    least = min(one.ratio.value for one in points if one.ratio)
    near = [one for one in points if one.ratio and one.ratio.value <= least * (1 + EQUIVALENCE)]

    def rank(one: Point) -> tuple[int, float]:
        known = [same for same in grid.points if same.cell.lane == one.cell.lane and same.found]
        return -len(known), one.ratio.value if one.ratio else 0.0

    return min(near, key=rank).cell.lane


def _session_points(grid: Grid) -> list[Point]:
    """What is compared of lanes with a Session, with one number of rows."""
    given = [one for one in grid.points if one.found and has_session(one.found.source)]
    if any(one.cell.lane == grid.reference for one in given):
        return []
    compared = [one for one in given if _is_compared(one)]
    batches = {one.batch for one in compared}
    wanted = table_batch(grid)
    batch = wanted if wanted in batches else max(batches, default=0)
    return [one for one in compared if one.batch == batch]


def session_says(grid: Grid, *others: Grid) -> str:
    """As "on MySQL, aiomysql, add_all takes 4.8x as long as core with 1,000 rows [4.5, 5.1]".

    Before what a Session does by itself stands the best that it can do, where that is another.
    """
    best = next((o for o in _session_points(grid) if o.cell.lane == session_of(grid)), None)
    usual = _usual_point(grid, best)
    point = usual or best
    if point is None:
        return ""
    if best is None or best is point:
        return f"on {grid.place}, {_takes(grid, point)}{_sent(grid, point, others)}"
    both = f"{_takes(grid, best, rows=False)}, {_beside(grid, point)}{_sent(grid, point, others)}"
    return f"on {grid.place}, with a Session and {rows_text(best.batch)}, {both}"


def _usual_point(grid: Grid, best: Point | None) -> Point | None:
    """What a Session does by itself, with the rows of *best*; without it with the most."""
    lane = usual_of(grid)
    known = [one for one in grid.points if one.cell.lane == lane and _is_compared(one)]
    same = [one for one in known if best and one.batch == best.batch]
    apart = best is not None and best.cell.lane != lane
    return max(same or ([] if apart else known), key=lambda one: one.batch, default=None)


def _is_compared(point: Point) -> bool:
    return point.ratio is not None and has_interval(point.ratio)


def _takes(grid: Grid, point: Point, *, rows: bool = True) -> str:
    """As "add_all takes 4.8x as long as core with 1,000 rows [4.5, 5.1]"."""
    if point.ratio is None:
        return ""
    lane, text = point.cell.lane, ratio_text(point.ratio, point.verdict)
    with_rows = f" with {rows_text(point.batch)}" if rows else ""
    against = f"{grid.reference}{with_rows}{interval_of(text)}"
    return {
        "same": f"{lane} takes the same time as {against}",
        "cannot tell": f"this run cannot tell {lane} from {against}",
    }.get(point.verdict, f"{lane} takes {without_interval(text)} as long as {against}")


def _beside(grid: Grid, point: Point) -> str:
    """As "add_all 3.7x [3.2, 4.0]", after a strategy of which more was said."""
    if point.ratio is None or point.verdict in ("same", "cannot tell"):
        return _takes(grid, point, rows=False)
    text = ratio_text(point.ratio, point.verdict)
    return f"{point.cell.lane} {without_interval(text)}{interval_of(text)}"


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
