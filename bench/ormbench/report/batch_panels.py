"""What the chart of rows an operation shows of its grids: panels, lines, crossings. Pure.

A grid may have twenty strategies. Six of them stand out and are named: the reference, what a
Session does by itself and the fastest that is given one, the fastest with few rows and with many,
and the one that is slowest.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ormbench.cell import Cell
from ormbench.report.batch_session import session_of, usual_of
from ormbench.report.batches import Crossing, Grid, Point, Strategy
from ormbench.report.digest_batches import grids
from ormbench.report.findings import Findings
from ormbench.report.names import product_name

LIMIT = 6  # panels of a chart; the tables have all grids
ACCENTED = 5  # lines of a panel that are named, where not more have a part in the story
NAMED = 3  # crossings of a panel

Role = Literal["reference", "usual", "session", "many", "few", "behind", "more"]


@dataclass(frozen=True, slots=True)
class Line:
    """A strategy of one panel."""

    strategy: Strategy
    role: Role | None  # None: thin and grey, and not named
    stretches: tuple[tuple[Point, ...], ...]  # points with neighbouring batches that have numbers

    @property
    def last(self) -> Point:
        """Its point with the most rows."""
        return self.stretches[-1][-1]

    @property
    def points(self) -> Iterator[Point]:
        """All that have numbers, from few rows to many."""
        return (point for stretch in self.stretches for point in stretch)


def by_scenario(findings: Findings) -> dict[str, tuple[Grid, ...]]:
    """The grids of each scenario, the focus first; of each, that of the focus's target first."""
    found = grids(findings.comparisons, findings.cells, findings.left_out)
    names = dict.fromkeys(grid.key.scenario for grid in found)
    ordered = sorted(names, key=lambda name: name != findings.focus)
    return {
        name: _products_first([one for one in found if one.key.scenario == name], findings)
        for name in ordered
    }


def _products_first(found: Sequence[Grid], findings: Findings) -> tuple[Grid, ...]:
    """The focus's target, one grid of each further product, other drivers, then unusual axes."""
    elsewhere = [(grid.key.target != findings.focus_target, grid) for grid in found]
    usual = [one for _, one in sorted(elsewhere, key=lambda pair: (_oddity(pair[1]), pair[0]))]
    firsts: dict[str, Grid] = {}
    for grid in usual:
        firsts.setdefault(product_name(grid.key.target), grid)
    ahead = list(firsts.values())
    return (*ahead, *(grid for grid in usual if not any(grid is one for one in ahead)))


def _oddity(grid: Grid) -> int:
    """How many axes of *grid* are off their default."""
    return len(grid.key.unusual())


def cells_of(findings: Findings) -> frozenset[Cell]:
    """Every cell of a grid: what no chart of single cells needs to repeat."""
    found = grids(findings.comparisons, findings.cells, findings.left_out)
    return frozenset(point.cell for grid in found for point in grid.points)


def moved_text(cells: Iterable[Cell]) -> str:
    """A sentence for the note of a chart that leaves *cells* of grids out; "" where it has all."""
    names = ", ".join(dict.fromkeys(cell.scenario for cell in cells))
    return f" Strategies of {names}: see rows an operation, and the tables." if names else ""


def lines(grid: Grid) -> tuple[Line, ...]:
    """The strategies of *grid* that have numbers, in its order, each with what it stands for."""
    found = {one.lane: (one, _stretches(one, grid.batches)) for one in grid.strategies}
    measured = {lane: both for lane, both in found.items() if both[1]}
    roles = _roles(grid, list(measured))
    return tuple(Line(one, roles.get(lane), known) for lane, (one, known) in measured.items())


def _roles(grid: Grid, lanes: Sequence[str]) -> dict[str, Role]:
    """What the named lanes stand for; a lane that is several things has the first of them."""
    wanted: list[tuple[str, Role]] = [
        (grid.reference, "reference"),
        (usual_of(grid), "usual"),
        (session_of(grid), "session"),
    ]
    if grid.tiers:
        wanted += [(grid.tiers[-1].fastest, "many"), (grid.tiers[0].fastest, "few")]
    wanted += [(_furthest_behind(grid), "behind")]
    wanted += [(lane, "more") for lane in _most_crossed(grid, lanes)]
    found: dict[str, Role] = {}
    for lane, role in wanted:
        if lane in lanes and (role != "more" or len(found) < ACCENTED):
            found.setdefault(lane, role)
    return found


def _furthest_behind(grid: Grid) -> str:
    """The lane that with some number of rows is the most times slower than the fastest there."""
    rates = [
        (one.cell.lane, one.batch, one.rows_per_second)
        for one in grid.points
        if one.rows_per_second
    ]
    best: dict[int, float] = {}
    for _, batch, rate in rates:
        best[batch] = max(best.get(batch, 0.0), rate)
    lane, *_ = max(rates, key=lambda one: best[one[1]] / one[2], default=("", 0, 0.0))
    return lane


def _most_crossed(grid: Grid, lanes: Sequence[str]) -> list[str]:
    """*lanes*, those first that pass or are passed most often."""
    crossed = [lane for one in grid.crossings for lane in (one.passes, one.passed)]
    return sorted(lanes, key=lambda lane: -crossed.count(lane))


def _stretches(strategy: Strategy, batches: Sequence[int]) -> tuple[tuple[Point, ...], ...]:
    """Its points, parted wherever a number of rows of the grid has none: no line goes across."""
    known = {one.batch: one for one in strategy.points if one.found and one.rows_per_second}
    found: list[list[Point]] = [[]]
    for batch in batches:
        if batch in known:
            found[-1].append(known[batch])
        elif found[-1]:
            found.append([])
    return tuple(tuple(one) for one in found if one)


def named_crossings(grid: Grid, shown: Sequence[Line]) -> tuple[Crossing, ...]:
    """Those between named lines that tell most, from few rows to many.

    Of the reference, of the best that a Session can do beside what it does by itself, and of what
    is the fastest on either side of the crossing.
    """
    named = {one.strategy.lane: one.role for one in shown if one.role}
    best = grid.tiers[-1].fastest if grid.tiers else ""
    fastest = {one.batch: one.fastest for one in grid.tiers}
    asked = {lane for lane, role in named.items() if role in ("reference", "session")}

    def rank(one: Crossing) -> tuple[bool, bool, bool]:
        behind = "behind" in (named[one.passes], named[one.passed])
        return behind, one.passes != best, grid.reference not in (one.passes, one.passed)

    def tells(one: Crossing) -> bool:
        both = {one.passes, one.passed}
        return both <= set(named) and bool(both & (asked | {fastest[one.last], fastest[one.first]}))

    known = [one for one in grid.crossings if tells(one)]
    return tuple(sorted(sorted(known, key=rank)[:NAMED], key=lambda one: one.at))
