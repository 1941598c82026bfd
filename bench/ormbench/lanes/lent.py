"""SQLAlchemy's engine over the driver's own pool.

SQLAlchemy keeps no connection then: it takes one from that pool for each checkout, and closing it
gives it back. To its dialect each is a new one: what it does to new connections (SET NAMES on
MySQL and MariaDB, codecs on asyncpg, which make it prepare again) it does at each checkout.
"""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ormbench.background import in_background
from ormbench.cell import Cell
from ormbench.lanes.engine import at_each_checkout, clients_each, engine_settings, wanted_pool
from ormbench.servers.server import Address
from ormbench.targets.raw import LendingPool, RawSettings, Rows, SyncLendingPool
from ormbench.targets.target import TARGETS


class LentEngine:
    """An engine whose connections are lent by the driver's pool."""

    def __init__(self, cell: Cell, address: Address, schema: str) -> None:
        self._pool = cast("LendingPool", _pool(cell, address, schema))
        settings = engine_settings(cell, address, schema)
        self.engine: AsyncEngine = create_async_engine(**settings, async_creator=self._pool.lend)
        options = at_each_checkout(cell)
        self.handed = self.engine.execution_options(**options) if options else self.engine

    @property
    def opened(self) -> int:
        """Connections that the driver's pool has opened so far."""
        return self._pool.opened

    async def open(self) -> None:
        """Open the whole pool; with its first connection, SQLAlchemy learns what server that is."""
        await self._pool.open()
        async with self.engine.connect():
            pass

    async def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """For each connection, all at once, the rows of each statement."""
        return await self._pool.ask(statements)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        await self._pool.close()


class LentSyncEngine:
    """The same for a driver that blocks."""

    def __init__(self, cell: Cell, address: Address, schema: str) -> None:
        self._pool = cast("SyncLendingPool", _pool(cell, address, schema))
        settings = engine_settings(cell, address, schema)
        self.engine = create_engine(**settings, creator=self._pool.lend)
        options = at_each_checkout(cell)
        self.handed = self.engine.execution_options(**options) if options else self.engine

    @property
    def opened(self) -> int:
        """Connections that the driver's pool has opened so far."""
        return self._pool.opened

    async def open(self) -> None:
        """See LentEngine."""
        await in_background(self._open)

    def _open(self) -> None:
        self._pool.open()
        with self.engine.connect():
            pass

    async def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """See LentEngine."""
        return await in_background(lambda: self._pool.ask(statements))

    async def close(self) -> None:
        """Close every connection."""
        await in_background(self._close)

    def _close(self) -> None:
        self.engine.dispose()
        self._pool.close()


def _pool(cell: Cell, address: Address, schema: str) -> Any:
    """The driver's pool, as its raw lanes have it, and with what it sends as it is shipped."""
    target, wanted = TARGETS[cell.target], wanted_pool(cell)
    return target.driver.raw(
        RawSettings(
            target.within(address, schema),
            target.statements(),
            schema,
            wanted.plain(clients_each(cell)),
            "pool" if wanted.reset == "none" else "shipped-pool",
            "per-operation",  # SQLAlchemy begins, and sets the level, by itself
            timeout=wanted.timeout,
            lent=True,
        )
    )
