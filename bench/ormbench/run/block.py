"""One block: fresh worker processes for each event loop, every group once, in random order."""

import time
from dataclasses import asdict
from random import Random

from ormbench.cell import Group
from ormbench.errors import WorkerError
from ormbench.results.count import Count
from ormbench.results.folder import Block
from ormbench.results.trial import Proof, Trial
from ormbench.run.context import Context
from ormbench.run.crew import Crew
from ormbench.run.foreign import ForeignLoad
from ormbench.run.group import GroupInBlock
from ormbench.run.turns import Turns
from ormbench.servers.placement import allowed_cpus, stay_on

HASH_SEEDS = 2**32


def measure(context: Context, number: int) -> Block:
    """Measure block *number*. Raises WorkerError where the worker dies: the block is lost."""
    stay_on(allowed_cpus())
    try:
        return _measure(context, number)
    finally:
        context.attend(None)
        stay_on(allowed_cpus())


def _measure(context: Context, number: int) -> Block:
    random = Random(f"{context.seed}/{number}")  # noqa: S311 - an order
    trials: list[Trial] = []
    proofs: list[Proof] = []
    counts: list[Count] = []
    started, turns = time.monotonic(), Turns()
    context.in_rounds = context.in_counting = 0.0
    hash_seed = random.randrange(1, HASH_SEEDS)
    with Crew(hash_seed, context.timeout, _start(context)) as crew:
        foreign = ForeignLoad(context.cpu_ns)
        crew.begin(cell.loop for group in context.groups for cell in group.cells)
        for group in _in_order(context, random):
            context.progress.group(group.name)
            context.attend(group)
            try:
                workers = crew.for_cells(group.cells)
                in_block = GroupInBlock(context, workers, group, number, turns, foreign)
                new_trials, new_proofs = in_block.measure()
            except WorkerError as error:
                raise WorkerError(f"while measuring {group.name}, {error}") from error
            counts += in_block.counting.new
            trials += new_trials
            proofs += new_proofs
            context.progress.group_done()
    context.paces.first = False
    seconds = round(time.monotonic() - started, 3)
    return Block(number, seconds, foreign.share(), tuple(trials), tuple(proofs), tuple(counts))


def _in_order(context: Context, random: Random) -> list[Group]:
    """All groups in random order; at first those of few rows, which tell how slow others are."""

    def most_rows(group: Group) -> int:
        return max(context.rows(cell) for cell in group.cells)

    groups = random.sample(context.groups, len(context.groups))
    return sorted(groups, key=most_rows) if context.paces.first else groups


def _start(context: Context) -> dict[str, object]:
    return {
        "files": context.files,
        "addresses": {
            product: asdict(site.server.address) for product, site in context.sites.items()
        },
        "table_rows": context.table_rows,
        "timeout": context.timeout,
    }
