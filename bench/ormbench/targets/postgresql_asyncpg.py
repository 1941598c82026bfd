"""asyncpg by itself: its own pool, its own transaction, and what a raw lane receives."""

from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
from sqlalchemy import ClauseElement, Table

from ormbench.targets.raw import (
    Body,
    Door,
    EngineCache,
    Operation,
    PoolTimeoutError,
    RawSettings,
    Rows,
)
from ormbench.targets.statements import Statements

RESET_SECONDS = 30.0  # without it, asyncpg holds the reset to the time-out of the checkout


def connect_args(schema: str) -> dict[str, Any]:
    """What SQLAlchemy hands to ``asyncpg.connect`` so that names resolve in *schema*."""
    return {"server_settings": {"search_path": schema}}


def cache(statements: int) -> EngineCache:
    """Both keep statements: SQLAlchemy what it has asyncpg prepare, and asyncpg below it."""
    names = ("prepared_statement_cache_size", "statement_cache_size")
    return {"connect_args": dict.fromkeys(names, statements)}


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
        """Run a statement once for each row, with the driver's executemany().

        *columns* are those of an INSERT, or the names of another statement's parameters.
        """
        done: Awaitable[Any] = self.connection.executemany(
            self.statements.many(statement, columns), rows
        )
        return done

    def copy_binary(
        self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> Awaitable[Any]:
        """Bring rows in by COPY; asyncpg makes its binary format of them."""
        done: Awaitable[Any] = self.connection.copy_records_to_table(
            table.name, schema_name=table.schema, records=rows, columns=columns
        )
        return done


class Lent:
    """A connection as SQLAlchemy takes one: close() gives it back to the pool."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, connection: Any, pool: Any) -> None:
        self._connection = connection
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        """All else is the connection's."""
        return getattr(self._connection, name)

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - SQLAlchemy gives one to a connection that it gives up
        """Back to the pool, which resets it."""
        await self._pool.release(self._connection, timeout=timeout or RESET_SECONDS)


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
        if settings.cache is not None:
            self._connect["statement_cache_size"] = settings.cache
        if settings.isolation is not None:
            self._connect["server_settings"]["default_transaction_isolation"] = settings.isolation

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

    @property
    def door(self) -> Door | None:
        """Of the class: an asyncpg pool has slots, and takes no method of its own."""
        return None if self._pool is None else (type(self._pool), "_acquire")

    async def lend(self) -> Lent:
        """See raw.LendingPool."""
        return Lent(await self._within(), self._pool)

    async def _within(self) -> Any:
        """A connection of the pool. Raises PoolTimeoutError after the time-out, if there is one."""
        limit = self._settings.timeout
        try:
            return await self._pool.acquire(timeout=limit)
        except TimeoutError:
            if limit is None:  # connecting took too long, and nobody has waited for the pool
                raise
            raise PoolTimeoutError(f"no connection in {limit:g} s") from None

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
        if self._settings.timeout is not None:
            return self._bind_limited(body)
        pool, statements = self._pool, self.statements

        async def in_transaction(values: tuple[Any, ...]) -> Any:
            async with pool.acquire() as connection, connection.transaction():
                return await body(Driver(connection, statements), *values)

        async def autocommit(values: tuple[Any, ...]) -> Any:
            async with pool.acquire() as connection:
                return await body(Driver(connection, statements), *values)

        return autocommit if self._settings.transaction == "autocommit" else in_transaction

    def _bind_limited(self, body: Body) -> Operation:
        pool, statements, take = self._pool, self.statements, self._within

        async def in_transaction(values: tuple[Any, ...]) -> Any:
            connection = await take()
            try:
                async with connection.transaction():
                    return await body(Driver(connection, statements), *values)
            finally:
                await pool.release(connection, timeout=RESET_SECONDS)

        async def autocommit(values: tuple[Any, ...]) -> Any:
            connection = await take()
            try:
                return await body(Driver(connection, statements), *values)
            finally:
                await pool.release(connection, timeout=RESET_SECONDS)

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
