"""psycopg by itself: psycopg_pool, implicit transactions, and what a raw lane receives."""

import inspect
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

import psycopg
import psycopg_pool
from sqlalchemy import ClauseElement, Table
from sqlalchemy.pool import ConnectionPoolEntry

from ormbench.targets.libpq import keywords
from ormbench.targets.raw import Body, Door, EngineCache, Operation, RawSettings, Rows
from ormbench.targets.statements import Statements

Connection = psycopg.AsyncConnection[Any]
CAN_LEND = "close_returns" in inspect.signature(psycopg_pool.AsyncConnectionPool).parameters
"""Whether a connection of its pool comes back when it is closed: from psycopg_pool 3.3 on."""


def pool_options(settings: RawSettings) -> dict[str, Any]:
    """What psycopg_pool is told beside its sizes, async or not."""
    limit = {} if settings.timeout is None else {"timeout": settings.timeout}
    return {**limit, **({"close_returns": True} if settings.lent else {})}


def prepares(statements: int | None) -> dict[str, Any]:
    """What ``connect`` is told of the statements that a connection keeps: only where it is none."""
    return {"prepare_threshold": None} if statements == 0 else {}


def limit(connection: Any, settings: RawSettings) -> None:
    """Tell a connection, which can be told no sooner, how many statements it keeps."""
    if settings.cache:
        connection.prepared_max = settings.cache


def cache(statements: int) -> EngineCache:
    """Of SQLAlchemy's connections, each is told when it is there."""
    if not statements:
        return {"connect_args": prepares(statements)}

    def connected(_adapted: Any, record: ConnectionPoolEntry) -> None:
        connection: Any = record.driver_connection
        connection.prepared_max = statements

    return {"pool_events": [(connected, "connect")]}


class Driver:
    """What a raw lane receives: a connection that takes Core's statements."""

    __slots__ = ("connection", "statements")

    def __init__(self, connection: Any, statements: Statements) -> None:
        self.connection = (
            connection  # Any: psycopg's own type takes no text that is made at run time
        )
        self.statements = statements

    async def fetch_one(self, statement: ClauseElement, *values: Any) -> Any:
        """The first row, as a tuple."""
        sql, bind = self.statements[statement]
        return await (
            await self.connection.execute(sql, bind(values) if bind else values)
        ).fetchone()

    async def fetch_all(self, statement: ClauseElement, *values: Any) -> Any:
        """All rows, as a list of tuples."""
        sql, bind = self.statements[statement]
        return await (
            await self.connection.execute(sql, bind(values) if bind else values)
        ).fetchall()

    async def execute(self, statement: ClauseElement, *values: Any) -> Any:
        """Run a statement that returns no rows."""
        sql, bind = self.statements[statement]
        return await self.connection.execute(sql, bind(values) if bind else values)

    async def execute_many(
        self, statement: ClauseElement, rows: Sequence[tuple[Any, ...]], columns: Sequence[str]
    ) -> Any:
        """Run a statement once for each row, with the driver's executemany().

        *columns* are those of an INSERT, or the names of another statement's parameters.
        """
        sql = self.statements.many(statement, columns)
        return await self.connection.cursor().executemany(sql, rows)

    async def copy(
        self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Bring rows in by COPY, as text."""
        sql = self.statements.copy_text(table, columns)
        async with self.connection.cursor().copy(sql) as copy:
            for row in rows:
                await copy.write_row(row)

    async def copy_binary(
        self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Bring rows in by COPY, in its binary format."""
        sql = self.statements.copy_binary(table, columns)
        async with self.connection.cursor().copy(sql) as copy:
            copy.set_types(self.statements.types(table, columns))
            for row in rows:
                await copy.write_row(row)

    def pipeline(self) -> Any:
        """A block whose statements are sent without waiting for their answers: ``async with``."""
        return self.connection.pipeline()


class Pool:
    """psycopg's connections, held or pooled, for one arm."""

    def __init__(self, settings: RawSettings) -> None:
        self.opened = 0
        self._settings = settings
        self.statements = settings.statements
        self._held: list[Connection] = []
        self._pool: psycopg_pool.AsyncConnectionPool[Connection] | None = None
        self._connect: dict[str, Any] = {
            **keywords(settings),
            **prepares(settings.cache),
            "autocommit": settings.transaction == "autocommit",
        }

    async def open(self) -> None:
        """Open all connections of the pool, or those that are held."""
        if self._settings.holding == "held":
            for _ in range(self._settings.size):
                self._held.append(await psycopg.AsyncConnection.connect(**self._connect))
                await self._count(self._held[-1])
            return
        self._pool = psycopg_pool.AsyncConnectionPool(
            kwargs=self._connect,
            min_size=self._settings.size,
            max_size=self._settings.size,
            open=False,
            configure=self._count,
            **pool_options(self._settings),
        )
        await self._pool.open(wait=True)

    async def _count(self, connection: Connection) -> None:
        self.opened += 1
        limit(connection, self._settings)

    @property
    def door(self) -> Door | None:
        """See raw.RawPool."""
        return None if self._pool is None else (self._pool, "getconn")

    async def lend(self) -> Connection:
        """See raw.LendingPool."""
        assert self._pool is not None  # noqa: S101 - who holds connections lends none
        return await self._pool.getconn()

    async def close(self) -> None:
        """Close all connections."""
        for connection in self._held:
            await connection.close()
        if self._pool is not None:
            await self._pool.close()

    async def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """For each connection the rows of each statement; what they began is committed.

        A ROLLBACK would take the connection's prepared statements with it.
        """
        async with AsyncExitStack() as held:
            connections: list[Any] = list(self._held)
            if self._pool is not None:
                connections = [
                    await held.enter_async_context(self._pool.connection())
                    for _ in range(self._settings.size)
                ]
            return [await _asked(connection, statements) for connection in connections]

    def bind(self, body: Body) -> Operation:
        """The unit of work around *body*; psycopg begins by itself, the pool's exit commits."""
        statements, pool = self.statements, self._pool
        idle = [Driver(connection, statements) for connection in self._held]

        async def held(values: tuple[Any, ...]) -> Any:
            driver = idle.pop()
            try:
                answer = await body(driver, *values)
                await driver.connection.commit()
            except BaseException:
                with suppress(psycopg.Error):  # the first error is the one to tell
                    await driver.connection.rollback()
                raise
            else:
                return answer
            finally:
                idle.append(driver)

        async def pooled(values: tuple[Any, ...]) -> Any:
            async with opened.connection() as connection:
                return await body(Driver(connection, statements), *values)

        if pool is None:
            return held
        opened = pool
        return pooled


async def _asked(connection: Any, statements: Sequence[str]) -> list[Rows]:
    try:
        found = [await (await connection.execute(one)).fetchall() for one in statements]
        await connection.commit()
    except BaseException:
        await connection.rollback()
        raise
    return found
