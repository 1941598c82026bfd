"""Blocking drivers by themselves, by the Python Database API alone, and what a raw lane receives.

What differs between them is in their rows: the module, how ``connect`` is told where to, the pool
that they bring, and what a lane receives where a driver has more than that API. Such a pool is a
callable that takes the least and the most connections and what ``connect`` takes, and gives an
object with ``getconn``, ``putconn`` and ``closeall``.
"""

import importlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import ClauseElement

from ormbench.targets.raw import Door, RawSettings, Rows, SyncBody, SyncOperation
from ormbench.targets.statements import Statements


class Driver:
    """What a raw lane receives: a connection that takes Core's statements.

    A cursor holds all rows of its answer, so that nothing is left to close.
    """

    __slots__ = ("connection", "statements")

    def __init__(self, connection: Any, statements: Statements) -> None:
        self.connection = connection
        self.statements = statements

    def fetch_one(self, statement: ClauseElement, *values: Any) -> Any:
        """The first row, as a tuple; None where there is none."""
        sql, bind = self.statements[statement]
        cursor = self.connection.cursor()
        cursor.execute(sql, bind(values) if bind else values)
        return cursor.fetchone()

    def fetch_all(self, statement: ClauseElement, *values: Any) -> Any:
        """All rows, as a sequence of tuples."""
        sql, bind = self.statements[statement]
        cursor = self.connection.cursor()
        cursor.execute(sql, bind(values) if bind else values)
        return cursor.fetchall()

    def execute(self, statement: ClauseElement, *values: Any) -> Any:
        """Run a statement that returns no rows; what the driver says to it."""
        sql, bind = self.statements[statement]
        return self.connection.cursor().execute(sql, bind(values) if bind else values)

    def execute_many(
        self, statement: ClauseElement, rows: Sequence[tuple[Any, ...]], columns: Sequence[str]
    ) -> Any:
        """Run a statement for all rows, with the driver's executemany().

        *columns* are those of an INSERT, or the names of another statement's parameters.
        """
        sql = self.statements.many(statement, columns)
        return self.connection.cursor().executemany(sql, rows)


class Pool:
    """A blocking driver's connections, held or pooled, for one arm."""

    def __init__(
        self,
        module: str,
        keywords: Callable[[RawSettings], dict[str, Any]],
        own: str | None,  # where the driver's pool is: "package.module:name"; None: it has none
        settings: RawSettings,
        given: type[Driver] = Driver,  # what a lane receives
        tell: Callable[[Any, RawSettings], None] | None = None,  # to each connection, once
    ) -> None:
        self._opened = 0
        self._given = given
        self._tell = tell
        self.statements = settings.statements
        self._module = module
        self._own = own if settings.holding != "held" else None
        self._settings = settings
        self._held: list[Any] = []
        self._pool: Any = None
        self._connect = keywords(settings)

    def open(self) -> None:
        """Open all connections of the pool, or those that are held."""
        driver, size = importlib.import_module(self._module), self._settings.size
        if self._own is None:
            self._held = [driver.connect(**self._connect) for _ in range(size)]
            opened = self._held
        else:
            place, _, name = self._own.partition(":")
            pool = getattr(importlib.import_module(place), name)
            self._pool = pool(size, size, **self._connect)
            opened = [self._pool.getconn() for _ in range(size)]
        for connection in opened:
            _set_autocommit(connection, self._settings.transaction == "autocommit")
            if self._tell:
                self._tell(connection, self._settings)
            if self._pool is not None:
                self._pool.putconn(connection)
        self._opened += size

    @property
    def opened(self) -> int:
        """Connections opened so far: a pool that replaces one unasked counts them itself.

        psycopg2's does it only where one broke, which has ended the cell by then.
        """
        return getattr(self._pool, "connected", self._opened)

    @property
    def door(self) -> Door | None:
        """See raw.SyncRawPool."""
        return None if self._pool is None else (self._pool, "getconn")

    def lend(self) -> Any:
        """See raw.SyncLendingPool."""
        return self._pool.getconn()

    def close(self) -> None:
        """Close all connections."""
        for connection in self._held:
            connection.close()
        if self._pool is not None:
            self._pool.closeall()

    def ask(self, statements: Sequence[str]) -> list[list[Rows]]:
        """For each connection the rows of each statement; what they began is committed.

        A ROLLBACK would take psycopg's prepared statements with it.
        """
        if self._pool is None:
            return [_asked(connection, statements) for connection in self._held]
        taken: list[Any] = []
        try:
            taken += (self._pool.getconn() for _ in range(self._settings.size))
            return [_asked(connection, statements) for connection in taken]
        finally:
            for connection in taken:
                self._pool.putconn(connection)

    def bind(self, body: SyncBody) -> SyncOperation:
        """The unit of work around *body*, for this pool and transaction shape.

        Clients are threads, one for each connection: a list's pop() and append() are all the
        care that idle connections need.
        """
        unit = body if self._settings.transaction == "autocommit" else _committed(body)
        pool, statements, given = self._pool, self.statements, self._given
        idle = [given(connection, statements) for connection in self._held]

        def held(values: tuple[Any, ...]) -> Any:
            driver = idle.pop()
            try:
                return unit(driver, *values)
            finally:
                idle.append(driver)

        def pooled(values: tuple[Any, ...]) -> Any:
            connection = pool.getconn()
            try:
                return unit(given(connection, statements), *values)
            finally:
                pool.putconn(connection)

        return held if pool is None else pooled


def _committed(body: SyncBody) -> SyncBody:
    def unit(driver: Driver, *values: Any) -> Any:
        try:
            answer = body(driver, *values)
            driver.connection.commit()
        except BaseException:
            with suppress(Exception):  # of a broken connection: the first error is the one to tell
                driver.connection.rollback()
            raise
        return answer

    return unit


def _asked(connection: Any, statements: Sequence[str]) -> list[Rows]:
    try:
        found = [_rows(connection, one) for one in statements]
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return found


def _rows(connection: Any, statement: str) -> Rows:
    cursor = connection.cursor()
    cursor.execute(statement)
    return list(cursor.fetchall())


def _set_autocommit(connection: Any, wanted: bool) -> None:  # noqa: FBT001 - as drivers have it
    """What the Database API leaves open: a method here, an attribute there."""
    if callable(connection.autocommit):
        connection.autocommit(wanted)
    else:
        connection.autocommit = wanted
