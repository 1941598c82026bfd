"""A hand-made Findings of 25 cells for the tests of the renderers; every number is invented."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from fabricate_counts import count_of

from ormbench.cell import Cell, LeftOut
from ormbench.report.findings import (
    AACount,
    Card,
    CellFinding,
    Comparison,
    Doubt,
    Estimate,
    Findings,
    Ladder,
    Rung,
    Trust,
    Verdict,
)

US = 1_000.0
ASYNCPG, PSYCOPG = "postgresql+asyncpg", "postgresql+psycopg"
LITERALS = {
    *("status", "verdict", "kind", "direction", "bound", "unit"),
    *("transaction", "placement", "arrivals", "side"),
}

LANES = {
    "raw_held": (203, "the driver with one connection held: the floor"),
    "raw": (301, "the driver's own pool, without its reset query"),
    "raw_pool": (352, "the driver's pool as shipped"),
    "core": (412, "select() over two columns: a Row, no entity"),
    "orm_columns": (431, "select() over two columns through a Session"),
    "orm": (455, "Session.get(): an entity through the identity map"),
}
SCENARIOS = {"get_by_id": 1.0, "find_by_specialty": 2.7, "bulk_create": 31.0}
SOURCE = '''@scenario.lane
async def orm(session, key):
    """Session.get(): an entity through the identity map"""
    developer = await session.get(Developer, key)
    return developer.id, developer.name
'''


def estimate(value: float, share: float, unit: str = "ns/op", blocks: int = 8) -> Estimate:
    direction = "higher is better" if unit == "op/s" else "lower is better"
    return Estimate(value, value * (1 - share), value * (1 + share), blocks, unit, direction)


def sample() -> Findings:
    """A usable run with 25 cells, two of them without a number."""
    cells = (*_measured(), *_without_numbers())
    return Findings(
        run="2026-11-22-1410-quick",
        path="results/local/2026-11-22-1410-quick",
        plan="quick",
        started="2026-11-22T14:10:03+00:00",
        seconds=96.4,
        blocks=8,
        headline="One row by key: the transaction costs six times what the ORM costs",
        answer=(
            (
                "ORM takes 1.10x as long as Core: +43 µs [38, 49] per operation, "
                "0.9 % of one core at 200 operations/s."
            ),
            "The transaction around it costs 258 µs, six times the ORM.",
        ),
        reference="lane=core",
        focus="get_by_id",
        focus_target=ASYNCPG,
        trust=_trust(),
        ladders=(_ladder(ASYNCPG, 1.0), _ladder(PSYCOPG, 1.24)),
        comparisons=_comparisons(),
        cells=cells,
        cards=_cards(),
        left_out=(
            LeftOut(
                Cell(scenario="bulk_create", lane="copy", target="mysql+aiomysql"),
                "aiomysql has no COPY: use LOAD DATA",
            ),
        ),
        aa_count=None,
        scope="loopback, one machine, client and server share one core",
        does_not_say=(
            "anything about your queries",
            "your network: loopback only",
            "more than one client",
            "fsync: durability is relaxed",
        ),
        reproduce="ormbench run quick --seed 7 --budget 3m",
        next_steps=("ormbench run pools", "ormbench run --url env:DATABASE_URL"),
        environment=(
            ("Python", "3.13.1"),
            ("SQLAlchemy", "2.1.9"),
            ("asyncpg", "0.32.0"),
            ("psycopg", "3.3.2"),
            ("PostgreSQL", "18.4"),
            ("cores", "2"),
            ("cpu", "Example CPU at 3.1 GHz"),
        ),
        server_settings=(("fsync", "off"), ("shared_buffers", "128MB")),
        servers=(("PostgreSQL", "18.4 embedded"),),
        focus_driver="asyncpg 0.32.0",
    )


def unusable() -> Findings:
    """The same run, had its A/A pair come out different."""
    good = sample()
    fatal = Doubt(
        "canary",
        "run",
        "two identical lanes differ: A/A 1.06 [1.02, 1.10]",
        "another process used 71 % of the measured core",
        "run again on a quiet machine; ormbench doctor names the process",
        fatal=True,
    )
    trust = dataclasses.replace(
        good.trust,
        usable=False,
        cause="two identical lanes came out different: A/A 1.06 [1.02, 1.10]",
        doubts=(fatal, *good.trust.doubts),
    )
    return dataclasses.replace(good, trust=trust, answer=())


def many_aa() -> Findings:
    """A run that made many A/A comparisons."""
    return dataclasses.replace(sample(), aa_count=AACount(comparisons=100, different=1))


def one_block() -> Findings:
    """A run that was killed after its first block: not one interval is finite."""

    def open_ended(value: Any) -> Any:
        if isinstance(value, Estimate):
            return dataclasses.replace(value, low=-math.inf, high=math.inf, blocks=1)
        return value

    return _walk(sample(), open_ended)


def nearly_empty() -> Findings:
    """A run of which nothing could be measured."""
    good = sample()
    trust = Trust(
        usable=False,
        cause="no cell was measured",
        correct=0,
        checked=0,
        aa=None,
        sees=None,
        harness=None,
    )
    return dataclasses.replace(
        good, trust=trust, answer=(), ladders=(), comparisons=(), cells=(), cards=(), left_out=()
    )


def with_strings(findings: Findings, change: Callable[[str], str]) -> Findings:
    """*findings* with *change* applied to each string that is not one of a closed set."""
    return _walk(findings, lambda value: change(value) if isinstance(value, str) else value)


def _walk(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, tuple):
        return tuple(_walk(one, change) for one in value)
    if isinstance(value, dict):
        return {_walk(key, change): _walk(one, change) for key, one in value.items()}
    value = change(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value,
            **{
                field.name: _walk(getattr(value, field.name), change)
                for field in dataclasses.fields(value)
                if field.name not in LITERALS
            },
        )
    return value


def _cell(scenario: str, lane: str, target: str = ASYNCPG) -> Cell:
    return Cell(scenario=scenario, lane=lane, target=target)


def _mean(scenario: str, lane: str, target: str) -> float:
    slower = 1.24 if target == PSYCOPG else 1.0
    own = LANES[lane][0] * US * SCENARIOS[scenario] * slower
    return own * (4.6 if (scenario, lane) == ("bulk_create", "orm") else 1.0)


def _measured() -> tuple[CellFinding, ...]:
    names = [("get_by_id", lane, target) for target in (ASYNCPG, PSYCOPG) for lane in LANES]
    names += [
        (scenario, lane, ASYNCPG) for scenario in ("find_by_specialty", "bulk_create")
        for lane in LANES
    ]  # fmt: skip
    return tuple(_finding(*name) for name in names if name != ("bulk_create", "raw_pool", ASYNCPG))


def _finding(scenario: str, lane: str, target: str) -> CellFinding:
    mean = _mean(scenario, lane, target)
    return CellFinding(
        cell=_cell(scenario, lane, target),
        status="OK",
        reason="",
        label=LANES[lane][1],
        docs="https://docs.sqlalchemy.org/en/21/orm/session_api.html",
        source=SOURCE,
        sql=(
            (
                "SELECT developers.id, developers.name FROM developers "
                "WHERE developers.id = $1::INTEGER"
            ),
        ),
        sample="(4711, 'dev000004711')",
        operations=9_800,
        service=estimate(mean, 0.017),
        throughput=estimate(1e9 / (mean + 9 * US), 0.018, "op/s"),
        client_cpu=estimate(mean * 0.4, 0.02, "cpu ns/op"),
        percentiles=((50.0, int(mean * 0.97)), (90.0, int(mean * 1.1)), (99.0, int(mean * 1.9))),
        new_per_1000=0.0,
        bound="client-bound",
        block_means=tuple(mean * (1 + 0.02 * math.sin(2.1 * block)) for block in range(8)),
        count=count_of(_cell(scenario, lane, target)),
        agreed=8,
        compared=8,
        counters=(("transactions", 9_800),),
        turns=9_800,
    )


def _without_numbers() -> tuple[CellFinding, ...]:
    wrong = dataclasses.replace(
        _finding("bulk_create", "raw_pool", ASYNCPG),
        status="INCORRECT",
        reason="turn 3: the lane gave 99 rows, the reference has 100",
        operations=0,
        service=None,
        throughput=None,
        client_cpu=None,
        percentiles=(),
        block_means=(),
        agreed=0,
        compared=0,
        counters=(),
        turns=0,
    )
    absent = dataclasses.replace(
        wrong,
        cell=_cell("bulk_create", "orm_columns", PSYCOPG),
        status="UNSUPPORTED",
        reason="psycopg's pipeline mode needs libpq 14, here is 13",
        count=None,
    )
    return (wrong, absent)


def _verdict(ratio: Estimate) -> Verdict:
    if ratio.low > 1:
        return "slower"
    if ratio.high < 1:
        return "faster"
    return "same" if ratio.low > 0.97 and ratio.high < 1.03 else "cannot tell"


def comparison(
    kind: Any, candidate: Cell, reference: Cell, ratio: Estimate, mean: float
) -> Comparison:
    return Comparison(
        group=f"{reference.scenario}: {kind}",
        kind=kind,
        candidate=candidate,
        reference=reference,
        verdict=_verdict(ratio),
        ratio=ratio,
        total_ratio=ratio,
        difference=Estimate(
            (ratio.value - 1) * mean,
            (ratio.low - 1) * mean,
            (ratio.high - 1) * mean,
            8,
            "ns/op",
            "lower is better",
        ),
        cpu_difference=estimate(45 * US, 0.1, "cpu ns/op"),
        stalls=(3, 1),
        blocks=tuple(range(8)),
        block_ratios=(ratio.low, *(ratio.value,) * 6, ratio.high),  # whose interval is the same
    )


def _comparisons() -> tuple[Comparison, ...]:
    found = []
    for one in _measured():
        cell = one.cell
        if cell.lane != "core":
            base = _mean(cell.scenario, "core", cell.target)
            share = 0.06 if cell.lane == "orm_columns" and cell.scenario != "get_by_id" else 0.02
            ratio = estimate(_mean(cell.scenario, cell.lane, cell.target) / base, share, "ratio")
            found.append(
                comparison("lane", cell, _cell(cell.scenario, "core", cell.target), ratio, base)
            )
    for lane in LANES:
        pair = _cell("get_by_id", lane, PSYCOPG), _cell("get_by_id", lane)
        ratio = estimate(1.24, 0.03, "ratio")
        found.append(comparison("target", *pair, ratio, _mean("get_by_id", lane, ASYNCPG)))
    return (*found, _aa())


def _aa() -> Comparison:
    core = _cell("get_by_id", "core")
    return comparison("aa", core, core, estimate(0.998, 0.013, "ratio"), 412 * US)


def _trust() -> Trust:
    return Trust(
        usable=True,
        cause="",
        correct=23,
        checked=24,
        agreed=23,
        compared=23,
        aa=_aa(),
        sees=0.02,
        harness=estimate(200.0, 0.05),
        doubts=(
            Doubt(
                "drift",
                "get_by_id/orm/postgresql+asyncpg",
                "block 8 is 3 % slower than block 1",
                "the machine grew warm, or another program started",
                "run again with more blocks: --blocks 16",
            ),
        ),
    )


def _ladder(target: str, slower: float) -> Ladder:
    steps = (
        ("bare driver, connection held", "raw_held", 203.0, 4.0, True),
        ("+ the driver's pool", "raw", 98.0, 6.0, True),
        ("+ Core", "core", 111.0, 7.0, True),
        ("+ Session", "orm_columns", 19.0, 22.0, False),
        ("+ entity", "orm", 24.0, 8.0, True),
    )
    rungs, reaches = [], 0.0
    for label, lane, value, half, decided in steps:
        reaches += value * slower
        adds = Estimate(
            value * slower * US,
            (value - half) * slower * US,
            (value + half) * slower * US,
            8,
            "ns/op",
            "lower is better",
        )
        rungs.append(Rung(label, _cell("get_by_id", lane, target), adds, reaches * US, decided))
    return Ladder("get_by_id", target, tuple(rungs))


def _cards() -> tuple[Card, ...]:
    return (
        Card(
            "ORM OR CORE?",
            "ORM costs 10 % here",
            "1.10x [1.08, 1.13]; 0.9 % of one core at 200 operations/s",
            measured=True,
        ),
        Card("WHICH DRIVER?", "asyncpg, by 24 %", "1.24x [1.20, 1.28], 6/6 lanes", measured=True),
        Card("WHICH POOL?", "not measured: ormbench run pools", "", measured=False),
        Card("SAFE TO UPGRADE?", "not measured: ormbench run versions", "", measured=False),
    )
