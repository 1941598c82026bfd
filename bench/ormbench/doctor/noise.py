"""The noise floor: two identical arms, measured like any others, and how far apart they come out.

An ordinary run of one cell against itself, into a folder that is thrown away; judged by the same
statistics and the same rule as any report.
"""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ormbench.cell import Cell
from ormbench.doctor.fact import Fact
from ormbench.loader import shipped
from ormbench.plan.axes import AXES
from ormbench.plan.comparison import Comparison
from ormbench.plan.plan import BLOCKS, Plan, Wish, make
from ormbench.report.digest import digest
from ormbench.report.findings import Findings
from ormbench.report.names import driver_name
from ormbench.report.quantities import percent_text, plain_ratio_text
from ormbench.results.folder import read
from ormbench.run.context import Progress
from ormbench.run.measure import start
from ormbench.run.options import Options
from ormbench.servers.server import PRODUCTS
from ormbench.servers.supply import Supply
from ormbench.targets.target import TARGETS

SCENARIO, LANE = "get_by_id", "core"
ROUNDS = 16
TABLE_ROWS = 10_000
_TIMEOUT = 60.0  # seconds of a slice
_COMMAND = "ormbench doctor"


@dataclass(frozen=True, slots=True)
class Noise:
    """What the pair came out as."""

    cell: Cell
    findings: Findings
    seconds: float


def target(supply: Supply) -> str | None:
    """The first target whose server and driver are here; None where there is none."""
    able = (
        name
        for product in PRODUCTS
        for name, one in TARGETS.items()
        if one.server == product and product in supply.kinds and not supply.lacks(product)
        if one.driver.is_async and not one.missing()
    )
    return next(able, None)


def plan_of(name: str, supply: Supply) -> Plan:
    """One A/A pair on the target *name*, in as few blocks as give an interval."""
    given: Mapping[str, str] = {"scenario": SCENARIO, "lane": LANE, "target": name}
    axes = {axis: [given.get(axis, one.default)] for axis, one in AXES.items()}
    pair = Comparison(axes, aa_pairs=1)
    wish = Wish("doctor", "How far apart are two identical arms?", [pair], SCENARIO, BLOCKS, ROUNDS)
    return make(wish, shipped(), supply)


def measure(name: str, supply: Supply, seed: int, progress: Progress) -> Noise:
    """Measure it, in some ten seconds. Raises OrmbenchError where a server does not start."""
    began = time.monotonic()
    plan, known = plan_of(name, supply), shipped()
    loaded = {cell.scenario: known[cell.scenario] for cell in plan.cells}
    options = Options(seed, TABLE_ROWS, _TIMEOUT, None, _COMMAND, supply)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with tempfile.TemporaryDirectory(prefix="ormbench-doctor-") as folder:
        start(plan, loaded, options, Path(folder), now, progress)
        findings = digest(read(Path(folder)), _COMMAND)
    return Noise(plan.groups[0].cells[0], findings, time.monotonic() - began)


def noise_facts(noise: Noise) -> list[Fact]:
    """How far apart the pair came out, and the smallest difference that can be seen here."""
    trust = noise.findings.trust
    where = f"{SCENARIO}/{LANE} on {driver_name(noise.cell.target)}, {noise.cell.placement}"
    if trust.aa is None:
        return [Fact("noise", f"no A/A of {where}", {}, trust.cause)]
    ratio = trust.aa.ratio
    fatal = next((doubt for doubt in trust.doubts if doubt.fatal), None)
    values = {"ratio": ratio.value, "low": ratio.low, "high": ratio.high, "blocks": ratio.blocks}
    help_ = f"not trustworthy: {trust.cause}; {fatal.remedy}" if fatal else ""
    text = f"A/A {plain_ratio_text(ratio)} in {ratio.blocks} blocks of {where}"
    return [Fact("noise", text, values, help_), sees_fact(trust.sees)]


def sees_fact(sees: float | None) -> Fact:
    """The smallest difference that an equally long run can see here."""
    if sees is None:
        return Fact("sees", "cannot tell: the pair has no interval", {"sees": None})
    text = f"differences from {percent_text(sees)} on; longer runs see smaller ones"
    return Fact("sees", text, {"sees": sees})
