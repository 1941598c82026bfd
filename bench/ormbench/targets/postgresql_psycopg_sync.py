"""psycopg_pool for threads, opened the way in which the Database API's raw pool opens one."""

from typing import Any

import psycopg_pool


class ThreadPool(psycopg_pool.ConnectionPool):
    """psycopg's own pool, from its least and most connections and what ``connect`` takes."""

    def __init__(self, least: int, most: int, **connect: Any) -> None:
        super().__init__(min_size=least, max_size=most, kwargs=connect, open=False)
        self.open(wait=True)

    def closeall(self) -> None:
        """Close all connections, and end the threads of the pool."""
        self.close()
