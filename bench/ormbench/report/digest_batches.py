"""Which cells form a grid of strategies against rows an operation, and what it proves. Pure.

A grid is one scenario on one target, all else alike: a line a lane, a column a number of rows.
Lanes of one column are compared with each other and with no other column's.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

from ormbench.cell import Cell, LeftOut
from ormbench.report.batches import Crossing, Grid, Point, Strategy, Tier
from ormbench.report.digest_cells import estimate
from ormbench.report.findings import CellFinding, Comparison, Estimate, Verdict
from ormbench.report.pairings import Pairings
from ormbench.report.wrong_data import fails
from ormbench.stats.location import Location
from ormbench.stats.verdict import verdict

_FEWEST = 2  # batches with numbers, and lanes; below, there is nothing to choose
_NS_PER_S = 1_000_000_000
_ALIKE = Location(1.0, 1.0, 1.0, 0)


def grids(
    comparisons: Sequence[Comparison],
    cells: Sequence[CellFinding],
    left_out: Sequence[LeftOut] = (),
) -> tuple[Grid, ...]:
    """A grid for each place where with two batches or more two lanes or more were timed.

    In the order of *cells*. Closed loops alone: at an offered rate, rows per second are the rate's.
    """
    known: dict[Cell, dict[Cell, Point]] = {}
    for one in cells:
        if one.cell.batch is not None and one.cell.rate is None:
            known.setdefault(_key(one.cell), {})[one.cell] = _point(one, one.cell.batch)
    for left in left_out:
        if left.cell.batch is not None and (points := known.get(_key(left.cell))) is not None:
            absent = Point(left.cell, left.cell.batch, missing=left.reason)
            points.setdefault(left.cell, absent)
    compared = [one for one in comparisons if one.kind == "lane"]
    return tuple(
        _grid(key, list(points.values()), [one for one in compared if one.candidate in points])
        for key, points in known.items()
        if _is_choice(points.values())
    )


def _key(cell: Cell) -> Cell:
    """What the cells of a grid share."""
    return replace(cell, lane="", batch=None)


def _point(found: CellFinding, batch: int) -> Point:
    if found.status != "OK" or found.service is None:
        why = f"{found.status}: {found.reason}".removesuffix(": ")
        return Point(found.cell, batch, missing=why)
    if why := fails(found):  # quick to give up is not quick
        return Point(found.cell, batch, missing=why)
    trips = [one.round_trips for one in found.count.operations] if found.count else []
    mean = sum(trips) / len(trips) if trips else None
    return Point(found.cell, batch, found, trips=mean)


def _is_choice(points: Iterable[Point]) -> bool:
    """Whether lanes can be told apart with two numbers of rows or more: one of them is no line."""
    lanes = Counter(one.batch for one in points if one.found)
    return sum(count >= _FEWEST for count in lanes.values()) >= _FEWEST


def _grid(key: Cell, points: Sequence[Point], compared: Sequence[Comparison]) -> Grid:
    lanes = list(dict.fromkeys(one.cell.lane for one in points))
    named = Counter(one.reference.lane for one in compared)
    references = [lane for lane, _ in named.most_common()] or lanes[:1]
    pairings = Pairings(compared)
    columns = {
        batch: _Column.of([one for one in points if one.batch == batch], pairings, references)
        for batch in sorted({one.batch for one in points})
    }
    strategies = tuple(
        Strategy(lane, tuple(one.points[lane] for one in columns.values() if lane in one.points))
        for lane in lanes
    )
    return Grid(
        key,
        references[0],
        strategies,
        tuple(sorted(_crossings(columns), key=lambda one: (one.at, one.passes, one.passed))),
        tuple(_tier(batch, one) for batch, one in columns.items() if one.measured),
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """All lanes with as many rows an operation, and what was compared there."""

    points: Mapping[str, Point]  # by lane, in the order of the plan
    pairings: Pairings
    references: Sequence[str]  # lanes that others were compared with, the usual one first

    @classmethod
    def of(
        cls, points: Sequence[Point], pairings: Pairings, references: Sequence[str]
    ) -> "_Column":
        """The column with its ratios and its rows per second."""
        bare = cls({one.cell.lane: one for one in points}, pairings, references)
        rated = {lane: bare.rated(one) for lane, one in bare.points.items()}
        return replace(bare, points=rated)

    @property
    def measured(self) -> tuple[Point, ...]:
        """The points that have numbers."""
        return tuple(one for one in self.points.values() if one.found)

    def rated(self, point: Point) -> Point:
        """*point* with its ratio, and with rows per second on the footing of its pairs.

        Where the reference has no number, on that of the lane that it was compared with.
        """
        if point.found is None:
            return point
        lane = point.cell.lane
        links = ((base, self.versus(lane, base)) for base in self.references)
        base, footing = next(((base, ratio) for base, ratio in links if ratio), (lane, None))
        rows = _rows_per_second(self.points[base]) / (footing.value if footing else 1.0)
        return replace(point, ratio=self.versus(lane, self.references[0]), rows_per_second=rows)

    def ahead(self, one: str, other: str) -> bool:
        """Whether lane *one* has more rows per second than *other*, decided or not."""
        mine, theirs = (self.points[lane].rows_per_second or 0.0 for lane in (one, other))
        return mine > theirs

    def rank(self, point: Point) -> tuple[int, float]:
        """Less for a better lane: fewer surpass it for certain, then more rows per second.

        Ratios of several pairs need not multiply: the line on top may be surpassed.
        """
        lane = point.cell.lane
        better = sum(self.judged(one.cell.lane, lane) == "faster" for one in self.measured)
        return better, -(point.rows_per_second or 0.0)

    def judged(self, one: str, other: str) -> Verdict:
        """What can be said of lane *one* against *other*."""
        found = self.versus(one, other)
        return verdict(found.low, found.high) if found else "cannot tell"

    def versus(self, one: str, other: str) -> Estimate | None:
        """Time of lane *one* over that of *other*, 1 of itself; None where nothing links them."""
        both = self.points.get(one), self.points.get(other)
        mine, theirs = (point.cell if point and point.found else None for point in both)
        if mine is None or theirs is None:
            return None
        ratio = _ALIKE if mine == theirs else self.pairings.ratio(mine, theirs)
        return estimate(ratio, "ratio") if ratio else None


def _rows_per_second(point: Point) -> float:
    """Of all clients, by the mean time of an operation, as the table of cells has it."""
    mean = point.found.service.value if point.found and point.found.service else math.inf
    return point.batch * point.cell.clients * _NS_PER_S / mean


def _tier(batch: int, column: _Column) -> Tier:
    """The fastest, and all of which the intervals do not say that they are slower."""
    fastest = min(column.measured, key=column.rank).cell.lane
    equals = tuple(
        one.cell.lane
        for one in column.measured
        if column.judged(one.cell.lane, fastest) != "slower"
    )
    return Tier(batch, fastest, equals)


def _crossings(columns: Mapping[int, _Column]) -> Iterator[Crossing]:
    """Between neighbouring batches alone: what was not measured in between is not passed over."""
    for (last, few), (first, many) in pairwise(columns.items()):
        going_on = {one.cell.lane for one in many.measured}
        both = [one.cell.lane for one in few.measured if one.cell.lane in going_on]
        for one, other in combinations(both, 2):
            if few.ahead(one, other) == many.ahead(one, other):
                continue  # the lines in the chart do not meet
            before, after = few.versus(one, other), many.versus(one, other)
            if before is None or after is None:
                continue
            if before.low > 1 and after.high < 1:
                yield Crossing(one, other, last, first, _between(last, first, before, after))
            if before.high < 1 and after.low > 1:
                yield Crossing(other, one, last, first, _between(last, first, before, after))


def _between(last: int, first: int, before: Estimate, after: Estimate) -> float:
    """Where the straight line between two ratios on log-log paper goes through 1."""
    here, there = math.log(before.value), math.log(after.value)
    return float(last * (first / last) ** (here / (here - there)))
