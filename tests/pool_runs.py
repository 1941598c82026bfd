"""Makes run records of pools against clients, from a model of what a pool of some size gives.

An operation holds its connection for `HOLD_NS`; the server does `CAPACITY` of them a second at
most, and each connection that is opened costs it `CONNECT_NS` of that.
"""

import math
from dataclasses import replace
from functools import cache

from modelled_runs import modelled
from modelled_trials import Model, stars

from ormbench import pool as pools
from ormbench.cell import Cell, LeftOut
from ormbench.load.histogram import Histogram
from ormbench.report.digest import digest
from ormbench.report.digest_pools import maps
from ormbench.results.trial import Slice

ASYNCPG = "postgresql+asyncpg"
POOLS = (None, "5+0", "5+10", "15+0", "20+0", "64+0", "nullpool")
CLIENTS = (1, 4, 16, 64)
HOLD_NS, CONNECT_NS = 5_000_000, 8_000_000
CAPACITY = 3_600.0  # operations a second: what 18 connections do
OPERATIONS = 640
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
    groups = [
        replace(group, contrasts=group.contrasts if compared else ())
        for target in targets
        for lane in lanes
        for count in clients
        for group in _stars(words, count, scenario, lane, target, axes)
    ]
    return modelled(
        groups,
        _Model(noise, status, failing or {}, faster or {}, waits, idle or {}),
        base={"blocks": blocks, "left_out": left_out},
        plan="pools",
        title="How large a pool for how many clients?",
        reference=f"pool={words[0]}",
        next_steps=("ormbench run isolation",),
        scenarios={scenario: STORY},
    )


def _stars(words, clients, scenario, lane, target, axes):
    placement = "one-core" if clients == 1 else "free"
    own = {"clients": clients, "placement": placement, **axes}
    cells = [Cell(scenario=scenario, lane=lane, target=target, pool=word, **own) for word in words]
    return stars(cells[0].id, cells, "axis")


class _Model(Model):
    sql = ("SELECT pg_sleep(0.005)",)

    def __init__(self, noise, status, failing, faster, waits, idle):
        super().__init__(noise, status)
        self.failing, self.faster, self.waits, self.idle = failing, faster, waits, idle

    def slice(self, cell, number, place, log):
        speed = rate(cell.pool, cell.clients) * self.faster.get(cell.id, 1.0)
        wall = OPERATIONS / speed * math.exp(log) * 1e9
        failed = round(OPERATIONS * self.failing.get(cell.id, 0.0))
        wall, service = round(wall), round(wall * cell.clients * 0.999)
        return Slice(number, place, OPERATIONS, wall, service, wall // 5, wall // 4, failed)

    def told(self, cell, _block, slices):
        failed, done = (
            sum(getattr(one, what) for one in slices) for what in ("failed", "operations")
        )
        return {
            "new_connections": round(opened_per_1000(cell.pool, cell.clients) * done / 1_000),
            "failures": {"pool time-out": failed} if failed else {},
            "checkout": _waits(cell.clients, rate(cell.pool, cell.clients)) if self.waits else "",
            "idle": self.idle.get(cell.id, {}),
        }


@cache
def _waits(clients, rate_of_pool):
    """The histogram of one slice's waits: what of the service time is not the hold."""
    waited = max(20_000.0, clients / rate_of_pool * 1e9 - HOLD_NS)
    histogram = Histogram()
    histogram.record(round(waited * (0.5 + n / 100)) for n in range(100 if clients < 4 else 400))
    return histogram.encode()


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
