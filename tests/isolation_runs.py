"""Makes run records of contended scenarios at several isolation levels: known losses, seeded noise.

    record = isolated()                                     # hot_row, as PostgreSQL would have it
    record = isolated({("orm", "serializable"): Fate(400, aborts=310)}, scenario="transfer")

A fate says how many operations a second a lane gives at a level, and what becomes of them. An A/A
pair of a scenario that contends for nothing goes with every run.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fabricate import fabricate
from fabricate_counts import count_of

from ormbench.cell import Cell, Contrast, Group
from ormbench.report.digest import digest
from ormbench.results.folder import RunRecord
from ormbench.results.trial import Slice, Trial

ASYNCPG, AIOMYSQL, MARIADB = "postgresql+asyncpg", "mysql+aiomysql", "mariadb+aiomysql"
RC, RR, SERIAL = "read-committed", "repeatable-read", "serializable"
OPERATIONS = 160  # of a slice
ROUNDS, BLOCKS, CLIENTS = 10, 8, 8


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
    base = fabricate(
        scenarios=("get_by_id",),
        lanes=("core",),
        targets=tuple(dict.fromkeys(one for _, one, _ in parts)),
        with_empty=False,
        histograms=False,
        blocks=blocks,
        left_out=(),
    )
    base_groups = tuple(one for one in base.manifest.groups if one.name.startswith("a/a"))
    maker, groups, fate_of = random.Random(seed), [], {}
    for name, where, those in parts:
        cells = {way: _cell(name, where, way, clients, axes) for way in those}
        fate_of |= {cells[way]: fate for way, fate in those.items()}
        groups += _groups(name, where, cells)
    manifest = replace(
        base.manifest,
        plan="isolation",
        focus=scenario,
        reference=reference,
        groups=(*groups, *base_groups),
        command="ormbench run isolation",
        audited=tuple(name for name, _, _ in parts),
    )
    return RunRecord(
        base.path,
        manifest,
        tuple(
            _block(one, groups, base_groups, fate_of, maker, noise, more_trips or {})
            for one in base.blocks
        ),
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
    return [
        Group(
            f"{scenario} {target} {name}",
            tuple(those),
            tuple(Contrast(arm, 0, kind) for arm in range(1, len(those))),
        )
        for kind, name, those in stars
    ]


def _block(block, groups, base_groups, fate_of, maker, noise, more_trips):
    trials = [one for one in block.trials if one.group.startswith("a/a")]
    proofs = [one for one in block.proofs if one.group.startswith("a/a")]
    for group in groups:
        mood = [maker.gauss(0, 0.05) for _ in range(ROUNDS)]
        trials += [
            _trial(group, arm, cell, block.number, fate_of[cell], mood, maker, noise)
            for arm, cell in enumerate(group.cells)
        ]
        like = block.proofs[0]
        proofs += [
            replace(like, group=group.name, arm=arm, cell=cell.id)
            for arm, cell in enumerate(group.cells)
        ]
    every = dict.fromkeys([*fate_of, *(one.cells[0] for one in base_groups)])
    counts = tuple(_count(cell, more_trips) for cell in every) if block.number == 0 else ()
    return replace(block, trials=tuple(trials), proofs=tuple(proofs), counts=counts)


def _count(cell, more_trips):
    found, more = count_of(cell), more_trips.get((cell.lane, cell.isolation), 0)
    trips = [replace(one, round_trips=one.round_trips + more) for one in found.operations]
    return replace(found, operations=tuple(trips))


def _trial(group, arm, cell, block, fate, mood, maker, noise):
    if fate.status != "OK":
        return Trial(group.name, arm, cell.id, block, fate.status, fate.reason)
    shift = maker.gauss(0, noise)
    slices = tuple(
        _slice(number, arm, cell, fate, 2.718281828 ** (shift + mood[number]))
        for number in range(ROUNDS)
    )
    aborted, failed = sum(one.aborted for one in slices), sum(one.failed for one in slices)
    return Trial(
        group.name,
        arm,
        cell.id,
        block,
        "OK",
        slices=slices,
        lag_p99_ns=200_000,
        aborts={"serialization failure": aborted} if aborted else {},
        failures={"gave up after 50 attempts": failed} if failed else {},
        unverified="attempts were made again" if aborted else "",
        turns=sum(one.operations for one in slices),
        counters={"transactions": 1},
    )


def _slice(number, place, cell, fate, slower):
    wall = round(OPERATIONS / fate.rate * 1e9 * slower)
    shares = (fate.failed, fate.aborts, fate.broken, fate.lost)
    told = [_share(number, each) for each in shares]
    return Slice(
        number, place, OPERATIONS, wall, wall * cell.clients, round(wall * 0.6), None, *told
    )


def _share(number: int, per_1000: float) -> int:
    """How many of a slice's operations: so that all slices together have their share exactly."""
    upto = [round(per_1000 * OPERATIONS * end / 1_000) for end in (number, number + 1)]
    return upto[1] - upto[0]
