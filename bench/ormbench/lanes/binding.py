"""A lane, bound: from a cell to an operation whose connections are open."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from ormbench.cell import Cell
from ormbench.lanes import core, orm
from ormbench.lanes.engine import CountedEngine
from ormbench.loader import Loaded
from ormbench.scenario import Body
from ormbench.servers.server import Address
from ormbench.targets.raw import Holding, Operation, RawSettings
from ormbench.targets.target import TARGETS

HOLDINGS: dict[str, Holding] = {"raw_held": "held", "raw_pool": "shipped-pool"}


@dataclass(frozen=True, slots=True)
class BoundLane:
    """An operation, and what the harness needs to know of the connections under it."""

    operation: Operation
    opened: Callable[[], int]  # connections opened so far
    statements: list[str]  # filled while `listen` is on; raw lanes fill it at their first use
    close: Callable[[], Awaitable[None]]
    quiet: Callable[[], None]  # stop listening: nothing of the harness stays on the clock


async def bind(loaded: Loaded, cell: Cell, address: Address | None, schema: str) -> BoundLane:
    """Open the cell's connections and bind its lane to them; listens to the SQL until `quiet`."""
    lane = loaded.lane(cell.lane)
    if lane.receives == "nothing" or address is None:
        return _bind_nothing(lane.body)
    if lane.receives == "driver":
        return await _bind_raw(lane.body, cell, address, schema)
    counted = CountedEngine(cell, address, schema)
    await counted.open()
    statements: list[str] = []

    def hear(_c: Any, _cursor: Any, sql: str, _p: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's signature
        statements.append(sql)

    event.listen(counted.engine.sync_engine, "before_cursor_execute", hear)
    binder = orm.bind if lane.receives == "session" else core.bind
    return BoundLane(
        binder(lane.body, counted.engine),
        lambda: counted.opened,
        statements,
        counted.close,
        lambda: event.remove(counted.engine.sync_engine, "before_cursor_execute", hear),
    )


async def _bind_raw(body: Body, cell: Cell, address: Address, schema: str) -> BoundLane:
    holding = HOLDINGS.get(cell.lane, "pool")
    settings = RawSettings(address, schema, cell.clients, holding, cell.transaction)
    pool = TARGETS[cell.target].raw(settings)
    await pool.open()
    return BoundLane(
        pool.bind(body), lambda: pool.opened, pool.statements.texts, pool.close, lambda: None
    )


def _bind_nothing(body: Body) -> BoundLane:
    async def operation(values: tuple[Any, ...]) -> Any:
        return await body(*values)

    async def close() -> None:
        pass

    return BoundLane(operation, lambda: 0, [], close, lambda: None)
