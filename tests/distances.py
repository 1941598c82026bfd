"""Makes run records at several distances from the server, and single lines with given verdicts."""

from dataclasses import replace
from functools import cache

from fabricate import LANES, SCENARIOS, Noise, Oddities, fabricate

from ormbench.cell import Cell
from ormbench.report.digest import digest
from ormbench.report.digest_distance import Line, Point, panels
from ormbench.results.count import Count
from ormbench.results.folder import Block, RunRecord
from ormbench.wire.tally import Tally

ASYNCPG, AIOMYSQL = "postgresql+asyncpg", "mysql+aiomysql"
RTTS = (0.0, 0.5, 1.0, 5.0)
QUIET = Noise(block=0.002, round=0.02, slice=0.002)
RELAY_NS = 60_000  # that the relay adds on top of what it is asked for


def swept(
    rtts=RTTS,
    trips=None,
    *,
    scenarios=("get_by_id",),
    targets=(ASYNCPG,),
    lanes=("core", "orm", "raw"),
    oddities=None,
    noise=QUIET,
    blocks=8,
):
    """A run whose operations take their usual time and *trips* (3 of each lane) times the rtt."""
    trips = {lane: (trips or {}).get(lane, 3) for lane in lanes}
    parts = [
        _part(rtt, trips, number, scenarios, targets, lanes, oddities, noise, blocks)
        for number, rtt in enumerate(rtts)
    ]
    groups = tuple(group for part in parts for group in part.manifest.groups)
    manifest = replace(parts[0].manifest, groups=groups)
    merged = tuple(_merged(both, trips) for both in zip(*(p.blocks for p in parts), strict=True))
    return RunRecord(parts[0].path, manifest, merged)


def _part(rtt, trips, number, scenarios, targets, lanes, oddities, noise, blocks):
    effects = {}
    for scenario in scenarios:
        for target in targets:
            for lane in lanes:
                cell = Cell(scenario=scenario, lane=lane, target=target, rtt=rtt)
                usual = fabricated_ns(cell)
                effects[cell.id] = 1 + trips[lane] * (rtt or 0.0) * 1e6 / usual
    first = number == 0
    made = fabricate(
        effects,
        scenarios=scenarios,
        targets=targets,
        lanes=lanes,
        axes={"rtt": rtt},
        aa_pairs=int(first),
        with_empty=first,
        histograms=False,
        noise=noise,
        oddities=oddities,
        seed=number + 1,
        blocks=blocks,
    )
    return _renamed(made, f"rtt={rtt}", rtt)


def fabricated_ns(cell):
    drivers = {ASYNCPG: 1.0, AIOMYSQL: 1.6}
    return 1_000 * SCENARIOS[cell.scenario] * LANES[cell.lane] * drivers[cell.target]


def _renamed(record, suffix, rtt):
    groups = tuple(replace(g, name=f"{g.name} {suffix}") for g in record.manifest.groups)
    added = None if rtt is None else round(rtt * 1e6) + RELAY_NS
    blocks = tuple(
        replace(
            block,
            trials=tuple(
                replace(t, group=f"{t.group} {suffix}", added_rtt_ns=added) for t in block.trials
            ),
            proofs=tuple(replace(p, group=f"{p.group} {suffix}") for p in block.proofs),
        )
        for block in record.blocks
    )
    return RunRecord(record.path, replace(record.manifest, groups=groups), blocks)


def _merged(blocks: tuple[Block, ...], trips):
    trials = tuple(trial for block in blocks for trial in block.trials)
    cells = dict.fromkeys(trial.cell for trial in trials if not trial.cell.startswith("empty"))
    counts = tuple(
        Count(cell, 0, (Tally(round_trips=trips[cell.split("/")[1]]),) * 5, ()) for cell in cells
    )
    proofs = tuple(proof for block in blocks for proof in block.proofs)
    counted = counts if blocks[0].number == 0 else ()
    return replace(blocks[0], trials=trials, proofs=proofs, counts=counted)


def digested(*args, **wishes):
    return digest(swept(*args, **wishes), "results/local/x")


def panels_of(findings):
    return panels(findings.comparisons, findings.cells)


def line(findings, lane, panel=0):
    return next(one for one in panels_of(findings)[panel].lines if one.candidate.lane == lane)


def ended(scenario, lane, rtt, status="TIMEOUT", reason="no answer within 60 s"):
    """What goes wrong with one cell at one distance."""
    return Oddities(status={f"{scenario}/{lane}/{ASYNCPG}/rtt={rtt:g}": (status, reason)})


def card(findings):
    return next(one for one in findings.cards if one.question == "DOES IT MATTER ON MY NETWORK?")


def judged(verdicts, rtts=RTTS):
    """The ORM's line with these verdicts in place of its own; None is a missing point."""
    template = _template()
    ratios = {"slower": 1.42, "faster": 0.8, "same": 1.01, "cannot tell": 1.04}
    points = []
    for rtt, verdict in zip(rtts, verdicts, strict=True):
        found = template.points[0].found
        value = ratios.get(verdict, 1.0)
        ratio = replace(found.ratio, value=value, low=value - 0.02, high=value + 0.02)
        points.append(Point(rtt, replace(found, verdict=verdict, ratio=ratio) if verdict else None))
    return Line(template.candidate, template.reference, tuple(points), None)


@cache
def _template():
    return line(digested(rtts=(0.0, 1.0)), "orm")
