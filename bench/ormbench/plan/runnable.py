"""Whether a cell can run here, and if not, why: a reason for a reader, with what would help."""

import importlib.util

from ormbench.cell import Cell
from ormbench.loader import Loaded, blocks_loop, without_on_loop
from ormbench.servers.placement import allowed_cpus, unavailable
from ormbench.servers.supply import Supply
from ormbench.targets.target import NO_TARGET, TARGETS, Target
from ormbench.translation import NoTwinError


def why_not(cell: Cell, loaded: Loaded, supply: Supply) -> str | None:
    """Why a cell cannot run here; None where it can."""
    if cell.clients > supply.most_connections:
        few = supply.connections
        return f"{cell.clients} clients need more connections than the server's {few}"
    if cell.loop == "uvloop" and importlib.util.find_spec("uvloop") is None:
        return "UNSUPPORTED: uvloop is not installed: pip install uvloop"
    if cell.target != NO_TARGET and (reason := _without(cell, loaded, supply)):
        return f"UNSUPPORTED: {reason}"
    if cell.placement != "free" and not supply.is_ours:
        return "the server of a URL is not ours to tie to a core: only placement free"
    relayed = cell.rtt is not None
    return unavailable(cell.placement, allowed_cpus(), cell.clients, relayed=relayed)


def _without(cell: Cell, loaded: Loaded, supply: Supply) -> str | None:
    """What the cell's target or server lacks; None where it lacks nothing."""
    target = TARGETS[cell.target]
    if reason := supply.lacks(target.server):
        return reason
    name = without_on_loop(cell.lane)
    if name in target.unsupported:
        return target.unsupported[name]
    if reason := _unfit(cell, loaded, target):
        return reason
    if loaded.scenario.data is None:
        return "the scenario brings no data, and its lane wants a database"
    if supply.given is not None and supply.given.pooled and cell.lane == "raw_pool":
        return "behind a pooler, the reset that this pool sends takes the run's schema away"
    return target.missing()


def _unfit(cell: Cell, loaded: Loaded, target: Target) -> str | None:
    """What of the cell is only for the other kind of driver; None where nothing is."""
    if target.driver.is_async:
        if blocks_loop(cell.lane):
            return f"{target.driver.name} is async and does not block the event loop"
        return None
    if cell.loop != "asyncio" and not blocks_loop(cell.lane):
        return f"{target.driver.name} runs in threads, where no {cell.loop} takes part"
    try:
        loaded.lane(cell.lane).twin()
    except NoTwinError as error:
        return str(error).replace("SCENARIO", loaded.name)
    return None
