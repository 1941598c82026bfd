"""What the harness asks of a database server, wherever it comes from, and where to reach it."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from sqlalchemy import URL

Product = Literal["PostgreSQL", "MySQL", "MariaDB"]
PRODUCTS: tuple[Product, ...] = ("PostgreSQL", "MySQL", "MariaDB")
Kind = Literal["embedded", "local", "docker", "url"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens.

    A host that starts with a slash is a unix socket: its folder for PostgreSQL, as libpq has it,
    its path for MySQL and MariaDB.
    """

    product: Product
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

        A socket travels as a query parameter, the only form that all dialects take whatever
        characters are in it; in a folder, a comma alone would be read as a list of hosts.
        """
        query: dict[str, str] = {}
        if self.is_socket and self.product == "PostgreSQL":
            query = {"host": self.host, "port": str(self.port)}
        elif self.is_socket:
            query = {"unix_socket": self.host}
        return URL.create(
            drivername,
            self.user,
            self.password or None,
            None if self.is_socket else self.host,
            None if self.is_socket else self.port,
            self.database,
            query,
        )


class Server(Protocol):
    """A running server. Whoever started it stops it, once, with ``stop()``."""

    @property
    def product(self) -> Product:
        """What it is."""

    @property
    def address(self) -> Address:
        """Where it listens. Of MySQL and MariaDB, the database is only where one enters."""

    @property
    def kind(self) -> Kind:
        """Where it comes from."""

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

    def pause(self) -> None:
        """Keep it from running while another server is measured; nothing where that cannot be."""

    def resume(self) -> None:
        """Let it run again. A second call does nothing."""

    def alive(self) -> bool:
        """Whether it still runs, paused or not."""

    def stop(self) -> None:
        """End it, paused or not, and remove what it left behind. A second call does nothing."""
