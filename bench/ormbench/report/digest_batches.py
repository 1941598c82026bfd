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
from ormbench.report.findings import CellFinding, Comparison, Estimate
from ormbench.report.wrong_data import fails, sound
from ormbench.stats.location import Location, locate
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
    timed = [one for one in sound(comparisons) if one.kind == "lane" and one.ratio.blocks]
    return tuple(
        _grid(key, list(points.values()), [one for one in timed if one.candidate in points])
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


def _grid(key: Cell, points: Sequence[Point], timed: Sequence[Comparison]) -> Grid:
    lanes = list(dict.fromkeys(one.cell.lane for one in points))
    named = Counter(one.reference.lane for one in timed)
    reference = named.most_common(1)[0][0] if named else lanes[0]
    columns = {
        batch: _Column.of([one for one in points if one.batch == batch], timed, reference)
        for batch in sorted({one.batch for one in points})
    }
    strategies = tuple(
        Strategy(lane, tuple(one.points[lane] for one in columns.values() if lane in one.points))
        for lane in lanes
    )
    return Grid(
        key,
        reference,
        strategies,
        tuple(sorted(_crossings(columns), key=lambda one: (one.at, one.passes, one.passed))),
        tuple(_tier(batch, one) for batch, one in columns.items() if one.measured),
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """All lanes with as many rows an operation, and what was compared there."""

    points: Mapping[str, Point]  # by lane, in the order of the plan
    stars: Mapping[tuple[str, str], Mapping[str, Comparison]]  # (group, reference) -> others

    @classmethod
    def of(cls, points: Sequence[Point], timed: Sequence[Comparison], reference: str) -> "_Column":
        """The column with its ratios and its rows per second."""
        found = {one.cell: one for one in points if one.found}
        stars: dict[tuple[str, str], dict[str, Comparison]] = {}
        for one in timed:
            if one.candidate in found and one.reference in found:
                star = stars.setdefault((one.group, one.reference.lane), {})
                star.setdefault(one.candidate.lane, one)
        bare = cls({one.cell.lane: one for one in points}, stars)
        rated = {lane: bare.rated(one, reference) for lane, one in bare.points.items()}
        return cls(rated, stars)

    @property
    def measured(self) -> tuple[Point, ...]:
        """The points that have numbers."""
        return tuple(one for one in self.points.values() if one.found)

    def rated(self, point: Point, reference: str) -> Point:
        """*point* with its ratio, and with rows per second on the footing of its pairs.

        Where the reference has no number, on that of the lane that it was compared with.
        """
        if point.found is None:
            return point
        lane = point.cell.lane
        bases = (reference, *dict.fromkeys(base for _, base in self.stars))
        links = ((base, self._against(lane, base)) for base in bases)
        base, footing = next(((base, ratio) for base, ratio in links if ratio), (lane, None))
        rows = _rows_per_second(self.points[base]) / (footing.value if footing else 1.0)
        return replace(point, ratio=self.versus(lane, reference), rows_per_second=rows)

    def ahead(self, one: str, other: str) -> bool:
        """Whether lane *one* has more rows per second than *other*, decided or not."""
        mine, theirs = (self.points[lane].rows_per_second or 0.0 for lane in (one, other))
        return mine > theirs

    def versus(self, one: str, other: str) -> Estimate | None:
        """Time of lane *one* over that of *other*; None where no reference links them.

        Block by block where one group has both; else the bounds of two ratios bound it.
        """
        if direct := self._against(one, other):
            return direct
        if back := self._against(other, one):
            return _over(estimate(_ALIKE, "ratio"), back)
        for star in self.stars.values():
            if one in star and other in star:
                pairs = star[one].block_ratios, star[other].block_ratios
                if len(pairs[0]) == len(pairs[1]):
                    logs = [math.log(mine / theirs) for mine, theirs in zip(*pairs, strict=True)]
                    return estimate(locate(logs).exp(), "ratio")
        for base in dict.fromkeys(base for _, base in self.stars):
            mine, theirs = self._against(one, base), self._against(other, base)
            if mine and theirs:
                return _over(mine, theirs)
        return None

    def _against(self, lane: str, base: str) -> Estimate | None:
        """What was measured of *lane* against *base*; 1 of itself."""
        if lane == base:
            known = lane in self.points and self.points[lane].found
            return estimate(_ALIKE, "ratio") if known else None
        stars = (star for (_, of), star in self.stars.items() if of == base)
        return next((star[lane].ratio for star in stars if lane in star), None)


def _over(mine: Estimate, theirs: Estimate) -> Estimate:
    """The ratio of two ratios as far as their bounds reach; without interval if one has none."""
    low = mine.low / theirs.high
    high = mine.high / theirs.low if theirs.low > 0 else math.inf
    blocks = min(mine.blocks or theirs.blocks, theirs.blocks or mine.blocks)
    return replace(mine, value=mine.value / theirs.value, low=low, high=high, blocks=blocks)


def _rows_per_second(point: Point) -> float:
    """Of all clients, by the mean time of an operation, as the table of cells has it."""
    mean = point.found.service.value if point.found and point.found.service else math.inf
    return point.batch * point.cell.clients * _NS_PER_S / mean


def _tier(batch: int, column: _Column) -> Tier:
    """The fastest, and all of which the intervals do not say that they are slower."""
    fastest = max(column.measured, key=lambda one: one.rows_per_second or 0.0).cell.lane
    against = ((one.cell.lane, column.versus(one.cell.lane, fastest)) for one in column.measured)
    equals = tuple(
        lane for lane, one in against if not one or verdict(one.low, one.high) != "slower"
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
