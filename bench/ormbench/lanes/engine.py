"""SQLAlchemy's engine for one arm: its pool opened beforehand, its connections counted."""

import asyncio
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ormbench.cell import Cell
from ormbench.servers.server import Address
from ormbench.targets.target import TARGETS


class CountedEngine:
    """An engine whose pool holds exactly as many connections as the cell has clients."""

    def __init__(self, cell: Cell, address: Address, schema: str) -> None:
        autocommit = {"isolation_level": "AUTOCOMMIT"} if cell.transaction == "autocommit" else {}
        self.opened = 0
        self._size = cell.clients
        self.engine: AsyncEngine = create_async_engine(
            address.url(cell.target),
            connect_args=TARGETS[cell.target].connect_args(schema),
            pool_size=cell.clients,
            max_overflow=0,
            **autocommit,
        )
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

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
