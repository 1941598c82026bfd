"""Makes run records of strategies against rows an operation, from a model of what each costs.

An operation takes `FIXED` of its lane and `PER_ROW` more for each row, in ns.
"""

import math
from dataclasses import replace

from fabricate import Noise
from fabricate_counts import count_of
from modelled_runs import modelled
from modelled_trials import Model, core_first, stars

from ormbench.cell import Cell, LeftOut
from ormbench.report.digest import digest
from ormbench.report.digest_batches import grids
from ormbench.results.manifest import LaneText
from ormbench.results.trial import Slice

ASYNCPG, PSYCOPG, AIOMYSQL = "postgresql+asyncpg", "postgresql+psycopg", "mysql+aiomysql"
BATCHES = (1, 10, 100, 1_000)
FIXED = {"core": 300_000, "add_all": 400_000, "orm_insert": 345_000, "copy": 900_000}
PER_ROW = {"core": 10_000, "add_all": 45_000, "orm_insert": 11_500, "copy": 4_000}
LANES = tuple(FIXED)
STORY = "Inserts: rows that came with one request."


def nanoseconds(lane, batch):
    """Of one operation; core and copy take the same with 100 rows."""
    return FIXED.get(lane, 300_000) + batch * PER_ROW.get(lane, 20_000)


def swept(
    lanes=LANES,
    batches=BATCHES,
    *,
    targets=(ASYNCPG,),
    scenario="insert_rows",
    blocks=8,
    noise=0.003,
    slower=None,
    status=None,
    wrong=(),
    failing=None,
    trips=None,
    left_out=(),
    compared=True,
    counted=True,
    sources=None,
    **axes,
):
    """A run; each star of at most four lanes is around core, or the first lane that there is.

    *slower*: cell id -> factor of its time; *status*: cell id -> how it ended; *wrong*: ids of
    cells that lose updates; *failing*: cell id -> share without a result; *trips*: cell id ->
    round trips of an operation; *sources*: lane -> its source.
    """
    groups = [
        replace(group, contrasts=group.contrasts if compared else ())
        for target in targets
        for batch in batches
        for group in _stars(lanes, batch, scenario, target, axes)
    ]
    cells = dict.fromkeys(cell for group in groups for cell in group.cells)
    timed = [cell for cell in cells if cell.id not in (status or {})]
    texts = {} if sources is None else {"lanes": _texts(lanes, scenario, sources)}
    return modelled(
        groups,
        _Model(noise, status, slower or {}, wrong, failing or {}),
        counts=[_count(cell, trips or {}) for cell in timed if counted],
        base={"blocks": blocks, "left_out": left_out, "noise": Noise(block=0.004)},
        plan="inserts",
        title="From how many rows on which insert?",
        reference="lane=core",
        next_steps=("ormbench run updates",),
        scenarios={scenario: STORY},
        **texts,
    )


def _texts(lanes, scenario, sources):
    known = {f"{scenario}/{lane}": LaneText("", "", sources.get(lane, "pass")) for lane in lanes}
    return {**known, "empty/nothing": LaneText("", "", "async def nothing() -> None: ...")}


def _stars(lanes, batch, scenario, target, axes):
    cells = core_first(
        [Cell(scenario=scenario, lane=lane, target=target, batch=batch, **axes) for lane in lanes]
    )
    return stars(cells[0].id, cells)


class _Model(Model):
    sql = ()

    def __init__(self, noise, status, slower, wrong, failing):
        super().__init__(noise, status)
        self.slower, self.wrong, self.failing = slower, wrong, failing

    def slice(self, cell, number, place, log):
        usual = nanoseconds(cell.lane, cell.batch) * self.slower.get(cell.id, 1.0)
        operations = max(5, min(100, round(30_000_000 / usual)))
        service = round(operations * usual * math.exp(log))
        wall = service // cell.clients
        failed = round(operations * self.failing.get(cell.id, 0.0))
        lost = 1 if cell.id in self.wrong else 0
        return Slice(
            number, place, operations, wall, service, wall // 5, wall // 4, failed, lost=lost
        )


def _count(cell, trips):
    usual = count_of(cell)
    wanted = trips.get(cell.id)
    if wanted is None:
        return usual
    operations = tuple(replace(one, round_trips=wanted) for one in usual.operations)
    return replace(usual, operations=operations)


def digested(*args, **wishes):
    return digest(swept(*args, **wishes), "results/local/x")


def grids_of(findings):
    return grids(findings.comparisons, findings.cells, findings.left_out)


def cell_id(lane, batch, target=ASYNCPG, scenario="insert_rows"):
    return f"{scenario}/{lane}/{target}/batch={batch}"


def point(findings, lane, batch, number=0):
    points = grids_of(findings)[number].points
    return next(one for one in points if (one.cell.lane, one.batch) == (lane, batch))


def left(lane, batch, reason, target=ASYNCPG):
    return LeftOut(Cell(scenario="insert_rows", lane=lane, target=target, batch=batch), reason)
