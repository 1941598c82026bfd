"""A lane, bound: from a cell to an operation whose connections are open.

A driver that blocks runs the lane's sync twin: in threads, or, in a lane ``..._on_loop``, directly
on the event loop, which then stands still; that lane is there to show it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from sqlalchemy import Engine, event

from ormbench import isolation
from ormbench.background import in_background
from ormbench.cell import Cell
from ormbench.lane import Lane
from ormbench.lanes import core, orm, own
from ormbench.lanes.checkout import Waits, timed_checkouts, timed_door, timed_sync_door
from ormbench.lanes.engine import (
    CountedEngine,
    CountedSyncEngine,
    at_each_checkout,
    clients_each,
    engine_settings,
    wanted_pool,
)
from ormbench.lanes.lent import LentEngine, LentSyncEngine
from ormbench.lanes.outcomes import Outcomes
from ormbench.lanes.retry import Guard, guarded, guarded_sync
from ormbench.loader import Loaded, blocks_loop, without_on_loop
from ormbench.servers.server import Address
from ormbench.targets.raw import (
    Holding,
    RawPool,
    RawSettings,
    Rows,
    SyncOperation,
    SyncRawPool,
)
from ormbench.targets.target import TARGETS

HOLDINGS: dict[str, Holding] = {"raw_held": "held", "raw_pool": "shipped-pool"}
AnyOperation = Callable[[tuple[Any, ...]], Any]  # an Operation or a SyncOperation
Runs = Literal["tasks", "threads", "on-loop"]
Ask = Callable[[Sequence[str]], Awaitable[list[list[Rows]]]]  # of every connection, all at once


_BINDERS = {"session": orm.bind, "sessions": own.bind_sessions, "connection": core.bind}
_SYNC_BINDERS = {
    "session": orm.bind_sync,
    "sessions": own.bind_sessions_sync,
    "connection": core.bind_sync,
}


async def ask_nobody(_statements: Sequence[str]) -> list[list[Rows]]:
    """Of a lane without connections."""
    return []


@dataclass(frozen=True, slots=True)
class BoundLane:
    """An operation, and what the harness needs to know of the connections under it."""

    operation: AnyOperation  # sync where it runs in threads, else async
    opened: Callable[[], int]  # connections opened so far
    statements: list[str]  # filled while `listen` is on; raw lanes fill it at their first use
    close: Callable[[], Awaitable[None]]
    quiet: Callable[[], None]  # stop listening: nothing of the harness stays on the clock
    runs: Runs = "tasks"
    ask: Ask = ask_nobody  # off the clock: of each connection at once the rows of each statement
    waits: Waits | None = None  # collects checkout waits, in ns; None: its pool is not timed
    outcomes: Outcomes = field(default_factory=Outcomes)


async def bind(loaded: Loaded, cell: Cell, address: Address | None, schema: str) -> BoundLane:
    """Open the cell's connections and bind its lane to them; listens to the SQL until `quiet`.

    Raises NoTwinError where the driver blocks and the lane has no twin.
    """
    bound = await _bind(loaded, cell, address, schema)
    retries = loaded.scenario.audit is not None
    runs_out = wanted_pool(cell).may_run_out(clients_each(cell))
    if not (retries or runs_out):
        return bound  # so options of a pool are compared with the same code on the clock
    guard = Guard(bound.outcomes, retries, runs_out)
    guards = guarded_sync if bound.runs == "threads" else guarded
    return replace(bound, operation=guards(bound.operation, guard))


async def _bind(loaded: Loaded, cell: Cell, address: Address | None, schema: str) -> BoundLane:
    lane = loaded.lane(cell.lane)
    runs = _runs(cell)
    if lane.receives == "nothing" or address is None:
        return _bind_nothing(lane, runs)
    if lane.receives == "driver":
        bind_raw = _bind_raw if runs == "tasks" else _bind_raw_sync
        return await bind_raw(lane, _raw_settings(lane, cell, address, schema), cell)
    if lane.receives == "new_engine":
        settings = engine_settings(cell, address, schema)
        options = {"execution_options": at_each_checkout(cell)}
        return _bind_new_engine(lane, {**settings, **options}, runs)
    lent = wanted_pool(cell).kind == "driver"
    if runs == "tasks":
        counted = (LentEngine if lent else CountedEngine)(cell, address, schema)
        await counted.open()
        binder = _BINDERS[lane.receives]
        return _heard(binder(lane.body, counted.handed), counted, counted.engine.sync_engine, runs)
    twin = lane.twin().body
    blocking = (LentSyncEngine if lent else CountedSyncEngine)(cell, address, schema)
    await blocking.open()
    sync_binder = _SYNC_BINDERS[lane.receives]
    operation = _made_for(runs, sync_binder(twin, blocking.handed))
    return _heard(operation, blocking, blocking.engine, runs)


def _runs(cell: Cell) -> Runs:
    """How a cell's operations are run; without a database, a lane is async."""
    target = TARGETS.get(cell.target)
    if target is None or target.driver.is_async:
        return "tasks"
    return "on-loop" if blocks_loop(cell.lane) else "threads"


