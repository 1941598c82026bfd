"""psycopg_pool for threads, opened the way in which the Database API's raw pool opens one."""

from typing import Any

import psycopg_pool

from ormbench.targets import libpq
from ormbench.targets.postgresql_psycopg import pool_options
from ormbench.targets.raw import RawSettings


def keywords(settings: RawSettings) -> dict[str, Any]:
    """What ``connect`` takes, and what `ThreadPool` keeps for itself."""
    return {**libpq.keywords(settings), **pool_options(settings)}


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
