"""psycopg where it blocks: what it has beside the Database API, and psycopg_pool for threads."""

from collections.abc import Sequence
from typing import Any

import psycopg_pool
from sqlalchemy import Table

from ormbench.targets import dbapi, libpq
from ormbench.targets.postgresql_psycopg import pool_options, prepares
from ormbench.targets.raw import RawSettings


def keywords(settings: RawSettings) -> dict[str, Any]:
    """What ``connect`` takes, and what `ThreadPool` keeps for itself."""
    return {**libpq.keywords(settings), **prepares(settings.cache), **pool_options(settings)}


class Driver(dbapi.Driver):
    """What a raw lane receives: the Database API, COPY and pipelines."""

    __slots__ = ()

    def copy(self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Bring rows in by COPY, as text."""
        with self.connection.cursor().copy(self.statements.copy_text(table, columns)) as copy:
            for row in rows:
                copy.write_row(row)

    def copy_binary(
        self, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Bring rows in by COPY, in its binary format."""
        with self.connection.cursor().copy(self.statements.copy_binary(table, columns)) as copy:
            copy.set_types(self.statements.types(table, columns))
            for row in rows:
                copy.write_row(row)

    def pipeline(self) -> Any:
        """A block whose statements are sent without waiting for their answers: ``with``."""
        return self.connection.pipeline()


class ThreadPool(psycopg_pool.ConnectionPool):
    """psycopg's own pool, from its least and most connections and what ``connect`` takes."""

    def __init__(
        self,
        least: int,
        most: int,
        *,
        timeout: float = 30.0,
        close_returns: bool = False,
        **connect: Any,
    ) -> None:
        self._seen: list[object] = []  # a list's append() is safe in the threads that connect
        # psycopg_pool has it from 3.3
        returns: dict[str, Any] = {"close_returns": True} if close_returns else {}
        super().__init__(
            min_size=least,
            max_size=most,
            kwargs=connect,
            open=False,
            timeout=timeout,
            configure=self._seen.append,
            **returns,
        )
        self.open(wait=True)

    @property
    def connected(self) -> int:
        """Connections opened so far, replaced ones among them."""
        return len(self._seen)

    def closeall(self) -> None:
        """Close all connections, and end the threads of the pool."""
        self.close()
