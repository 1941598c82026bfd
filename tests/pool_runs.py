"""Makes run records of pools against clients, from a model of what a pool of some size gives.

An operation holds its connection for `HOLD_NS`; the server does `CAPACITY` of them a second at
most, and each connection that is opened costs it `CONNECT_NS` of that.
"""

import random
from dataclasses import replace
from functools import cache

from fabricate import fabricate

from ormbench import pool as pools
from ormbench.cell import Cell, Contrast, Group, LeftOut
from ormbench.load.histogram import Histogram
from ormbench.report.digest import digest
from ormbench.report.digest_pools import maps
from ormbench.results.folder import RunRecord
from ormbench.results.manifest import LaneText
from ormbench.results.trial import Proof, Slice, Trial

ASYNCPG = "postgresql+asyncpg"
POOLS = (None, "5+0", "5+10", "15+0", "20+0", "64+0", "nullpool")
CLIENTS = (1, 4, 16, 64)
HOLD_NS, CONNECT_NS = 5_000_000, 8_000_000
CAPACITY = 3_600.0  # operations a second: what 18 connections do
OPERATIONS, ROUNDS = 640, 4
SQL = "SELECT pg_sleep(0.005)"
STORY = "Pool pressure: each operation holds its connection for 5 ms."


def opened_per_1000(word, clients):
    """Overflow connections come and go; nullpool's always do."""
    found = pools.parse(word) if word else pools.FITTED
    if found.kind == "nullpool":
        return 1_000
    wanted = clients - (clients if found.size is None else found.size)
    return 41 if found.overflow and wanted > 0 else 0


def rate(word, clients):
    """Operations a second."""
    most = (pools.parse(word) if word else pools.FITTED).most(clients)
    held = min(most, clients) / (HOLD_NS / 1e9)
    server = 1 / CAPACITY + opened_per_1000(word, clients) / 1_000 * CONNECT_NS / 1e9
    return min(held, 1 / server)


def swept(
    words=POOLS,
    clients=CLIENTS,
    *,
    lanes=("core",),
    targets=(ASYNCPG,),
    scenario="pool_pressure",
    blocks=8,
    noise=0.004,
    failing=None,
    faster=None,
    status=None,
    left_out=(),
    compared=True,
    waits=True,
    idle=None,
    **axes,
):
    """A run; each star of at most four pools is around the first of *words*.

    *failing*: cell id -> share of operations without a connection; *faster*: cell id -> factor of
    its rate; *status*: cell id -> how it ended; *idle*: cell id -> what came after the idle close.
    """
    base = fabricate(
        scenarios=("get_by_id",),
        lanes=("core",),
        targets=targets,
        blocks=blocks,
        histograms=False,
        left_out=left_out,
    )
    model = _Model(
        random.Random(7), noise, failing or {}, faster or {}, status or {}, waits, idle or {}
    )
    groups = [
        group
        for target in targets
        for lane in lanes
        for count in clients
        for group in _stars(words, count, scenario, lane, target, axes, compared)
    ]
    kept = [one for one in base.manifest.groups if one.name.startswith(("a/a", "empty"))]
    names = {one.name for one in kept}
    cells = [cell for group in groups for cell in group.cells]
    manifest = replace(
        base.manifest,
        plan="pools",
        title="How large a pool for how many clients?",
        focus=scenario,
        reference=f"pool={words[0]}",
        groups=(*groups, *kept),
        lanes={f"{one.scenario}/{one.lane}": LaneText("a lane", "", "pass") for one in cells},
        next_steps=("ormbench run isolation",),
        scenarios={scenario: STORY},
    )
    return RunRecord(
        base.path,
        manifest,
        tuple(
            replace(
                block,
                trials=(
                    *(trial for group in groups for trial in model.trials(group, block.number)),
                    *(trial for trial in block.trials if trial.group in names),
                ),
                proofs=(
                    *(proof for group in groups for proof in _proofs(group, block.number)),
                    *(proof for proof in block.proofs if proof.group in names),
                ),
            )
            for block in base.blocks
        ),
    )


