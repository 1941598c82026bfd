"""Which cells form which panel of the chart of isolation levels, and which level is best. Pure.

A way is one lane at all levels that it was run at; a panel is all ways of one scenario on one
target with the same clients. The best level of a way is that with the most goodput among those that
neither lost an update nor broke an invariant; whatever the run cannot tell from it is its equal.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ormbench import isolation
from ormbench.cell import Cell
from ormbench.report.digest_cells import estimate
from ormbench.report.findings import CellFinding, Comparison, Estimate, Verdict
from ormbench.report.names import product_name
from ormbench.report.pairings import Pairings
from ormbench.report.wrong_data import rate
from ormbench.stats.location import Location, locate
from ormbench.stats.verdict import differs, verdict

DEFAULT = "the server's default"
FEWEST = 2  # levels; below, there is nothing to choose
_ORDER = (DEFAULT, *isolation.LEVELS)
_RULE_OF_THREE = 3.0  # none in n: at 95 % fewer than 3 / n

Standing = Literal["best", "cannot tell", "behind", "wrong data"]


@dataclass(frozen=True, slots=True)
class Level:
    """A lane at one isolation level, and how it stands to the best of its way."""

    found: CellFinding
    name: str  # "SERIALIZABLE", or DEFAULT
    on_connection: bool  # set for each checkout, not once on the engine
    goodput: Estimate  # op/s, retries inside
    standing: Standing = "behind"
    against_best: Estimate | None = None  # ratio of goodputs, paired by block; below 1 is less

    @property
    def lost(self) -> float:
        """Updates lost, per 1,000 operations."""
        wrong = self.found.wrong
        return rate(wrong.lost, wrong.operations) if wrong else 0.0

    @property
    def broken(self) -> float:
        """Operations and end states that cannot be, per 1,000 operations."""
        wrong = self.found.wrong
        return rate(wrong.broken, wrong.operations) if wrong else 0.0

    @property
    def harm(self) -> float:
        """Both, per 1,000 operations."""
        return self.lost + self.broken

    @property
    def aborted(self) -> float:
        """Attempts that the server ended, per 1,000 operations; above 1,000 where most took two."""
        return rate(self._aborts, self.found.operations)

    @property
    def aborted_share(self) -> float:
        """The same as a fraction of all attempts."""
        attempts = self.found.operations + self._aborts
        return self._aborts / attempts if attempts else 0.0

    @property
    def bound(self) -> float:
        """Where none was seen: at 95 % fewer than so many per 1,000 operations."""
        return 1_000 * _RULE_OF_THREE / self.found.operations

    @property
    def _aborts(self) -> int:
        return self.found.outcomes.aborted if self.found.outcomes else 0


@dataclass(frozen=True, slots=True)
class Way:
    """One lane at its levels, the weakest first."""

    lane: str
    levels: tuple[Level, ...]
    missing: tuple[CellFinding, ...] = ()  # levels without a number

    @property
    def best(self) -> Level | None:
        """The level to choose; None where each has wrong data."""
        return next((one for one in self.levels if one.standing == "best"), None)

    @property
    def is_choice(self) -> bool:
        """Whether it was run at two levels or more."""
        return len({one.name for one in self.levels}) >= FEWEST


@dataclass(frozen=True, slots=True)
class Panel:
    """All ways of one scenario on one target, under the same conditions."""

    place: Cell  # without lane and isolation
    ways: tuple[Way, ...]

    @property
    def levels(self) -> tuple[Level, ...]:
        """Those of all ways, in their order."""
        return tuple(level for way in self.ways for level in way.levels)

    @property
    def audited(self) -> bool:
        """Whether anybody looked for lost updates and broken invariants."""
        return any(level.found.audited for level in self.levels)

    @property
    def contended(self) -> bool:
        """Whether some level lost or broke something here: then "none seen" says something."""
        return any(one.standing == "wrong data" for one in self.levels)


def panels(cells: Iterable[CellFinding]) -> tuple[Panel, ...]:
    """A panel for each place where some lane was run at two levels, in the order of *cells*.

    Of one scenario and target that with the most clients comes first.
    """
    places: dict[Cell, dict[str, list[CellFinding]]] = {}
    for one in cells:
        if one.cell.target != "none":
            lanes = places.setdefault(replace(one.cell, lane="", isolation=None), {})
            lanes.setdefault(one.cell.lane, []).append(one)
    found = [
        Panel(place, tuple(way(lane, those) for lane, those in lanes.items()))
        for place, lanes in places.items()
    ]
    found = [one for one in found if any(way.is_choice for way in one.ways)]
    firsts = list(dict.fromkeys((one.place.scenario, one.place.target) for one in found))

    def order(panel: Panel) -> tuple[int, int]:
        place = panel.place
        return firsts.index((place.scenario, place.target)), -place.clients

    return tuple(sorted(found, key=order))


def first_of_each(found: Sequence[Panel]) -> tuple[Panel, ...]:
    """Of each scenario and product the first panel: its first driver, with the most clients."""
    kept: dict[tuple[str, str], Panel] = {}
    for one in found:
        kept.setdefault((one.place.scenario, product_name(one.place.target)), one)
    return tuple(kept.values())


def way(lane: str, cells: Iterable[CellFinding]) -> Way:
    """A lane at the levels of *cells*, each with its standing."""
    known = list(cells)
    levels = [_level(one, one.goodput) for one in known if one.goodput is not None]
    levels.sort(key=lambda one: (_ORDER.index(one.name), one.on_connection))
    right = [one for one in levels if one.found.wrong is None]
    best = max(right, key=lambda one: one.goodput.value, default=None)
    judged = tuple(_judged(one, best) for one in levels)
    return Way(lane, judged, tuple(one for one in known if one.goodput is None))


def level_of(cell: Cell) -> tuple[str, bool]:
    """The name of a cell's level, and whether it is set on the connection for each checkout."""
    if cell.isolation is None:
        return DEFAULT, False
    known = isolation.parse(cell.isolation)
    return known.level, known.scope == "connection"


