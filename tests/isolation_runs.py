"""Makes run records of contended scenarios at several isolation levels: known losses, seeded noise.

    record = isolated()                                     # hot_row, as PostgreSQL would have it
    record = isolated({("orm", "serializable"): Fate(400, aborts=310)}, scenario="transfer")

A fate says how many operations a second a lane gives at a level, and what becomes of them. An A/A
pair of a scenario that contends for nothing goes with every run.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fabricate_counts import count_of
from modelled_runs import modelled
from modelled_trials import Model, star

from ormbench.cell import Cell, Group
from ormbench.report.digest import digest
from ormbench.results.folder import RunRecord
from ormbench.results.trial import Slice

ASYNCPG, AIOMYSQL, MARIADB = "postgresql+asyncpg", "mysql+aiomysql", "mariadb+aiomysql"
RC, RR, SERIAL = "read-committed", "repeatable-read", "serializable"
OPERATIONS = 160  # of a slice
BLOCKS, CLIENTS = 8, 8


@dataclass(frozen=True)
class Fate:
    """What a lane does at a level; all but *rate* is per 1,000 operations."""

    rate: float  # operations per second, wrong ones among them
    lost: float = 0
    broken: float = 0
    aborts: float = 0
    failed: float = 0
    status: str = "OK"
    reason: str = ""


Way = tuple[str, str | None]  # lane, isolation
Fates = Mapping[Way, Fate]

HOT_ROW: Fates = {
    ("orm", RC): Fate(2_400, lost=640),
    ("orm", RR): Fate(430, aborts=290),
    ("orm", SERIAL): Fate(340, aborts=410),
    ("core", RC): Fate(3_100, lost=655),
    ("core", RR): Fate(560, aborts=280),
    ("core", SERIAL): Fate(450, aborts=400),
    ("core_locked", RC): Fate(820),
    ("core_atomic", RC): Fate(1_900),
}
DISJOINT: Fates = {
    ("orm", RC): Fate(2_600),
    ("orm", RR): Fate(2_590),
    ("orm", SERIAL): Fate(2_200, aborts=12),
}
ON_CALL: Fates = {
    ("orm", RC): Fate(1_500, broken=210),
    ("orm", RR): Fate(1_400, broken=190, aborts=30),
    ("orm", SERIAL): Fate(700, aborts=240),
}


def isolated(
    fates: Fates = HOT_ROW,
    *,
    scenario: str = "hot_row",
    target: str = ASYNCPG,
    others: Sequence[tuple[str, str, Fates]] = (),
    clients: int = CLIENTS,
    reference: str = f"isolation={RC}",
    seed: int = 1,
    noise: float = 0.01,
    blocks: int = BLOCKS,
    axes: Mapping[str, Any] | None = None,
    more_trips: Mapping[Way, int] | None = None,
) -> RunRecord:
    """A run of *fates* in *scenario*, with *others* as (scenario, target, fates).

    Each lane is a star around its first level; then the lanes at the first level are compared
    with the first lane.
    """
    parts = [(scenario, target, fates), *others]
    groups, fate_of = [], {}
    for name, where, those in parts:
        cells = {way: _cell(name, where, way, clients, axes) for way in those}
        fate_of |= {cells[way]: fate for way, fate in those.items()}
        groups += _groups(name, where, cells)
    beside = Cell(scenario="get_by_id", lane="core", target=target)  # of the A/A pair
    return modelled(
        groups,
        _Model(noise, fate_of, seed),
        counts=[_count(cell, more_trips or {}) for cell in (*fate_of, beside)],
        base={"blocks": blocks, "with_empty": False},
        plan="isolation",
        reference=reference,
        command="ormbench run isolation",
        audited=tuple(name for name, _, _ in parts),
    )


def digested(*args, **wishes):
    return digest(isolated(*args, **wishes), "results/local/x")


def _cell(scenario, target, way, clients, axes):
    lane, isolation = way
    own = dict(axes or {}) | {"clients": clients, "placement": "free"}
    return Cell(scenario=scenario, lane=lane, target=target, isolation=isolation, **own)


def _groups(scenario: str, target: str, cells: Mapping[Way, Cell]) -> list[Group]:
    by_lane: dict[str, list[Cell]] = {}
    for (lane, _), cell in cells.items():
        by_lane.setdefault(lane, []).append(cell)
    stars = [("axis", lane, those) for lane, those in by_lane.items() if len(those) > 1]
    firsts = [those[0] for those in by_lane.values()]
    if len(firsts) > 1:
        stars.append(("lane", "lanes", firsts))
    return [star(f"{scenario} {target} {name}", those, kind) for kind, name, those in stars]


def _count(cell, more_trips):
    found, more = count_of(cell), more_trips.get((cell.lane, cell.isolation), 0)
    trips = [replace(one, round_trips=one.round_trips + more) for one in found.operations]
    return replace(found, operations=tuple(trips))


class _Model(Model):
    rounds = 10

    def __init__(self, noise, fate_of, seed):
        ends = {cell.id: (one.status, one.reason) for cell, one in fate_of.items()}
        super().__init__(noise, ends, seed)
        self.fate_of = fate_of

    def slice(self, cell, number, place, log):
        fate = self.fate_of[cell]
        wall = round(OPERATIONS / fate.rate * 1e9 * math.exp(log))
        shares = (fate.failed, fate.aborts, fate.broken, fate.lost)
        told = [_share(number, each) for each in shares]
        return Slice(
            number, place, OPERATIONS, wall, wall * cell.clients, round(wall * 0.6), None, *told
        )

    def told(self, _cell, _block, slices):
        aborted, failed = sum(one.aborted for one in slices), sum(one.failed for one in slices)
        return {
            "aborts": {"serialization failure": aborted} if aborted else {},
            "failures": {"gave up after 50 attempts": failed} if failed else {},
            "unverified": "attempts were made again" if aborted else "",
            "turns": sum(one.operations for one in slices),
            "counters": {"transactions": 1},
        }


def _share(number: int, per_1000: float) -> int:
    """How many of a slice's operations: so that all slices together have their share exactly."""
    upto = [round(per_1000 * OPERATIONS * end / 1_000) for end in (number, number + 1)]
    return upto[1] - upto[0]
