"""A run, from plan to folder: servers, their tables, blocks one after the other, until done.

Measuring writes ``run.json`` and ``trials.jsonl`` and formats nothing.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ormbench.cell import Cell
from ormbench.errors import ServerError, UsageError, WorkerError
from ormbench.load.calibration import SliceSize, size_again
from ormbench.loader import Loaded
from ormbench.plan.plan import Plan
from ormbench.results import environment
from ormbench.results.folder import RunRecord, RunWriter
from ormbench.results.manifest import Manifest
from ormbench.results.trial import Trial
from ormbench.run import block
from ormbench.run.context import Context, Progress, Site
from ormbench.run.options import Options
from ormbench.run.pace import Paces
from ormbench.run.preface import manifest_of
from ormbench.run.routes import Routes
from ormbench.run.sites import sites_of
from ormbench.servers.server import PRODUCTS, Product
from ormbench.servers.supply import Supply

SERVER_DIED = (
    "the {} server died during the run (killed, or out of memory?): the block under way is lost, "
    "earlier ones are kept; run it again"
)
LOST_BLOCKS = 2  # blocks that may be lost to a dying worker before the run gives up


def start(
    plan: Plan,
    loaded: Mapping[str, Loaded],
    options: Options,
    folder: Path,
    started: str,
    progress: Progress,
) -> None:
    """Measure *plan* into the empty *folder*. Raises OrmbenchError; finished blocks stay."""
    with (
        sites_of(plan.cells, loaded, options, options.table_rows, progress) as sites,
        Routes() as routes,
    ):
        servers = [site.server for site in sites.values()]
        manifest = manifest_of(plan, loaded, options, environment.capture(servers, plan.cells))
        manifest = replace(manifest, name=folder.name, started=started)
        with RunWriter.create(folder, manifest) as writer:
            context = _context(manifest, loaded, options, sites, routes, progress)
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
    cells = [cell for group in manifest.groups for cell in group.cells]
    if differs := _other_servers(manifest, options.supply):
        raise UsageError(f"{record.path} cannot be resumed so: {differs}")
    with (
        sites_of(cells, loaded, options, manifest.table_rows, progress) as sites,
        Routes() as routes,
    ):
        servers = [site.server for site in sites.values()]
        here = environment.capture(servers, cells)
        if manifest.environment.versions != here.versions:
            raise UsageError(f"{record.path} has other versions than this place; start a new run")
        with RunWriter(record.path) as writer:
            context = _context(manifest, loaded, options, sites, routes, progress)
            _recall(context, record)
            _blocks(context, writer, missing, options.budget)


def _other_servers(manifest: Manifest, supply: Supply) -> str | None:
    """What tells that *supply* has other servers than the run began on; None where it has not."""
    for product in PRODUCTS:
        told = manifest.environment.servers.get(product)
        if told is None:
            continue
        if reason := supply.lacks(product):
            return f"it measures {product}: {reason}"
        here = supply.kinds[product]
        if here != told.get("kind", here):
            return f"its {product} is of kind {told['kind']}, and here that would be {here}"
        if supply.given and supply.given.description()["server id"] != told.get("server id"):
            return f"its {product} is another server than that of --url"
    return None


def _edited(manifest: Manifest, loaded: Mapping[str, Loaded]) -> str | None:
    """Which lane is not the code that the run began with; None where all are."""
    for name, text in manifest.lanes.items():
        scenario, _, lane = name.partition("/")
        known = loaded[scenario].has(lane)
        if not known or loaded[scenario].lane(lane).source != text.source:
            return f"lane {name} was edited since"
    return None


def _recall(context: Context, record: RunRecord) -> None:
    """Let *context* know what the blocks of *record* have found."""
    context.counts |= {one.cell: one for done in record.blocks for one in done.counts}
    context.sizes |= _sizes(record)
    context.full |= _rounds(record)
    context.paces.recall(_trials(record, context))


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


def _rounds(record: RunRecord) -> dict[str, int]:
    """The rounds that each group began with; blocks that had too little time have fewer."""
    rounds = Counter[str]()
    for block_ in record.blocks:
        for trial in block_.trials:
            rounds |= Counter({trial.group: len(trial.slices)})
    return dict(rounds)


def _trials(record: RunRecord, context: Context) -> Iterator[tuple[Cell, int, Trial]]:
    """All trials of a run with their cells, and with the rows of an operation."""
    cells = {cell.id: cell for group in record.manifest.groups for cell in group.cells}
    for done in record.blocks:
        for trial in done.trials:
            cell = cells[trial.cell]
            yield cell, context.rows(cell), trial


def _context(
    manifest: Manifest,
    loaded: Mapping[str, Loaded],
    options: Options,
    sites: Mapping[Product, Site],
    routes: Routes,
    progress: Progress,
) -> Context:
    return Context(
        sites,
        dict(loaded),
        manifest.groups,
        manifest.blocks,
        manifest.rounds,
        manifest.seed,
        manifest.table_rows,
        options.timeout,
        progress,
        paces=Paces(manifest.longest, limits=manifest.limits),
        routes=routes,
    )


def _blocks(
    context: Context,
    writer: RunWriter,
    numbers: range | list[int],
    budget: float | None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Measure and append; a worker or relay that dies costs its block, a dead server the run."""
    end, lost = None if budget is None else clock() + budget, 0
    for place, number in enumerate(numbers):
        context.progress.block(number, context.blocks)
        try:
            measured = block.measure(context, number)
        except Exception as error:
            if dead := context.dead():
                raise ServerError(SERVER_DIED.format(dead)) from error
            lost += 1
            too_many = lost > LOST_BLOCKS or lost == len(numbers)
            if too_many or not isinstance(error, WorkerError):
                raise
            context.progress.say(f"block {number + 1} is lost: {error}")
            context.forget(number)
            continue
        if dead := context.dead():  # the lanes of this block failed for want of a server
            raise ServerError(SERVER_DIED.format(dead))
        writer.append(measured)
        if end is not None and (left := len(numbers) - place - 1):
            context.shrink(measured.seconds, (end - clock()) / left)
