"""aiomysql and asyncmy by themselves: cursors, their pools, and what a raw lane receives.

asyncmy descends from aiomysql, and a program that uses the one reads like one that uses the other.
No BEGIN is sent: with autocommit off the server begins by itself.
"""

import importlib
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

from sqlalchemy import ClauseElement, Table

from ormbench.targets import tab_lines
from ormbench.targets.mysql import SET_NAMES, keywords, session_level
from ormbench.targets.raw import Body, Door, EngineCache, Operation, RawSettings, Rows
from ormbench.targets.statements import Statements


def cache(statements: int) -> EngineCache:
    """asyncmy's: with one, statements are prepared, and values sent in their binary form."""
    return {"connect_args": _cached(statements)}


def _cached(statements: int | None) -> dict[str, Any]:
    return {} if statements is None else {"stmt_cache_size": statements}


class Driver:
    """What a raw lane receives: a connection that takes Core's statements.

    A cursor holds all rows of its answer, so that nothing is left to close.
    """

    __slots__ = ("connection", "statements")

    def __init__(self, connection: Any, statements: Statements) -> None:
        self.connection = connection
        self.statements = statements

    async def fetch_one(self, statement: ClauseElement, *values: Any) -> Any:
        """The first row, as a tuple; None where there is none."""
        sql, bind = self.statements[statement]
        cursor = await self.connection.cursor()
        await cursor.execute(sql, bind(values) if bind else values)
        return await cursor.fetchone()

    async def fetch_all(self, statement: ClauseElement, *values: Any) -> Any:
        """All rows, as a sequence of tuples."""
        sql, bind = self.statements[statement]
        cursor = await self.connection.cursor()
        await cursor.execute(sql, bind(values) if bind else values)
        return await cursor.fetchall()

    async def execute(self, statement: ClauseElement, *values: Any) -> Any:
        """Run a statement that returns no rows; how many it found."""
        sql, bind = self.statements[statement]
        cursor = await self.connection.cursor()
        return await cursor.execute(sql, bind(values) if bind else values)

    async def execute_many(
        self, statement: ClauseElement, rows: Sequence[tuple[Any, ...]], columns: Sequence[str]
    ) -> Any:
        """Run a statement for all rows: of an INSERT, the driver's executemany() makes one of them.

        *columns* are those of an INSERT, or the names of another statement's parameters.
        """
        cursor = await self.connection.cursor()
        return await cursor.executemany(self.statements.many(statement, columns), rows)

    async def load_data(
        self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> Any:
        """Write rows to a file and bring that in by LOAD DATA LOCAL; how many came in."""
        sql = self.statements.load_data(table, columns)
        cursor = await self.connection.cursor()
        with tab_lines.file_of(rows) as path:
            return await cursor.execute(sql, (path,))


class Lent:
    """A connection as SQLAlchemy takes one: closing gives it back to the pool."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, connection: Any, pool: Any) -> None:
        self._connection = connection
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        """All else is the connection's."""
        return getattr(self._connection, name)

    async def ensure_closed(self) -> None:
        """Back to the pool."""
        await self._pool.release(self._connection)

    def close(self) -> None:
        """Broken: the pool throws it away."""
        self._connection.close()
        self._pool.release(self._connection)


class Pool:
    """The connections of aiomysql or asyncmy, held or pooled, for one arm.

    Their pools replace, on the clock and without a word, an idle connection that the server closed.
    """

    def __init__(self, module: str, settings: RawSettings) -> None:
        self.statements = settings.statements
        self._module = module
        self._settings = settings
        self._held: list[Any] = []
        self._pool: Any = None
        self._ids: set[int] = set()  # the server's, of the connections that were ever seen here
        self._connect = {
            **keywords(settings),
            **_cached(settings.cache),
            "db": settings.address.database,
            "autocommit": settings.transaction == "autocommit",
            "init_command": ", ".join(filter(None, [SET_NAMES, session_level(settings)])),
        }

    @property
    def opened(self) -> int:
        """Connections opened so far; ask while none is checked out."""
        idle = self._held if self._pool is None else self._pool._free  # noqa: SLF001 - nothing public tells of a replaced one
        self._ids.update(connection.thread_id() for connection in idle)
        return len(self._ids)

    async def open(self) -> None:
        """Open all connections of the pool, or those that are held."""
        driver, size = importlib.import_module(self._module), self._settings.size
        if self._settings.holding == "held":
            for _ in range(size):
                self._held.append(await driver.connect(**self._connect))
        else:
            self._pool = await driver.create_pool(minsize=size, maxsize=size, **self._connect)

    @property
    def door(self) -> Door | None:
        """See raw.RawPool."""
        return None if self._pool is None else (self._pool, "_acquire")

    async def lend(self) -> Lent:
        """See raw.LendingPool."""
        return Lent(await self._pool.acquire(), self._pool)

    async def close(self) -> None:
        """Close all connections."""
        for connection in self._held:
            await connection.ensure_closed()
        if self._pool is not None:
            await self._pool.clear()
            self._pool.close()
            await self._pool.wait_closed()

    async def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """For each connection the rows of each statement; what they began is committed."""
        async with AsyncExitStack() as held:
            connections = list(self._held)
            if self._pool is not None:
                connections = [
                    await held.enter_async_context(self._pool.acquire())
                    for _ in range(self._settings.size)
                ]
            return [await _asked(connection, statements) for connection in connections]

    def bind(self, body: Body) -> Operation:
        """The unit of work around *body*, for this pool and transaction shape."""
        unit = body if self._settings.transaction == "autocommit" else _committed(body)
        pool, statements = self._pool, self.statements
        idle = [Driver(connection, statements) for connection in self._held]

        async def held(values: tuple[Any, ...]) -> Any:
            driver = idle.pop()
            try:
                return await unit(driver, *values)
            finally:
                idle.append(driver)

        async def pooled(values: tuple[Any, ...]) -> Any:
            async with pool.acquire() as connection:
                return await unit(Driver(connection, statements), *values)

        return held if pool is None else pooled


def _committed(body: Body) -> Body:
    async def unit(driver: Driver, *values: Any) -> Any:
        try:
            answer = await body(driver, *values)
            await driver.connection.commit()
        except BaseException:
            with suppress(Exception):  # of a broken connection: the first error is the one to tell
                await driver.connection.rollback()
            raise
        return answer

    return unit


async def _asked(connection: Any, statements: Sequence[str]) -> list[Rows]:
    found = [await _rows(connection, one) for one in statements]
    await connection.commit()
    return found


async def _rows(connection: Any, statement: str) -> Rows:
    cursor = await connection.cursor()
    await cursor.execute(statement)
    return list(await cursor.fetchall())
