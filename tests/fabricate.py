"""Makes run records without a database: known effects, seeded noise.

    record = fabricate({"get_by_id/orm": 1.5})   # ORM takes 1.5 times its usual time there
    record = fabricate({"orm": 1.5, "postgresql+psycopg": 1.2}, blocks=12, seed=7)

The keys of *effects* are a lane, a target, ``scenario/lane`` or a cell's id; all that fit a
cell multiply. Groups are stars around core of at most four arms, as the planner makes them.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fabricate_counts import count_of

from ormbench.cell import Cell, Contrast, Group, LeftOut
from ormbench.load.histogram import Histogram
from ormbench.results.count import Count
from ormbench.results.folder import Block, RunRecord
from ormbench.results.manifest import Environment, LaneText, Manifest
from ormbench.results.trial import Proof, Slice, Status, Trial

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
PRODUCTS = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}
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
    maker = _Maker(
        random.Random(seed),
        dict(effects or {}),
        noise or Noise(),
        oddities or Oddities(),
        rounds,
        histograms,
        counted,
    )
    manifest = _manifest(groups, planned or blocks, rounds, seed, dict(server or {}), left_out)
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
            groups += _stars(f"{scenario}/{target}", cells)
        for product in dict.fromkeys(one.partition("+")[0] for one in targets):
            rivals = [one for one in targets if one.startswith(f"{product}+")]
            if len(rivals) > 1:
                groups += [_duel(scenario, lane, rivals, axes) for lane in lanes]
    if "core" in lanes:
        core = Cell(scenario=scenarios[0], lane="core", target=targets[0], **axes)
        pair = (Contrast(1, 0, "aa"),)
        groups += [Group(f"{AA_LABEL} {n}", (core, core), pair) for n in range(aa_pairs)]
    return groups


def _stars(name: str, cells: list[Cell]) -> list[Group]:
    """Groups of four: the centre, which is core or else the first lane, and three others."""
    centre = next((cell for cell in cells if cell.lane == "core"), cells[0])
    others = [cell for cell in cells if cell is not centre]
    stars = []
    for start in range(0, max(len(others), 1), 3):
        arms = (centre, *others[start : start + 3])
        contrasts = tuple(Contrast(arm, 0, "lane") for arm in range(1, len(arms)))
        stars.append(Group(f"{name} {start // 3}", arms, contrasts))
    return stars


def _duel(scenario: str, lane: str, targets: Sequence[str], axes: dict[str, Any]) -> Group:
    arms = tuple(Cell(scenario=scenario, lane=lane, target=one, **axes) for one in targets)
    contrasts = tuple(Contrast(arm, 0, "target") for arm in range(1, len(arms)))
    return Group(f"{scenario}/{lane}/{targets[0]} drivers", arms, contrasts)


@dataclass
class _Maker:
    random: random.Random
    effects: dict[str, float]
    noise: Noise
    oddities: Oddities
    rounds: int
    histograms: bool
    counted: bool

    def block(self, groups: Sequence[Group], number: int) -> Block:
        trials = [trial for group in groups for trial in self.trials(group, number)]
        proofs = [
            _proof(group.name, arm, cell, number)
            for group in groups
            for arm, cell in enumerate(group.cells)
            if cell.target != "none"
        ]
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

    def trials(self, group: Group, block: int) -> list[Trial]:
        mood = [self.gauss(self.noise.round) for _ in range(self.rounds)]
        return [self.trial(group, arm, block, mood) for arm in range(len(group.cells))]

    def trial(self, group: Group, arm: int, block: int, mood: list[float]) -> Trial:
        cell, odd = group.cells[arm], self.oddities
        status, reason = odd.status.get(cell.id, ("OK", ""))
        if status != "OK":
            return Trial(group.name, arm, cell.id, block, status, reason)
        shift = self.gauss(self.noise.block) + block * odd.drift.get(cell.id, 0.0)
        shift += odd.aa_shift * arm * group.name.startswith(AA_LABEL)
        slices = tuple(self.slice(cell, n, arm, shift + mood[n]) for n in range(self.rounds))
        return Trial(
            group.name,
            arm,
            cell.id,
            block,
            "OK",
            slices=slices,
            service=self.histogram(slices),
            response=self.histogram(slices) if cell.rate else "",
            new_connections=odd.new_connections.get(cell.id, 0),
            lag_p99_ns=odd.lag_p99_ns.get(cell.id, 200_000),
            added_rtt_ns=odd.added_rtt_ns.get(cell.id),
            **self.ledger(cell, block, sum(one.operations for one in slices)),
        )

    def ledger(self, cell: Cell, block: int, turns: int) -> dict[str, Any]:
        if not self.counted or cell.target == "none":
            return {}
        reason = self.oddities.unverified.get(cell.id, "") if block == 0 else ""
        if cell.id in self.oddities.uncounted:
            reason = "there is no count pass to compare with"
        return {"turns": turns, "counters": {"transactions": turns}, "unverified": reason}

    def slice(self, cell: Cell, number: int, place: int, shift: float) -> Slice:
        usual = self.mean_ns(cell)
        operations = max(1, min(round(SLICE_NS / usual), 100))
        log = shift + self.gauss(self.noise.slice)
        if self.random.random() < self.oddities.stalls.get(cell.id, 0.0):
            log += 1.6
        each = usual * 2.718281828459045**log
        service = round(each * operations)
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
            times = (mean * (1 + self.gauss(self.noise.operation)) for _ in range(one.operations))
            histogram.record(round(time) for time in times)
        return histogram.encode()

    def gauss(self, sigma: float) -> float:
        return self.random.gauss(0.0, sigma)


def _proof(group: str, arm: int, cell: Cell, block: int) -> Proof:
    sql = ("SELECT developers.id, developers.name FROM developers WHERE developers.id = $1",)
    writes = cell.scenario in ("bulk_create", "update_email")
    return Proof(group, arm, cell.id, block, 3, writes, sql, "(1, 'ada')")


_COPY = LeftOut(
    Cell(scenario="bulk_create", lane="copy", target=SECOND), "psycopg's COPY takes no binary dates"
)


def _manifest(
    groups: Sequence[Group],
    blocks: int,
    rounds: int,
    seed: int,
    server: dict[str, str],
    left_out: Sequence[LeftOut] | None,
) -> Manifest:
    cells = [cell for group in groups for cell in group.cells]
    return Manifest(
        name="2026-11-22-1410-quick",
        started="2026-11-22T14:10:00+00:00",
        plan="quick",
        title="What does the ORM cost over Core, and Core over the driver?",
        focus=cells[0].scenario,
        reference="lane=core",
        blocks=blocks,
        rounds=rounds,
        seed=seed,
        table_rows=10_000,
        command=f"ormbench run quick --seed {seed}",
        groups=tuple(groups),
        left_out=(_COPY,) if left_out is None else tuple(left_out),
        lanes={f"{cell.scenario}/{cell.lane}": _lane(cell) for cell in cells},
        environment=_environment(server, [cell.target for cell in cells]),
        next_steps=("ormbench run aa",),
        scenarios={cell.scenario: f"What {cell.scenario} is in an application." for cell in cells},
    )


def _lane(cell: Cell) -> LaneText:
    docs = "https://docs.sqlalchemy.org/en/20/orm/queryguide/select.html"
    source = f"async def {cell.lane}(session, key):\n    return await session.get(Developer, key)\n"
    return LaneText(f"{cell.lane}, as the documentation advises", docs, source)


_KINDS = {"PostgreSQL": "embedded", "MySQL": "docker", "MariaDB": "docker"}
_SETTINGS = {
    "PostgreSQL": {"max_connections": "400", "synchronous_commit": "off"},
    "MySQL": {"innodb_flush_log_at_trx_commit": "0", "max_connections": "400"},
    "MariaDB": {"innodb_flush_log_at_trx_commit": "0", "max_connections": "400"},
}


def _described(product: str, added: dict[str, str]) -> dict[str, str]:
    kind = {"kind": _KINDS[product], "durability": "relaxed", "transport": "unix socket"}
    image = {"image": "a stand-in for mysql:9"} if product == "MySQL" else {}
    return {**kind, **image, **added}


def _environment(server: dict[str, str], targets: Sequence[str]) -> Environment:
    families = dict.fromkeys(one.partition("+")[0] for one in targets)
    products = [PRODUCTS[one] for one in families if one in PRODUCTS]
    return Environment(
        versions={
            "Python": "3.13.1",
            "SQLAlchemy": "2.1.9",
            "asyncpg": "0.32.0",
            "psycopg": "3.3.1",
            "aiomysql": "0.3.2",
            "asyncmy": "0.2.18",
            "pymysql": "1.2.0",
            "PostgreSQL": "18.4",
            "MySQL": "9.7.4",
            "MariaDB": "11.8.9",
        },
        host={"cores": "2", "cpu": "a processor", "kernel": "6.1", "memory": "8 GiB"},
        servers={product: _described(product, server) for product in products},
        server_settings={product: _SETTINGS[product] for product in products},
        commit="3f2a1c9",
    )
