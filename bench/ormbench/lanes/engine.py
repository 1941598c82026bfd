"""SQLAlchemy's engine for one arm: its pool opened beforehand, its connections counted."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool, Pool, QueuePool, StaticPool

from ormbench import isolation, pool
from ormbench.background import in_background
from ormbench.cell import Cell
from ormbench.servers.server import Address
from ormbench.targets.raw import EngineCache, Rows
from ormbench.targets.target import TARGETS


class CountedEngine:
    """An engine with a pool of SQLAlchemy's, whose connections are counted."""

    def __init__(self, cell: Cell, address: Address, schema: str) -> None:
        self.opened = 0
        self._first = _opened_first(cell)
        self._kept = _kept(cell)
        self.engine: AsyncEngine = create_async_engine(**engine_settings(cell, address, schema))
        event.listen(self.engine.sync_engine, "connect", self._count)
        options = at_each_checkout(cell)  # a lane is handed a copy of the engine, where there are
        self.handed = self.engine.execution_options(**options) if options else self.engine

    def _count(self, *_: Any) -> None:
        self.opened += 1

    async def open(self) -> None:
        """Check out at once what will stay open, so that the pool opens it all."""
        barrier = asyncio.Barrier(self._first)

        async def hold() -> None:
            connection: AsyncConnection
            async with self.engine.connect() as connection:
                await connection.exec_driver_sql("SELECT 1")
                await barrier.wait()

        async with asyncio.TaskGroup() as group:
            for _ in range(self._first):
                group.create_task(hold())

    async def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """For each connection, all checked out at once, the rows of each statement.

        What they began is committed: psycopg's prepared statements would not survive a ROLLBACK.
        """
        async with AsyncExitStack() as held:
            connections = [
                await held.enter_async_context(self.engine.connect())
                for _ in range(_there(self.engine.pool, self._kept))
            ]
            return [await _asked(connection, statements) for connection in connections]

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class CountedSyncEngine:
    """The same for a driver that blocks; what blocks happens beside the event loop."""

    def __init__(self, cell: Cell, address: Address, schema: str) -> None:
        self.opened = 0
        self._first = _opened_first(cell)
        self._kept = _kept(cell)
        self.engine: Engine = create_engine(**engine_settings(cell, address, schema))
        event.listen(self.engine, "connect", self._count)
        options = at_each_checkout(cell)
        self.handed = self.engine.execution_options(**options) if options else self.engine

    def _count(self, *_: Any) -> None:
        self.opened += 1

    async def open(self) -> None:
        """Check out at once what will stay open, so that the pool opens it all."""
        await in_background(self._open)

    def _open(self) -> None:
        with ExitStack() as held:
            for _ in range(self._first):
                connection = held.enter_context(self.engine.connect())
                connection.exec_driver_sql("SELECT 1")

    async def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """See CountedEngine."""
        return await in_background(lambda: self._ask(statements))

    def _ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        with ExitStack() as held:
            there = _there(self.engine.pool, self._kept)
            connections = [held.enter_context(self.engine.connect()) for _ in range(there)]
            return [_asked_sync(connection, statements) for connection in connections]

    async def close(self) -> None:
        """Close every connection that came back."""
        await in_background(self.engine.dispose)


def wanted_pool(cell: Cell) -> pool.Pool:
    """The cell's pool."""
    return pool.parse(cell.pool) if cell.pool else pool.FITTED


def clients_each(cell: Cell) -> int:
    """Clients of each pool: those of one process."""
    return -(-cell.clients // cell.processes)


def _opened_first(cell: Cell) -> int:
    """Connections that are opened before anything is timed: those that stay and are needed.

    One where none stays: with its first, SQLAlchemy learns what server that is.
    """
    return max(1, _kept(cell))


def _kept(cell: Cell) -> int:
    """The connections that a cell's pool keeps open between operations, once it has them."""
    wanted, clients = wanted_pool(cell), clients_each(cell)
    return 0 if wanted.kind == "nullpool" else min(wanted.plain(clients), clients)


def _there(kept_in: Pool, size: int) -> int:
    """How many to ask of a pool that keeps *size*: all of them, and so that asking opens none."""
    if not isinstance(kept_in, QueuePool):
        return size
    idle = kept_in.checkedin()
    return idle if kept_in._max_overflow else max(size, idle)  # noqa: SLF001 - it has no other name


async def _asked(connection: AsyncConnection, statements: Sequence[str]) -> list[Rows]:
    return await connection.run_sync(lambda sync: _asked_sync(sync, statements))


def _asked_sync(connection: Connection, statements: Sequence[str]) -> list[Rows]:
    results = (connection.exec_driver_sql(one) for one in statements)
    found = [[tuple(row) for row in one] if one.returns_rows else [] for one in results]
    connection.commit()
    return found


def engine_settings(cell: Cell, address: Address, schema: str) -> dict[str, Any]:
    """What ``create_engine`` is given for a cell, but for what lends it connections."""
    target = TARGETS[cell.target]
    kept = _cache(cell)
    return {
        "url": target.within(address, schema).url(target.drivername),
        **kept,
        "connect_args": {**target.driver.connect_args(schema), **kept.get("connect_args", {})},
        **_pool(cell),
        **_isolation(cell),
    }


def _cache(cell: Cell) -> EngineCache:
    """What says how many statements a connection keeps; nothing where the cell does not."""
    made = TARGETS[cell.target].driver.cache
    return {} if made is None or cell.cache is None else made(cell.cache)


def _isolation(cell: Cell) -> dict[str, Any]:
    if cell.transaction == "autocommit":
        return {"isolation_level": "AUTOCOMMIT"}
    level = isolation.parse(cell.isolation) if cell.isolation else None
    return {"isolation_level": level.level} if level and level.scope == "engine" else {}


def at_each_checkout(cell: Cell) -> dict[str, Any]:
    """What is set on a connection that is handed out, and set back when it returns."""
    level = isolation.parse(cell.isolation) if cell.isolation else None
    return {"isolation_level": level.level} if level and level.scope == "connection" else {}


def _pool(cell: Cell) -> dict[str, Any]:
    """What SQLAlchemy calls the cell's pool."""
    wanted = wanted_pool(cell)
    common: dict[str, Any] = {
        "pool_pre_ping": wanted.ping,
        "pool_recycle": -1 if wanted.recycle is None else wanted.recycle,
        "pool_reset_on_return": None if wanted.reset == "none" else "rollback",
    }
    if wanted.kind in {"nullpool", "driver"}:  # over the driver's pool SQLAlchemy keeps none
        return {**common, "poolclass": NullPool}
    if wanted.kind == "static":
        return {**common, "poolclass": StaticPool}
    if wanted.timeout is not None:
        common["pool_timeout"] = wanted.timeout
    sizes = {"pool_size": wanted.plain(clients_each(cell)), "max_overflow": wanted.overflow}
    return {**common, **sizes, "pool_use_lifo": wanted.lifo}