def _made_for(runs: Runs, operation: SyncOperation) -> AnyOperation:
    """What blocks, as it is called in threads or on the event loop."""
    if runs == "threads":
        return operation

    async def on_loop(values: tuple[Any, ...]) -> Any:
        await asyncio.sleep(0)  # a request waits for the loop, too, before its handler has it
        return operation(values)

    return on_loop


def _heard(
    operation: AnyOperation,
    counted: CountedEngine | CountedSyncEngine | LentEngine | LentSyncEngine,
    engine: Engine,
    runs: Runs,
) -> BoundLane:
    """An operation on *engine*, whose statements are kept until `quiet`."""
    statements: list[str] = []

    def hear(_c: Any, _cursor: Any, sql: str, _p: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's signature
        statements.append(sql)

    def quiet() -> None:
        event.remove(engine, "before_cursor_execute", hear)
        # which leaves SQLAlchemy's own mark that somebody listens, a hundred calls an operation
        vars(engine).pop("_has_events", None)

    event.listen(engine, "before_cursor_execute", hear)
    return BoundLane(
        operation,
        lambda: counted.opened,
        statements,
        counted.close,
        quiet,
        runs,
        counted.ask,
        lambda: timed_checkouts(engine.pool),
    )


def _bind_new_engine(lane: Lane, settings: Mapping[str, Any], runs: Runs) -> BoundLane:
    """A lane whose engines come and go: nobody asks their connections, or times their pools."""
    if runs == "tasks":
        made = own.NewEngine(settings)
        return _of_made(made, made.bind(lane.body), runs)
    blocking = own.NewSyncEngine(settings)
    return _of_made(blocking, _made_for(runs, blocking.bind(lane.twin().body)), runs)


def _of_made(
    made: own.NewEngine | own.NewSyncEngine, operation: AnyOperation, runs: Runs
) -> BoundLane:
    return BoundLane(operation, lambda: made.opened, made.statements, made.close, made.quiet, runs)


def _raw_settings(lane: Lane, cell: Cell, address: Address, schema: str) -> RawSettings:
    target, wanted = TARGETS[cell.target], wanted_pool(cell)
    return RawSettings(
        target.within(address, schema),
        target.statements(),
        schema,
        wanted.plain(clients_each(cell)),
        HOLDINGS.get(without_on_loop(cell.lane), "pool"),
        cell.transaction,
        isolation.parse(cell.isolation).level if cell.isolation else None,
        wanted.timeout,
        loads_files="LOAD DATA" in lane.needs,
        cache=cell.cache,
    )


async def _bind_raw(lane: Lane, settings: RawSettings, cell: Cell) -> BoundLane:
    pool = cast("RawPool", TARGETS[cell.target].driver.raw(settings))
    await pool.open()
    texts = settings.statements.texts
    return BoundLane(
        pool.bind(lane.body),
        lambda: pool.opened,
        texts,
        pool.close,
        lambda: None,
        ask=pool.ask,
        waits=timed_door(pool.door),
    )


async def _bind_raw_sync(lane: Lane, settings: RawSettings, cell: Cell) -> BoundLane:
    twin = lane.twin().body
    pool = cast("SyncRawPool", TARGETS[cell.target].driver.raw(settings))
    await in_background(pool.open)
    runs = _runs(cell)
    return BoundLane(
        _made_for(runs, pool.bind(twin)),
        lambda: pool.opened,
        settings.statements.texts,
        lambda: in_background(pool.close),
        lambda: None,
        runs,
        lambda statements: in_background(lambda: pool.ask(statements)),
        timed_sync_door(pool.door),
    )


def _bind_nothing(lane: Lane, runs: Runs) -> BoundLane:
    async def close() -> None:
        pass

    if runs == "tasks":
        body = lane.body

        async def operation(values: tuple[Any, ...]) -> Any:
            return await body(*values)

        return BoundLane(operation, lambda: 0, [], close, lambda: None)
    twin = lane.twin().body
    return BoundLane(
        _made_for(runs, lambda values: twin(*values)), lambda: 0, [], close, lambda: None, runs
    )
