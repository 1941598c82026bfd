"""What the harness asks of a database server, wherever it comes from, and where to reach it."""

from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import URL


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens. A host that starts with a slash is the folder of its unix socket."""

    host: str
    port: int
    user: str
    database: str
    password: str = field(default="", repr=False)

    @property
    def is_socket(self) -> bool:
        """Whether the way to the server is a unix socket."""
        return self.host.startswith("/")

    def url(self, drivername: str) -> URL:
        """The address for ``create_engine``; *drivername* as in ``postgresql+asyncpg``.

        A socket folder travels as a query parameter, the only form that both dialects take
        whatever characters are in it; a comma alone would be read as a list of hosts.
        """
        if not self.is_socket:
            return URL.create(
                drivername,
                self.user,
                self.password or None,
                self.host,
                self.port,
                self.database,
            )
        return URL.create(
            drivername,
            self.user,
            self.password or None,
            database=self.database,
            query={"host": self.host, "port": str(self.port)},
        )


class Server(Protocol):
    """A running server. Whoever started it stops it, once, with ``stop()``."""

    @property
    def address(self) -> Address:
        """Where it listens."""

    @property
    def kind(self) -> str:
        """Where it comes from: ``embedded``."""

    @property
    def version(self) -> str:
        """Product and version: ``PostgreSQL 18.4``."""

    def settings(self) -> dict[str, str]:
        """Settings that differ from the server's defaults: no path, no secret, sorted by name.

        Raises ServerError where the server does not answer.
        """

    def description(self) -> dict[str, str]:
        """What a reader of results should know of it: kind, durability, transport."""

    def place(self, cpus: frozenset[int]) -> None:
        """Pin it, with all its present and future processes, to these cores.

        Does nothing where the system cannot pin (``placement.CAN_PIN`` says so). Raises
        ServerError where it can and refuses.
        """

    def cpu_ns(self) -> int | None:
        """CPU time of its present processes, in ns; None where it cannot be read.

        Only differences mean something, and only while no process of the server ends: one that
        has ended takes its time out of the sum, so that a difference can even be negative.
        """

    def alive(self) -> bool:
        """Whether it still runs."""

    def stop(self) -> None:
        """End it and remove what it left behind. A second call does nothing."""
