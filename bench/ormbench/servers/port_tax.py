"""What a port of Docker costs against a socket of the same server: a tax on every round trip."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ormbench.servers.control import mysql_connection, postgresql_connection
from ormbench.servers.server import Address

_PAIRS = 60
_QUERIES = 20  # of a half pair: a few ms, longer than what disturbs a single query
_WARM_UP = 50
_QUERY = "SELECT 1"

UNKNOWN = "not measurable here, for want of a socket; a run in the servers' network pays none"


@dataclass(frozen=True, slots=True)
class PortTax:
    """A trivial query by port takes so many times as long as by socket: median and quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"port tax {self.median:.2f}x [{self.low:.2f}, {self.high:.2f}]"


def measure(socket: Address, port: Address, pairs: int = _PAIRS) -> PortTax:
    """Same server, same driver, same query, by both ways in turn. Raises ServerError."""
    with _asker(socket) as by_socket, _asker(port) as by_port:
        _spend(by_socket, _WARM_UP)
        _spend(by_port, _WARM_UP)
        return of([_pair(by_socket, by_port, turn) for turn in range(pairs)])


def of(ratios: list[float]) -> PortTax:
    """The tax that these ratios of pairs say."""
    low, median, high = statistics.quantiles(ratios, n=4)
    return PortTax(median, low, high)


def _pair(by_socket: Callable[[], None], by_port: Callable[[], None], turn: int) -> float:
    """One ratio; which of the two goes first changes from turn to turn."""
    if turn % 2:
        base = _spend(by_socket, _QUERIES)
        return _spend(by_port, _QUERIES) / base
    taxed = _spend(by_port, _QUERIES)
    return taxed / _spend(by_socket, _QUERIES)


def _spend(ask: Callable[[], None], times: int) -> int:
    start = time.perf_counter_ns()
    for _ in range(times):
        ask()
    return time.perf_counter_ns() - start


@contextmanager
def _asker(address: Address) -> Iterator[Callable[[], None]]:
    """A function that asks once, on one connection."""
    connected = postgresql_connection if address.product == "PostgreSQL" else mysql_connection
    with connected(address) as connection, connection.cursor() as cursor:

        def ask() -> None:
            cursor.execute(_QUERY)
            cursor.fetchone()

        yield ask
