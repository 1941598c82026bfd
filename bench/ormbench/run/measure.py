"""A run, from plan to folder: a server, its tables, blocks one after the other, until done.

Measuring writes ``run.json`` and ``trials.jsonl`` and formats nothing.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ormbench.cell import Cell
from ormbench.errors import ServerError, UsageError, WorkerError
from ormbench.load.calibration import SliceSize, size_again
from ormbench.loader import Loaded
from ormbench.plan.plan import Plan
from ormbench.results import environment
from ormbench.results.folder import RunRecord, RunWriter
from ormbench.results.manifest import Environment, LaneText, Manifest
from ormbench.run import block
from ormbench.run.context import Context, Progress
from ormbench.servers.embedded import EmbeddedPostgres
from ormbench.servers.server import Server
from ormbench.truth.tables import Tables

SERVER_DIED = (
    "the server died during the run (killed, or out of memory?): the block under way is lost, "
    "earlier ones are kept; run it again"
)
LOST_BLOCKS = 2  # blocks that may be lost to a dying worker before the run gives up


@dataclass(frozen=True, slots=True)
class Options:
    """What a run needs beside its plan."""

    seed: int
    table_rows: int
    timeout: float  # seconds that a slice may take
    budget: float | None  # seconds of measurement that rounds shrink to fit
    command: str


def start(
    plan: Plan,
    loaded: Mapping[str, Loaded],
    options: Options,
    folder: Path,
    started: str,
    progress: Progress,
) -> None:
    """Measure *plan* into the empty *folder*. Raises OrmbenchError; finished blocks stay."""
    with _server(progress) as server, _tables(server, loaded, options.table_rows) as tables:
        targets = {cell.target for cell in plan.cells}
        manifest = _manifest(plan, loaded, options, environment.capture(server, targets))
        manifest = replace(manifest, name=folder.name, started=started)
        with RunWriter.create(folder, manifest) as writer:
            context = _context(manifest, loaded, options, server, tables, progress)
            _blocks(context, writer, range(plan.blocks), options.budget)


def resume(
    record: RunRecord, loaded: Mapping[str, Loaded], options: Options, progress: Progress
) -> None:
    """Measure the blocks that *record* lacks.

    Raises UsageError on another host or boot, with other versions, or with lanes edited since.
    """
    manifest = record.manifest
    if differs := environment.elsewhere(manifest.environment) or _edited(manifest, loaded):
        raise UsageError(f"{record.path} cannot be resumed here: {differs}; start a new run")
    done = {one.number for one in record.blocks}
    missing = [number for number in range(manifest.blocks) if number not in done]
    with _server(progress) as server, _tables(server, loaded, manifest.table_rows) as tables:
        targets = {cell.target for group in manifest.groups for cell in group.cells}
        here = environment.capture(server, targets)
        if manifest.environment.versions != here.versions:
            raise UsageError(f"{record.path} has other versions than this place; start a new run")
        with RunWriter(record.path) as writer:
            context = _context(manifest, loaded, options, server, tables, progress)
            context.sizes |= _sizes(record)
            _blocks(context, writer, missing, options.budget)


def _edited(manifest: Manifest, loaded: Mapping[str, Loaded]) -> str | None:
    """Which lane is not the code that the run began with; None where all are."""
    for name, text in manifest.lanes.items():
        scenario, _, lane = name.partition("/")
        known = loaded[scenario].lane_names()
        if lane not in known or loaded[scenario].lane(lane).source != text.source:
            return f"lane {name} was edited since"
    return None


def _sizes(record: RunRecord) -> dict[str, SliceSize]:
    """The slices that the run's first sitting settled on."""
    clients = {
        group.name: max(cell.clients for cell in group.cells) for group in record.manifest.groups
    }
    return {
        trial.group: size_again(trial.slices[0].operations, clients[trial.group], len(trial.slices))
        for block in record.blocks
        for trial in block.trials
        if trial.slices
    }


@contextmanager
def _server(progress: Progress) -> Iterator[Server]:
    progress.say("starting PostgreSQL")
    with EmbeddedPostgres.start() as server:
        yield server


@contextmanager
def _tables(server: Server, loaded: Mapping[str, Loaded], table_rows: int) -> Iterator[Tables]:
    tables = Tables(server.address, table_rows, "bench")
    try:
        tables.prepare(loaded.values())
        yield tables
    finally:
        tables.close()


def _context(
    manifest: Manifest,
    loaded: Mapping[str, Loaded],
    options: Options,
    server: Server,
    tables: Tables,
    progress: Progress,
) -> Context:
    return Context(
        server,
        tables,
        dict(loaded),
        manifest.groups,
        manifest.blocks,
        manifest.rounds,
        manifest.seed,
        manifest.table_rows,
        options.timeout,
        progress,
    )


def _blocks(
    context: Context,
    writer: RunWriter,
    numbers: range | list[int],
    budget: float | None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Measure and append; a worker that dies costs its block, a dead server the run."""
    end, lost = None if budget is None else clock() + budget, 0
    for place, number in enumerate(numbers):
        context.progress.block(number, context.blocks)
        try:
            measured = block.measure(context, number)
        except Exception as error:
            if not context.server.alive():
                raise ServerError(SERVER_DIED) from error
            lost += 1
            too_many = lost > LOST_BLOCKS or lost == len(numbers)
            if too_many or not isinstance(error, WorkerError):
                raise
            context.progress.say(f"block {number + 1} is lost: {error}")
            continue
        if not context.server.alive():  # the lanes of this block failed for want of a server
            raise ServerError(SERVER_DIED)
        writer.append(measured)
        if end is not None and (left := len(numbers) - place - 1):
            context.shrink(measured.seconds, (end - clock()) / left)


def _manifest(
    plan: Plan, loaded: Mapping[str, Loaded], options: Options, where: Environment
) -> Manifest:
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
        command=options.command,
        groups=plan.groups,
        left_out=plan.left_out,
        lanes={f"{cell.scenario}/{cell.lane}": _text(loaded, cell) for cell in plan.cells},
        environment=where,
        next_steps=plan.next_steps,
        scenarios={cell.scenario: loaded[cell.scenario].story for cell in plan.cells},
    )


HELD = "on one connection that is held: the floor"
SHIPPED = "from the driver's pool as shipped, with what it sends on return"
POOLED = "from the driver's pool, without a reset query"
HOW_RAW = {"raw_held": HELD, "raw": POOLED, "raw_pool": SHIPPED}


def _text(loaded: Mapping[str, Loaded], cell: Cell) -> LaneText:
    lane = loaded[cell.scenario].lane(cell.lane)
    how = f", {HOW_RAW[cell.lane]}" if cell.lane in HOW_RAW else ""
    return LaneText(lane.label + how, lane.docs, lane.source)
