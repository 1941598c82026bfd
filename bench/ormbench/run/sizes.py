"""The slices of a group: their size is found in the first block, and the same in all others."""

import math
from collections.abc import Sequence
from dataclasses import replace

from ormbench.cell import Cell, Group
from ormbench.load.calibration import SliceSize, slice_size
from ormbench.loader import blocks_loop
from ormbench.run.arm import ArmState
from ormbench.run.context import Context
from ormbench.run.shares import evenly
from ormbench.run.stock import within
from ormbench.targets.target import TARGETS

POOLED = 6  # operations of each client, at least, where they wait for a pool: it has to get busy
RATED_SECONDS = 0.25, 2  # of arrivals, at least and at most, in a slice of an open loop


def size_of(context: Context, group: Group, running: Sequence[ArmState]) -> SliceSize:
    """That of *group*, by the operations of *running* where no block had it before.

    All processes of an arm have equally many turns, and its tables last for them.
    """
    if group.name not in context.sizes:
        context.sizes[group.name] = _found(context, group, running)
    size = context.sizes[group.name]
    processes = math.lcm(*(cell.processes for cell in group.cells))
    audited = any(context.scenario(cell).scenario.audit for cell in group.cells)
    even = replace(
        size,
        operations=evenly(size.operations, processes),
        # an audit sees every operation of a slice
        settling=0 if audited else evenly(size.settling, processes),
    )
    return within(even, running)


def runs_on(cells: Sequence[Cell]) -> bool:
    """Whether slices of compared *cells* are recorded in mid-course, because pools are compared.

    A pool that has rested opens its overflow anew. One event loop can run on; several processes,
    and several threads, begin what is recorded together: where one of the cells has to, all do.
    """
    about_pools = any(cell.pool for cell in cells)
    return about_pools and not any(
        cell.rate is not None or cell.processes > 1 or _in_threads(cell) for cell in cells
    )


def _in_threads(cell: Cell) -> bool:
    target = TARGETS.get(cell.target)
    return target is not None and not target.driver.is_async and not blocks_loop(cell.lane)


def _found(context: Context, group: Group, running: Sequence[ArmState]) -> SliceSize:
    slowest = max((arm.operation_ns for arm in running), default=1)
    clients = max(cell.clients for cell in group.cells)
    reset_ns = max((arm.reset_ns for arm in running), default=0)
    pooled = clients > 1 and any(cell.pool for cell in group.cells)
    least = POOLED if pooled else 1
    size = slice_size(slowest, clients, context.rounds, context.blocks, reset_ns, least)
    rates = [cell.rate for cell in group.cells if cell.rate]
    if not rates:
        return size
    few, many = (int(min(rates) * seconds) for seconds in RATED_SECONDS)
    return replace(size, operations=min(max(size.operations, few), many + 1))
