"""asyncpg by itself: its own pool, its own transaction, and what a raw lane receives."""

from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
from sqlalchemy import ClauseElement

from ormbench.targets.raw import Body, Operation, RawSettings, Rows
from ormbench.targets.statements import Statements


def connect_args(schema: str) -> dict[str, Any]:
    """What SQLAlchemy hands to ``asyncpg.connect`` so that names resolve in *schema*."""
    return {"server_settings": {"search_path": schema}}


class Driver:
    """What a raw lane receives: a connection that takes Core's statements."""

    __slots__ = ("connection", "statements")

    def __init__(self, connection: Any, statements: Statements) -> None:
        self.connection = connection
        self.statements = statements

    def fetch_one(self, statement: ClauseElement, *values: Any) -> Awaitable[Any]:
        """The first row, as asyncpg's Record."""
        sql, bind = self.statements[statement]
        row: Awaitable[Any] = self.connection.fetchrow(sql, *(bind(values) if bind else values))
        return row

    def fetch_all(self, statement: ClauseElement, *values: Any) -> Awaitable[Any]:
        """All rows, as a list of asyncpg's Records."""
        sql, bind = self.statements[statement]
        rows: Awaitable[Any] = self.connection.fetch(sql, *(bind(values) if bind else values))
        return rows

    def execute(self, statement: ClauseElement, *values: Any) -> Awaitable[Any]:
        """Run a statement that returns no rows."""
        sql, bind = self.statements[statement]
        done: Awaitable[Any] = self.connection.execute(sql, *(bind(values) if bind else values))
        return done

    def execute_many(
        self, statement: ClauseElement, rows: Sequence[tuple[Any, ...]], columns: Sequence[str]
    ) -> Awaitable[Any]:
        """Run an INSERT once for each row, with the driver's executemany()."""
        done: Awaitable[Any] = self.connection.executemany(
            self.statements.insert(statement, columns), rows
        )
        return done


async def _no_reset(_connection: Any) -> None:
    """In the place of the reset query that asyncpg's pool sends on every return."""


class Pool:
    """asyncpg's connections, held or pooled, for one arm."""

    def __init__(self, settings: RawSettings) -> None:
        address = settings.address
        self.opened = 0
        self._settings = settings
        self.statements = settings.statements
        self._held: list[Any] = []
        self._pool: Any = None
        self._connect: dict[str, Any] = {
            "host": address.host,
            "port": address.port,
            "user": address.user,
            "password": address.password or None,
            "database": address.database,
            "ssl": "disable" if address.host.startswith("/") else "prefer",
            **connect_args(settings.schema),
        }

    async def open(self) -> None:
        """Open all connections of the pool, or those that are held."""
        if self._settings.holding == "held":
            for _ in range(self._settings.size):
                self._held.append(await asyncpg.connect(**self._connect))
                await self._count(None)
            return
        reset = {"reset": _no_reset} if self._settings.holding == "pool" else {}
        self._pool = await asyncpg.create_pool(
            **self._connect,
            **reset,
            min_size=self._settings.size,
            max_size=self._settings.size,
            max_inactive_connection_lifetime=0,
            init=self._count,
        )

    async def _count(self, _connection: Any) -> None:
        self.opened += 1

    async def close(self) -> None:
        """Close all connections."""
        for connection in self._held:
            await connection.close()
        if self._pool is not None:
            await self._pool.close()

    async def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """For each connection the rows of each statement, which is a transaction by itself."""
        async with AsyncExitStack() as held:
            connections = list(self._held)
            if self._pool is not None:
                connections = [
                    await held.enter_async_context(self._pool.acquire())
                    for _ in range(self._settings.size)
                ]
            return [
                [[tuple(row) for row in await connection.fetch(one)] for one in statements]
                for connection in connections
            ]

    def bind(self, body: Body) -> Operation:
        """The unit of work around *body*, for this pool and transaction shape."""
        if self._settings.holding == "held":
            return self._bind_held(body)
        return self._bind_pooled(body)

    def _bind_pooled(self, body: Body) -> Operation:
        pool, statements = self._pool, self.statements

        async def in_transaction(values: tuple[Any, ...]) -> Any:
            async with pool.acquire() as connection, connection.transaction():
                return await body(Driver(connection, statements), *values)

        async def autocommit(values: tuple[Any, ...]) -> Any:
            async with pool.acquire() as connection:
                return await body(Driver(connection, statements), *values)

        return autocommit if self._settings.transaction == "autocommit" else in_transaction

    def _bind_held(self, body: Body) -> Operation:
        idle = [Driver(connection, self.statements) for connection in self._held]

        async def in_transaction(values: tuple[Any, ...]) -> Any:
            driver = idle.pop()
            try:
                async with driver.connection.transaction():
                    return await body(driver, *values)
            finally:
                idle.append(driver)

        async def autocommit(values: tuple[Any, ...]) -> Any:
            driver = idle.pop()
            try:
                return await body(driver, *values)
            finally:
                idle.append(driver)

        return autocommit if self._settings.transaction == "autocommit" else in_transaction
