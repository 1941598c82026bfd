"""What MySQL and MariaDB count for the whole server, beside what each connection knows of itself.

Read on the coordinator's own connection, with its own share of it. A connection that ends leaves
its counts in the server's; its good-bye is a question that only the server's total has.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from ormbench.run.churn import Grown
from ormbench.truth.counters import STATUS, joined
from ormbench.truth.tables import Tables

_OWN = "SELECT CONNECTION_ID()"
_SESSIONS, _PRESENT = "Connections", "Threads_connected"
_NAMES = ", ".join(f"'{name}'" for name in (*STATUS, _SESSIONS, _PRESENT))
_STATUS = f"SHOW {{}} STATUS WHERE Variable_name IN ({_NAMES})"
_LEAVING_SECONDS = 0.3  # within which a connection that was closed has left the server


@dataclass(frozen=True, slots=True)
class Status:
    """The server's counters at one moment, without the coordinator's own."""

    connection: int  # the coordinator's
    counters: Mapping[str, int]
    sessions: int  # so far
    beside: int  # connections that are open and no pool's

    def grown(self, since: "Status") -> Grown | None:
        """What they grew by *since* then; None where the coordinator itself connected again."""
        if self.connection != since.connection:
            return None
        found = {name: value - since.counters[name] for name, value in self.counters.items()}
        return Grown(
            sessions=self.sessions - since.sessions,
            counters=joined(found),
            strangers=self.beside != since.beside,
            session_word=_SESSIONS,
        )


def status(tables: Tables, known: int, beside: int = 0) -> Status:
    """Read them, when of all connections no more are open than the *known* and those *beside*.

    Those that are just leaving get a moment for it. Raises DBAPIError where the server refuses.
    """
    until = time.monotonic() + _LEAVING_SECONDS
    with tables.connected() as connection:
        own = connection.exec_driver_sql(_OWN).scalar_one()
        while True:
            mine, every = _read(connection, "SESSION"), _read(connection, "GLOBAL")
            others = every[_PRESENT] - known - 1
            if others <= beside or time.monotonic() > until:
                break
            time.sleep(0.005)
    counters = {name: every[name] - mine[name] for name in STATUS if name in every}
    return Status(own, counters, every[_SESSIONS], others)


def _read(connection: Connection, whose: str) -> dict[str, int]:
    rows = connection.exec_driver_sql(_STATUS.format(whose)).all()
    return {name: int(value) for name, value in rows}
