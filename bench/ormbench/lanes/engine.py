"""SQLAlchemy's engine for one arm: its pool opened beforehand, its connections counted."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ormbench.background import in_background
from ormbench.cell import Cell
from ormbench.servers.server import Address
from ormbench.targets.raw import Rows
from ormbench.targets.target import TARGETS


class CountedEngine:
    """An engine whose pool holds exactly as many connections as the cell has clients."""

    def __init__(self, cell: Cell, address: Address, schema: str) -> None:
        self.opened = 0
        self._size = cell.clients
        self.engine: AsyncEngine = create_async_engine(**_settings(cell, address, schema))
        event.listen(self.engine.sync_engine, "connect", self._count)

    def _count(self, *_: Any) -> None:
        self.opened += 1

    async def open(self) -> None:
        """Check out every connection at once, so that the pool opens them all."""
        barrier = asyncio.Barrier(self._size)

        async def hold() -> None:
            connection: AsyncConnection
            async with self.engine.connect() as connection:
                await connection.exec_driver_sql("SELECT 1")
                await barrier.wait()

        async with asyncio.TaskGroup() as group:
            for _ in range(self._size):
                group.create_task(hold())

    async def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """For each connection, all checked out at once, the rows of each statement.

        What they began is committed: psycopg's prepared statements would not survive a ROLLBACK.
        """
        async with AsyncExitStack() as held:
            connections = [
                await held.enter_async_context(self.engine.connect()) for _ in range(self._size)
            ]
            return [await _asked(connection, statements) for connection in connections]

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class CountedSyncEngine:
    """The same for a driver that blocks; what blocks happens beside the event loop."""

    def __init__(self, cell: Cell, address: Address, schema: str) -> None:
        self.opened = 0
        self._size = cell.clients
        self.engine: Engine = create_engine(**_settings(cell, address, schema))
        event.listen(self.engine, "connect", self._count)

    def _count(self, *_: Any) -> None:
        self.opened += 1

    async def open(self) -> None:
        """Check out every connection at once, so that the pool opens them all."""
        await in_background(self._open)

    def _open(self) -> None:
        with ExitStack() as held:
            for _ in range(self._size):
                connection = held.enter_context(self.engine.connect())
                connection.exec_driver_sql("SELECT 1")

    async def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """See CountedEngine."""
        return await in_background(lambda: self._ask(statements))

    def _ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        with ExitStack() as held:
            connections = [held.enter_context(self.engine.connect()) for _ in range(self._size)]
            return [_asked_sync(connection, statements) for connection in connections]

    async def close(self) -> None:
        """Close every connection that came back."""
        await in_background(self.engine.dispose)


async def _asked(connection: AsyncConnection, statements: Sequence[str]) -> list[Rows]:
    return await connection.run_sync(lambda sync: _asked_sync(sync, statements))


def _asked_sync(connection: Connection, statements: Sequence[str]) -> list[Rows]:
    found = [[tuple(row) for row in connection.exec_driver_sql(one)] for one in statements]
    connection.commit()
    return found


def _settings(cell: Cell, address: Address, schema: str) -> dict[str, Any]:
    target = TARGETS[cell.target]
    autocommit = {"isolation_level": "AUTOCOMMIT"} if cell.transaction == "autocommit" else {}
    return {
        "url": target.within(address, schema).url(target.drivername),
        "connect_args": target.driver.connect_args(schema),
        "pool_size": cell.clients,
        "max_overflow": 0,
        **autocommit,
    }
