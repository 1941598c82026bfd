"""Makes run records without a database: known effects, seeded noise.

    record = fabricate({"get_by_id/orm": 1.5})   # ORM takes 1.5 times its usual time there
    record = fabricate({"orm": 1.5, "postgresql+psycopg": 1.2}, blocks=12, seed=7)

The keys of *effects* are a lane, a target, ``scenario/lane`` or a cell's id; all that fit a
cell multiply. Groups are stars around core of at most four arms, as the planner makes them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabricate_counts import count_of
from fabricate_manifest import manifest_of
from modelled_trials import Model, core_first, star, stars

from ormbench.cell import Cell, Group, LeftOut
from ormbench.load.histogram import Histogram
from ormbench.results.count import Count
from ormbench.results.folder import Block, RunRecord
from ormbench.results.trial import Slice, Status

SCENARIOS = {"get_by_id": 300, "find_by_specialty": 900, "bulk_create": 2_500, "update_email": 700}
LANES = {
    "raw_held": 0.3,
    "raw": 0.5,
    "raw_pool": 0.7,
    "core": 1.0,
    "orm_columns": 1.05,
    "orm": 1.25,
}
ON_LOOP = {"core_on_loop": 0.95, "orm_on_loop": 1.2}
TARGETS = {
    "postgresql+asyncpg": 1.0,
    "postgresql+psycopg": 1.2,
    "postgresql+psycopg_sync": 1.1,
    "mysql+aiomysql": 1.6,
    "mysql+asyncmy": 1.5,
    "mysql+pymysql": 1.4,
    "mariadb+aiomysql": 1.4,
    "mariadb+asyncmy": 1.3,
    "mariadb+pymysql": 1.2,
}
FIRST, SECOND = POSTGRESQL = tuple(TARGETS)[:2]
EMPTY = Cell(scenario="empty", lane="nothing", target="none")
EMPTY_NS = 200
SLICE_NS = 30_000_000
AA_LABEL = "a/a"


@dataclass(frozen=True)
class Noise:
    """Standard deviations of log time, by the level at which they arise."""

    block: float = 0.012  # of an arm in a block: what restarting a process changes
    round: float = 0.06  # of all arms of a round alike: the machine's mood
    slice: float = 0.03  # of one slice
    operation: float = 0.2  # of one operation, in the histograms


@dataclass(frozen=True)
class Oddities:
    """What goes wrong in a run; each mapping is by cell id."""

    status: Mapping[str, tuple[Status, str]] = field(default_factory=dict)
    stalls: Mapping[str, float] = field(default_factory=dict)  # share of slices that take 5x
    drift: Mapping[str, float] = field(default_factory=dict)  # growth of log time per block
    new_connections: Mapping[str, int] = field(default_factory=dict)  # per trial
    lag_p99_ns: Mapping[str, int] = field(default_factory=dict)
    idle: Mapping[str, float] = field(default_factory=dict)  # share of wall time no client worked
    foreign_load: float | None = 0.01
    aa_shift: float = 0.0  # log ratio between the two arms of an A/A pair
    uncounted: Mapping[str, str] = field(default_factory=dict)  # why; "" where no count is stored
    longest: Mapping[str, int] = field(default_factory=dict)  # more round trips of one operation
    unverified: Mapping[str, str] = field(default_factory=dict)  # why, in the first block's trials
    added_rtt_ns: Mapping[str, int] = field(default_factory=dict)


def fabricate(
    effects: Mapping[str, float] | None = None,
    *,
    blocks: int = 8,
    rounds: int = 10,
    planned: int | None = None,
    seed: int = 1,
    noise: Noise | None = None,
    oddities: Oddities | None = None,
    scenarios: Sequence[str] = tuple(SCENARIOS),
    lanes: Sequence[str] = tuple(LANES),
    targets: Sequence[str] = POSTGRESQL,
    aa_pairs: int = 1,
    with_empty: bool = True,
    histograms: bool = True,
    axes: Mapping[str, Any] | None = None,
    server: Mapping[str, str] | None = None,
    left_out: Sequence[LeftOut] | None = None,
    counted: bool = False,
) -> RunRecord:
    """A run of *blocks* finished blocks; *axes* go to every cell but the empty one.

    Where it is *counted*, cells have counts and trials have server counters. *server* is added
    to the description of each product that *targets* are of.
    """
    groups = _groups(scenarios, lanes, targets, aa_pairs, dict(axes or {}))
    if with_empty:
        groups.append(Group("empty", (EMPTY,)))
    noise, oddities = noise or Noise(), oddities or Oddities()
    maker = _Maker(dict(effects or {}), noise, oddities, rounds, seed, histograms, counted)
    manifest = manifest_of(groups, planned or blocks, rounds, seed, dict(server or {}), left_out)
    made = tuple(maker.block(groups, number) for number in range(blocks))
    return RunRecord(Path("results/local/fabricated"), manifest, made)


def _groups(
    scenarios: Sequence[str],
    lanes: Sequence[str],
    targets: Sequence[str],
    aa_pairs: int,
    axes: dict[str, Any],
) -> list[Group]:
    groups = []
    for scenario in scenarios:
        for target in targets:
            cells = [Cell(scenario=scenario, lane=lane, target=target, **axes) for lane in lanes]
            groups += stars(f"{scenario}/{target}", core_first(cells))
        for product in dict.fromkeys(one.partition("+")[0] for one in targets):
            rivals = [one for one in targets if one.startswith(f"{product}+")]
            if len(rivals) > 1:
                groups += [_duel(scenario, lane, rivals, axes) for lane in lanes]
    if "core" in lanes:
        core = Cell(scenario=scenarios[0], lane="core", target=targets[0], **axes)
        groups += [star(f"{AA_LABEL} {n}", (core, core), "aa") for n in range(aa_pairs)]
    return groups


def _duel(scenario: str, lane: str, targets: Sequence[str], axes: dict[str, Any]) -> Group:
    arms = [Cell(scenario=scenario, lane=lane, target=one, **axes) for one in targets]
    return star(f"{scenario}/{lane}/{targets[0]} drivers", arms, "target")


class _Maker(Model):
    def __init__(self, effects, noise, oddities, rounds, seed, histograms, counted):
        super().__init__(noise.block, oddities.status, seed)
        self.mood, self.rounds = noise.round, rounds
        self.effects, self.noises, self.oddities = effects, noise, oddities
        self.histograms, self.counted = histograms, counted

    def block(self, groups: Sequence[Group], number: int) -> Block:
        trials = [trial for group in groups for trial in self.trials(group, number)]
        proofs = [proof for group in groups for proof in self.proofs(group, number)]
        counts = self.counts(groups) if self.counted and number == 0 else ()
        load = self.oddities.foreign_load
        return Block(number, 10.0, load, tuple(trials), tuple(proofs), tuple(counts))

    def counts(self, groups: Sequence[Group]) -> Iterator[Count]:
        odd = self.oddities
        for cell in dict.fromkeys(cell for group in groups for cell in group.cells):
            if cell.target == "none" or odd.uncounted.get(cell.id) == "":
                continue
            if reason := odd.uncounted.get(cell.id):
                yield Count(cell.id, 0, (), (), reason)
            else:
                yield count_of(cell, longest=odd.longest.get(cell.id, 0))

    def shift(self, group: Group, arm: int, block: int) -> float:
        shift = super().shift(group, arm, block)
        shift += block * self.oddities.drift.get(group.cells[arm].id, 0.0)
        return shift + self.oddities.aa_shift * arm * group.name.startswith(AA_LABEL)

    def told(self, cell: Cell, block: int, slices: Sequence[Slice]) -> dict[str, Any]:
        odd = self.oddities
        return {
            "service": self.histogram(slices),
            "response": self.histogram(slices) if cell.rate else "",
            "new_connections": odd.new_connections.get(cell.id, 0),
            "lag_p99_ns": odd.lag_p99_ns.get(cell.id, 200_000),
            "added_rtt_ns": odd.added_rtt_ns.get(cell.id),
            **self.ledger(cell, block, sum(one.operations for one in slices)),
        }

    def ledger(self, cell: Cell, block: int, turns: int) -> dict[str, Any]:
        if not self.counted or cell.target == "none":
            return {}
        reason = self.oddities.unverified.get(cell.id, "") if block == 0 else ""
        if cell.id in self.oddities.uncounted:
            reason = "there is no count pass to compare with"
        return {"turns": turns, "counters": {"transactions": turns}, "unverified": reason}

    def slice(self, cell: Cell, number: int, place: int, log: float) -> Slice:
        usual = self.mean_ns(cell)
        operations = max(1, min(round(SLICE_NS / usual), 100))
        log += self.gauss(self.noises.slice)
        if self.random.random() < self.oddities.stalls.get(cell.id, 0.0):
            log += 1.6
        service = round(usual * math.exp(log) * operations)
        wall = round(service / cell.clients / (1 - self.oddities.idle.get(cell.id, 0.0)) * 1.001)
        server = None if cell.target == "none" else round(wall * 0.25)
        return Slice(number, place, operations, wall, service, round(wall * 0.7), server)

    def mean_ns(self, cell: Cell) -> float:
        if cell.target == "none":
            return float(EMPTY_NS)
        lanes = LANES | ON_LOOP
        usual = 1_000 * SCENARIOS[cell.scenario] * lanes[cell.lane] * TARGETS[cell.target]
        for key in (cell.lane, cell.target, f"{cell.scenario}/{cell.lane}", cell.id):
            usual *= self.effects.get(key, 1.0)
        return usual

    def histogram(self, slices: Sequence[Slice]) -> str:
        if not self.histograms:
            return ""
        histogram = Histogram()
        for one in slices:
            mean = one.service_ns / one.operations
            times = (mean * (1 + self.gauss(self.noises.operation)) for _ in range(one.operations))
            histogram.record(round(time) for time in times)
        return histogram.encode()
