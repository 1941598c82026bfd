"""Makes run records of strategies against rows an operation, from a model of what each costs.

An operation takes `FIXED` of its lane and `PER_ROW` more for each row, in ns.
"""

import random
from dataclasses import replace

from fabricate import Noise, fabricate
from fabricate_counts import count_of

from ormbench.cell import Cell, Contrast, Group, LeftOut
from ormbench.report.digest import digest
from ormbench.report.digest_batches import grids
from ormbench.results.folder import RunRecord
from ormbench.results.manifest import LaneText
from ormbench.results.trial import Proof, Slice, Trial

ASYNCPG, PSYCOPG, AIOMYSQL = "postgresql+asyncpg", "postgresql+psycopg", "mysql+aiomysql"
BATCHES = (1, 10, 100, 1_000)
FIXED = {"core": 300_000, "add_all": 400_000, "orm_insert": 345_000, "copy": 900_000}
PER_ROW = {"core": 10_000, "add_all": 45_000, "orm_insert": 11_500, "copy": 4_000}
LANES = tuple(FIXED)
STORY = "Inserts: rows that came with one request."
ROUNDS = 4


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
    **axes,
):
    """A run; each star of at most four lanes is around core, or the first lane that there is.

    *slower*: cell id -> factor of its time; *status*: cell id -> how it ended; *wrong*: ids of
    cells that lose updates; *failing*: cell id -> share without a result; *trips*: cell id ->
    round trips of an operation.
    """
    base = fabricate(
        scenarios=("get_by_id",),
        lanes=("core",),
        targets=targets,
        blocks=blocks,
        histograms=False,
        left_out=left_out,
        noise=Noise(block=0.004),
    )
    model = _Model(random.Random(7), noise, slower or {}, status or {}, wrong, failing or {})
    groups = [
        group
        for target in targets
        for batch in batches
        for group in _stars(lanes, batch, scenario, target, axes, compared)
    ]
    kept = [one for one in base.manifest.groups if one.name.startswith(("a/a", "empty"))]
    names = {one.name for one in kept}
    cells = list(dict.fromkeys(cell for group in groups for cell in group.cells))
    manifest = replace(
        base.manifest,
        plan="inserts",
        title="From how many rows on which insert?",
        focus=scenario,
        reference="lane=core",
        groups=(*groups, *kept),
        lanes={f"{one.scenario}/{one.lane}": LaneText("a lane", "", "pass") for one in cells},
        next_steps=("ormbench run updates",),
        scenarios={scenario: STORY},
    )
    counts = [_count(cell, trips or {}) for cell in cells if cell.id not in model.status]
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
                counts=tuple(counts) if counted and block.number == 0 else (),
            )
            for block in base.blocks
        ),
    )


def _stars(lanes, batch, scenario, target, axes, compared):
    cells = [
        Cell(scenario=scenario, lane=lane, target=target, batch=batch, **axes) for lane in lanes
    ]
    centre = next((one for one in cells if one.lane == "core"), cells[0])
    others = [one for one in cells if one is not centre]
    for start in range(0, max(1, len(others)), 3):
        arms = (centre, *others[start : start + 3])
        contrasts = tuple(Contrast(arm, 0, "lane") for arm in range(1, len(arms)))
        yield Group(f"{centre.id} #{start}", arms, contrasts if compared else ())


class _Model:
    def __init__(self, source, noise, slower, status, wrong, failing):
        self.random, self.noise = source, noise
        self.slower, self.status, self.wrong, self.failing = slower, status, wrong, failing

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
        return Trial(group.name, arm, cell.id, block, "OK", slices=slices, lag_p99_ns=200_000)

    def slice(self, cell, number, place, log):
        usual = nanoseconds(cell.lane, cell.batch) * self.slower.get(cell.id, 1.0)
        operations = max(5, min(100, round(30_000_000 / usual)))
        service = round(operations * usual * 2.718281828459045**log)
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


def _proofs(group, block):
    for arm, cell in enumerate(group.cells):
        yield Proof(group.name, arm, cell.id, block, 3, state_checked=True, sql=(), sample="1")


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