def _level(found: CellFinding, goodput: Estimate) -> Level:
    return Level(found, *level_of(found.cell), goodput)


def _judged(one: Level, best: Level | None) -> Level:
    """*one* with its standing: by its ratio to *best*, block by block."""
    if one.found.wrong is not None or best is None:
        return replace(one, standing="wrong data")
    if one is best:
        return replace(one, standing="best")
    ratio = _ratio(one, best)
    apart = differs(ratio.low, ratio.high)
    estimated = estimate(ratio, "ratio", "higher is better")
    return replace(one, standing="behind" if apart else "cannot tell", against_best=estimated)


def _ratio(one: Level, best: Level) -> Location:
    """Goodput over goodput, over the blocks that have both; 0 to infinity where that is unknown."""
    others = dict(best.found.goodput_blocks)
    both = [(value, others[block]) for block, value in one.found.goodput_blocks if block in others]
    if both and not any(value for value, _ in both):
        return Location(0.0, 0.0, 0.0, len(both))  # nothing came through at all
    if not both or any(value <= 0 or other <= 0 for value, other in both):
        value = one.goodput.value / best.goodput.value if best.goodput.value else math.nan
        return Location(value, 0.0, math.inf, len(both))
    return locate([math.log(value / other) for value, other in both]).exp()


@dataclass(frozen=True, slots=True)
class Setting:
    """The same level set on the connection for each checkout, against once on the engine."""

    level: str
    connection: CellFinding
    engine: CellFinding
    ratio: Estimate  # of times; above 1 the connection takes longer
    verdict: Verdict


def settings(
    cells: Sequence[CellFinding], comparisons: Sequence[Comparison]
) -> tuple[Setting, ...]:
    """A setting for each two cells that differ in nothing else and were compared."""
    index = {one.cell: one for one in cells if one.wrong is None}
    paired, found = Pairings(comparisons), []
    for cell, one in index.items():
        name, on_connection = level_of(cell)
        if not on_connection or cell.isolation is None:
            continue
        engine = index.get(replace(cell, isolation=replace_scope(cell.isolation)))
        ratio = paired.ratio(cell, engine.cell) if engine else None
        if engine and ratio:
            judged = verdict(ratio.low, ratio.high)
            found.append(Setting(name, one, engine, estimate(ratio, "ratio"), judged))
    return tuple(found)


def replace_scope(word: str) -> str:
    """The word of the same level set on the engine."""
    return isolation.Isolation(isolation.parse(word).level).word
