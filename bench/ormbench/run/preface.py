"""What a run says of itself before its first slice: the plan, the place, the code of its lanes."""

from collections.abc import Mapping

from ormbench.cell import Cell
from ormbench.loader import Loaded, blocks_loop, without_on_loop
from ormbench.plan.plan import Plan
from ormbench.results.manifest import Environment, LaneText, Manifest
from ormbench.run.options import Options


def manifest_of(
    plan: Plan, loaded: Mapping[str, Loaded], options: Options, where: Environment
) -> Manifest:
    """The manifest, but for the run's name and start."""
    return Manifest(
        name="",
        started="",
        plan=plan.name,
        title=plan.title,
        focus=plan.focus,
        reference=plan.reference,
        blocks=plan.blocks,
        rounds=plan.rounds,
        seed=options.seed,
        table_rows=options.table_rows,
        longest=plan.longest,
        limits=dict(plan.limits),
        command=options.command,
        groups=plan.groups,
        left_out=plan.left_out,
        lanes={f"{cell.scenario}/{cell.lane}": _text(loaded, cell) for cell in plan.cells},
        environment=where,
        next_steps=plan.next_steps,
        scenarios={cell.scenario: loaded[cell.scenario].story for cell in plan.cells},
        audited=tuple(
            dict.fromkeys(
                cell.scenario for cell in plan.cells if loaded[cell.scenario].scenario.audit
            )
        ),
    )


HELD = "on one connection that is held: the floor"
SHIPPED = "from the driver's pool as shipped, with what it sends on return"
POOLED = "from the driver's pool, without a reset query"
ON_LOOP = "on the event loop, which stands still meanwhile: what not to do"
HOW_RAW = {"raw_held": HELD, "raw": POOLED, "raw_pool": SHIPPED}


def how(lane: str) -> str:
    """What the name of a lane says beside which body it runs; "" where it says nothing."""
    words = (HOW_RAW.get(without_on_loop(lane), ""), ON_LOOP if blocks_loop(lane) else "")
    return ", ".join(word for word in words if word)


def _text(loaded: Mapping[str, Loaded], cell: Cell) -> LaneText:
    lane = loaded[cell.scenario].lane(cell.lane)
    label = ", ".join(words for words in (lane.label, how(cell.lane)) if words)
    return LaneText(label, lane.docs, lane.source)
