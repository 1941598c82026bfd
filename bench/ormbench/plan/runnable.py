"""Whether a cell can run here, and if not, why: a reason for a reader, with what would help."""

import importlib.util

from ormbench import isolation, pool
from ormbench.cell import Cell
from ormbench.errors import UsageError
from ormbench.isolation import Isolation
from ormbench.lane import Lane
from ormbench.loader import Loaded, blocks_loop, without_on_loop
from ormbench.plan import pooling
from ormbench.servers.placement import allowed_cpus, unavailable
from ormbench.servers.supply import Supply
from ormbench.targets.target import ABILITIES, NO_TARGET, TARGETS, Target
from ormbench.translation import NoTwinError


def why_not(cell: Cell, loaded: Loaded, supply: Supply) -> str | None:
    """Why a cell cannot run here; None where it can."""
    if reason := pooling.unshared(cell) or pooling.too_many(cell, supply):
        return reason
    if cell.loop == "uvloop" and importlib.util.find_spec("uvloop") is None:
        return "UNSUPPORTED: uvloop is not installed: pip install uvloop"
    if cell.batch is not None and loaded.scenario.default_batch is None:
        return f"UNSUPPORTED: {loaded.name} takes no batch: its operations are of one size"
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
    if reason := (
        _unable(loaded.lane(cell.lane), target)
        or _unfit(cell, loaded, target)
        or _not_isolated(cell, loaded, target, supply)
        or _not_cached(cell, loaded.lane(cell.lane), target)
        or pooling.unfit(cell, loaded.lane(cell.lane).receives, target.driver)
    ):
        return reason
    if loaded.scenario.data is None:
        return "the scenario brings no data, and its lane wants a database"
    if supply.given is not None and supply.given.pooled and pooling.resets(cell, target.driver):
        return "behind a pooler, the reset that this pool sends takes the run's schema away"
    return target.missing()


def _unable(lane: Lane, target: Target) -> str | None:
    """What of that which the lane needs the target has not. Raises UsageError for what none has."""
    for need in lane.needs:
        if need not in ABILITIES:
            known = ", ".join(sorted(ABILITIES))
            raise UsageError(f"lane {lane.name} needs {need!r}, which no target has: {known}")
        if need not in target.abilities:
            return f"{target.driver.name} on {target.server} has no {need}"
    return None


def _not_cached(cell: Cell, lane: Lane, target: Target) -> str | None:
    """Why the cell cannot have so many prepared statements; None where it can, or asks for none."""
    if cell.cache is None:
        return None
    if target.driver.cache is None:
        return f"{target.driver.name} has no statement cache"
    if lane.receives != "driver" and cell.pool and pool.parse(cell.pool).kind == "driver":
        return "over the driver's own pool SQLAlchemy keeps no statement beyond a checkout"
    return None


def _not_isolated(cell: Cell, loaded: Loaded, target: Target, supply: Supply) -> str | None:
    """Why the cell cannot have its isolation level; None where it can, or asks for none."""
    if cell.isolation is None:
        return None
    wanted, receives = isolation.parse(cell.isolation), loaded.lane(cell.lane).receives
    if cell.transaction == "autocommit":
        return "an isolation level is that of a transaction, and in autocommit there is none"
    if wanted.level not in target.driver.isolation_levels:
        known = (one for one in isolation.LEVELS if one in target.driver.isolation_levels)
        words = ", ".join(map(isolation.word, known))
        return f"{target.driver.name} has no {wanted.level} in SQLAlchemy, it has {words}"
    return _not_at_connect(wanted, supply) if receives == "driver" else None


def _not_at_connect(wanted: Isolation, supply: Supply) -> str | None:
    """Why a bare driver cannot have a level, which it asks for when it connects."""
    if wanted.scope == "connection":
        bare = isolation.word(wanted.level)
        return f"a bare driver sets its level once, when it connects: say {bare}"
    if supply.given is not None and supply.given.pooled:
        return "behind a pooler, a level that a bare driver connects with is refused or everybody's"
    return None


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