def _stars(words, clients, scenario, lane, target, axes, compared):
    cells = [
        Cell(
            scenario=scenario,
            lane=lane,
            target=target,
            clients=clients,
            pool=word,
            placement="one-core" if clients == 1 else "free",
            **axes,
        )
        for word in words
    ]
    centre, others = cells[0], cells[1:]
    for start in range(0, max(1, len(others)), 3):
        arms = (centre, *others[start : start + 3])
        contrasts = tuple(Contrast(arm, 0, "axis") for arm in range(1, len(arms)))
        yield Group(f"{centre.id} #{start}", arms, contrasts if compared else ())


class _Model:
    def __init__(self, source, noise, failing, faster, status, waits, idle):
        self.random, self.noise, self.waits, self.idle = source, noise, waits, idle
        self.failing, self.faster, self.status = failing, faster, status

    def trials(self, group, block):
        mood = [self.random.gauss(0, 0.05) for _ in range(ROUNDS)]
        return [self.trial(group, arm, block, mood) for arm in range(len(group.cells))]

    def trial(self, group, arm, block, mood):
        cell = group.cells[arm]
        status, reason = self.status.get(cell.id, ("OK", ""))
        if status != "OK":
            return Trial(group.name, arm, cell.id, block, status, reason)
        shift = self.random.gauss(0, self.noise)
        slices = tuple(self.slice(cell, n, arm, shift + mood[n]) for n in range(ROUNDS))
        failed = sum(one.failed for one in slices)
        return Trial(
            group.name,
            arm,
            cell.id,
            block,
            "OK",
            slices=slices,
            new_connections=round(
                opened_per_1000(cell.pool, cell.clients) * ROUNDS * OPERATIONS / 1_000
            ),
            failures={"pool time-out": failed} if failed else {},
            lag_p99_ns=200_000,
            checkout=_waits(cell.clients, rate(cell.pool, cell.clients)) if self.waits else "",
            idle=self.idle.get(cell.id, {}),
        )

    def slice(self, cell, number, place, log):
        speed = rate(cell.pool, cell.clients) * self.faster.get(cell.id, 1.0)
        wall = OPERATIONS / speed * 2.718281828459045**log * 1e9
        failed = round(OPERATIONS * self.failing.get(cell.id, 0.0))
        wall, service = round(wall), round(wall * cell.clients * 0.999)
        return Slice(number, place, OPERATIONS, wall, service, wall // 5, wall // 4, failed)


@cache
def _waits(clients, rate_of_pool):
    """The histogram of one slice's waits: what of the service time is not the hold."""
    waited = max(20_000.0, clients / rate_of_pool * 1e9 - HOLD_NS)
    histogram = Histogram()
    histogram.record(round(waited * (0.5 + n / 100)) for n in range(100 if clients < 4 else 400))
    return histogram.encode()


def _proofs(group, block):
    for arm, cell in enumerate(group.cells):
        yield Proof(group.name, arm, cell.id, block, 3, state_checked=False, sql=(SQL,), sample="1")


def digested(*args, **wishes):
    return digest(swept(*args, **wishes), "results/local/x")


def maps_of(findings):
    return maps(findings.comparisons, findings.cells, findings.left_out)


def column(findings, clients, number=0):
    (found,) = (one for one in maps_of(findings)[number].columns if one.clients == clients)
    return found


def entry(findings, word, clients, number=0):
    return next(one for one in column(findings, clients, number).entries if one.cell.pool == word)


def cell_id(word, clients, lane="core"):
    """The id of a cell of the usual run."""
    axes = [f"clients={clients}"] if clients > 1 else []
    axes += ["placement=free"] if clients > 1 else []
    axes += [f"pool={word}"] if word else []
    return "/".join(["pool_pressure", lane, ASYNCPG, *axes])


def left(word, clients, reason):
    cell = Cell(
        scenario="pool_pressure",
        lane="core",
        target=ASYNCPG,
        clients=clients,
        pool=word,
        placement="free",
    )
    return LeftOut(cell, reason)


def card(findings):
    return next(one for one in findings.cards if one.question == "WHICH POOL?")
