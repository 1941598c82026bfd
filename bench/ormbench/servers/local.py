"""A private MySQL or MariaDB from a server binary on this machine.

With its own data directory and socket, on no network, ready in seconds, gone afterwards. What is
installed or running on the machine is neither read nor touched.
"""

import signal

import pymysql

from ormbench.errors import ServerError
from ormbench.servers import account, custody, mysql_family, mysqld, private
from ormbench.servers.account import Account
from ormbench.servers.custody import Custody
from ormbench.servers.job import HERE, Job
from ormbench.servers.mysqld import Installation
from ormbench.servers.private import PrivateServer
from ormbench.servers.server import Address, Kind, Product
from ormbench.servers.settings import Durability, for_server

OFFERS: tuple[Product, ...] = ("MySQL", "MariaDB")

_USER = _DATABASE = "bench"
_CONTROL = "root"
_PORT = 3306  # of no meaning: nothing listens on a network
_SOCKET = "mysqld.sock"
_UNFIT = "\"'\\$`;:,&|<>()*?[]{}#!~ \t\n"  # a shell script of MariaDB's reads the path, too
_ANSWER_SECONDS = 10

_MISSING = {
    "MariaDB": "no mariadbd here: ormbench servers fetch mariadb, or install mariadb-server",
    "MySQL": "no mysqld of MySQL here: install mysql-server (Ubuntu) or a package of MySQL's own",
}


def unavailable(product: Product) -> str | None:
    """Why *product* cannot be started here, with what to install; None where it can."""
    if product not in OFFERS:
        return f"starts no {product}"
    return None if mysqld.find(product) else _MISSING[product]


def start(product: Product, durability: Durability) -> "LocalServer":
    """Start one; takes a second (MariaDB) to four (MySQL). Raises ServerError in one line."""
    installed = mysqld.find(product)
    if installed is None:
        raise ServerError(f"local {product}: {unavailable(product)}")
    runs_as = account.choose()
    owned = custody.take(f"local {product}", _job(installed, runs_as, durability))
    traits = {"durability": durability, "binaries": installed.origin, "runs as": runs_as.words}
    server = LocalServer(product, owned, traits)
    with server.or_nothing():
        server.furnish()
    return server


class LocalServer(PrivateServer):
    """A running MySQL or MariaDB of our own."""

    kind: Kind = "local"
    lock = "pid"
    quick_end = signal.SIGTERM

    def __init__(self, product: Product, owned: Custody, traits: dict[str, str]) -> None:
        super().__init__(owned)
        self.product: Product = product
        self.address = Address(product, str(self.directory / _SOCKET), _PORT, _USER, _DATABASE)
        self.version = ""
        self._traits = traits

    def settings(self) -> dict[str, str]:
        """Settings that differ from the product's defaults. Raises ServerError where it is gone."""
        with self._control() as control:
            return mysql_family.changed_settings(control, self.product)

    def description(self) -> dict[str, str]:
        """Kind, durability, transport, the binaries' origin and the account it runs under."""
        return {
            "kind": self.kind,
            "durability": self._traits["durability"],
            "transport": "unix socket",
            "binaries": self._traits["binaries"],
            "runs as": self._traits["runs as"],
        }

    def furnish(self) -> None:
        """Make the measured clients' account and database. Raises ServerError."""
        with self._control() as control, control.cursor() as cursor:
            cursor.execute(f"CREATE USER {_USER}@localhost")
            cursor.execute(f"GRANT ALL ON *.* TO {_USER}@localhost WITH GRANT OPTION")
            cursor.execute(f"CREATE DATABASE {_DATABASE}")
            self.version = mysql_family.product_and_version(control)[1]

    def _control(self) -> mysql_family.Connection:
        if not self.alive():  # PyMySQL leaves a socket open that is refused
            raise ServerError(f"{self.name} does not answer: it has ended")
        try:
            return pymysql.connect(
                unix_socket=self.address.host,
                user=_CONTROL,
                autocommit=True,
                connect_timeout=_ANSWER_SECONDS,
                read_timeout=_ANSWER_SECONDS,
            )
        except pymysql.MySQLError as error:
            reason = mysql_family.reason(error)
            raise ServerError(f"{self.name} does not answer: {reason}") from error


def _job(installed: Installation, runs_as: Account, durability: Durability) -> Job:
    """What the guardian is told."""
    told = [*_places(installed), *_settings(installed.product, durability)]
    job = Job(
        parent=str(private.parent(runs_as, _SOCKET, unfit=_UNFIT)),
        account=runs_as,
        initialise=(*_initialisation(installed), *told),
        start=(
            str(installed.server),
            *("--no-defaults", "--skip-networking"),
            *(f"--socket={HERE}/{_SOCKET}", f"--pid-file={HERE}/{LocalServer.lock}"),
            *told,
        ),
        ready=("socket", f"{HERE}/{_SOCKET}"),
        stop=("SIGTERM",),
        env=installed.env,
    )
    within_reach = runs_as.runs(str(installed.server), "--version", env=installed.env)
    return job if within_reach or not installed.root else job.with_copy_of(installed.root)


def _initialisation(installed: Installation) -> tuple[str, ...]:
    """The command that makes the data, with a root who has no password."""
    if installed.product == "MySQL":
        return (str(installed.server), "--no-defaults", "--initialize-insecure")
    method = "--auth-root-authentication-method=normal"
    script = str(installed.script())
    return ("sh", script, "--no-defaults", method, "--skip-test-db", "--cross-bootstrap")


def _places(installed: Installation) -> list[str]:
    """Where everything is: nothing of the server's own is outside of its folder."""
    told = [f"--basedir={installed.base}", f"--datadir={HERE}/data", f"--tmpdir={HERE}"]
    if installed.messages is not None:
        told.append(f"--lc-messages-dir={installed.messages}")
    if installed.product == "MySQL":
        told.append(
            "--secure-file-priv=NULL"
        )  # a package's default is a folder that may be missing
    return told


def _settings(product: Product, durability: Durability) -> list[str]:
    told = for_server(product, durability)
    return [f"--{name}={value}" if value else f"--{name}" for name, value in told.items()]
