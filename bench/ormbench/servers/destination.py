"""Where a ``--url`` leads: read, checked, and never shown.

A URL holds a password. No message quotes it, nor any part of it but its scheme, the names of its
query parameters and, once it is known to be one, its host.
"""

import ipaddress
import re
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from ormbench.errors import ServerError, UsageError
from ormbench.servers.server import Address, Product

EXAMPLE = "postgresql://user:password@localhost:5432/database"
DEFAULT_VARIABLE = "DATABASE_URL"

_SCHEMES: Mapping[str, Product] = {
    "postgresql": "PostgreSQL",
    "postgres": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
}
_PORTS: Mapping[Product, int] = {"PostgreSQL": 5432, "MySQL": 3306, "MariaDB": 3306}
_LAST_PORT = 65_535
_SOCKET_FOLDERS = ("/run/postgresql", "/var/run/postgresql", "/tmp")  # noqa: S108 - where libpq looks
_CARRIED = {  # parameters that lead somewhere, and those that say what drivers do anyway
    "PostgreSQL": {"host": None, "port": None, "sslmode": "prefer"},
    "MySQL": {"unix_socket": None, "charset": "utf8mb4"},
    "MariaDB": {"unix_socket": None, "charset": "utf8mb4"},
}
_HOST = re.compile(r"/[^,]*|[A-Za-z0-9._:-]+")
_SECRET = re.compile(r"(://[^\s:/@]*):\S*@")


@dataclass(frozen=True, slots=True)
class Destination:
    """What a ``--url`` says."""

    address: Address  # its product is what the scheme says; the server may know better
    driver: str  # as SQLAlchemy calls it; "" where the URL names none
    told: str  # the word to use in a command: ``env:DATABASE_URL``
    typed: bool  # whether the URL itself stood on the command line


def parse(word: str, environ: Mapping[str, str]) -> Destination:
    """Read ``env:NAME`` or a URL. Raises UsageError, which quotes no value of it."""
    if not word:
        raise UsageError(f"--url is empty: expected env:{DEFAULT_VARIABLE} or a URL")
    typed = not word.startswith("env:")
    name = DEFAULT_VARIABLE if typed else word.removeprefix("env:")
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise UsageError(f"--url env: takes the name of a variable, like env:{DEFAULT_VARIABLE}")
    text = word if typed else environ.get(name, "")
    if not text:
        raise UsageError(f"--url env:{name}: {name} is not set")
    url = _url(text)
    scheme, _, driver = url.drivername.partition("+")
    if scheme not in _SCHEMES:
        raise UsageError(f"--url: its scheme is none of {', '.join(_SCHEMES)}")
    return Destination(_address(url, _SCHEMES[scheme]), driver, f"env:{name}", typed)


def _url(text: str) -> URL:
    if text.count("@") > 1:
        raise UsageError("--url: more than one @; in a user or password, write it %40")
    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError(f"--url: that is no URL like {EXAMPLE}") from None


def _address(url: URL, product: Product) -> Address:
    query = _query(url, product)
    port = _port(query.get("port", url.port), product)
    if not query.get("unix_socket", "/").startswith("/"):
        raise UsageError("--url: its unix_socket is no path from the root, like /tmp/mysql.sock")
    host = query.get("host") or query.get("unix_socket") or unquote(url.host or "")
    host = host or _usual_host(product, port)
    if not _HOST.fullmatch(host):
        raise UsageError(
            "--url: its host is neither a name, an address nor the path of a socket; in a user or "
            "password, percent-encode what is not a letter or a digit"
        )
    if not url.username:
        raise UsageError(f"--url: it names no user, as {EXAMPLE} does")
    password = str(url.password or "")
    if product != "PostgreSQL" and not password.isascii():
        raise UsageError(
            "--url: its password is not ASCII, and MySQL's Python drivers send such a one wrongly: "
            "use an account with another"
        )
    database = url.database or (url.username if product == "PostgreSQL" else "")
    return Address(product, host, port, url.username, database, password)


def _query(url: URL, product: Product) -> dict[str, str]:
    carried = _CARRIED[product]
    for name, value in url.query.items():
        if name not in carried:
            known = ", ".join(carried)
            raise UsageError(
                f"--url: parameter {name} cannot be handed to every driver; known: {known}"
            )
        if carried[name] not in {None, value}:
            raise UsageError(f"--url: parameter {name} can only be {carried[name]}: leave it out")
        if not isinstance(value, str):
            raise UsageError(f"--url: parameter {name} is there twice")
    return {name: str(value) for name, value in url.query.items()}


def _port(given: str | int | None, product: Product) -> int:
    if given is None:
        return _PORTS[product]
    if not str(given).isdecimal() or not 1 <= int(given) <= _LAST_PORT:
        raise UsageError(f"--url: its port is no number from 1 to {_LAST_PORT}")
    return int(given)


def _usual_host(product: Product, port: int) -> str:
    """Of a URL that names none: where libpq would look, else this machine."""
    if product == "PostgreSQL":
        for folder in _SOCKET_FOLDERS:
            if Path(folder, f".s.PGSQL.{port}").exists():
                return folder
    return "localhost"


def transport(address: Address, allowed: Collection[str]) -> str:
    """How the server is reached: ``unix socket``, ``loopback`` or ``network``.

    Raises UsageError for a host that is neither this machine nor in a private network and not
    among those *allowed*; ServerError for one that has no address.
    """
    if address.is_socket:
        return "unix socket"
    found = _resolve(address.host)
    if all(one.is_loopback for one in found):
        return "loopback"
    listed = address.host.lower() in {one.lower() for one in allowed}
    if not listed and not all(one.is_private or one.is_link_local for one in found):
        raise UsageError(
            f"--url: {address.host} is in no private network; a benchmark loads its server "
            f"heavily. If that is yours to do: --allow-host {address.host}"
        )
    return "network"


def _resolve(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """All addresses of a name; an IPv4 one that is written as IPv6 counts as what it is."""
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ServerError(f"--url: host {host} has no address") from error
    found = []
    for answer in answers:
        one = ipaddress.ip_address(str(answer[4][0]).partition("%")[0])
        found.append((one.version == 6 and one.ipv4_mapped) or one)  # noqa: PLR2004 - IPv6
    return found


def hidden(text: str) -> str:
    """The text with the password of every URL in it left out."""
    return _SECRET.sub(r"\1:***@", text)
