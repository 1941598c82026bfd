"""Where a ``mysqld`` or ``mariadbd`` is on this machine, which product it is, what it needs.

Looks on PATH, where systems keep servers off it, and in the cache that ``fetch`` fills. A
``mysqld`` may be MariaDB's: it is asked.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ormbench.errors import ServerError
from ormbench.servers import cache
from ormbench.servers.mysql_family import named
from ormbench.servers.server import Product

_NAMES = ("mariadbd", "mysqld")
_FOLDERS = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/local/libexec",
    "/usr/local/mysql/bin",
    "/opt/mysql/bin",
    "/opt/mariadb/bin",
    "/opt/homebrew/opt/mysql/bin",
    "/opt/homebrew/opt/mariadb/bin",
)
_ASK_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Installation:
    """The binaries of one server."""

    product: Product
    version: str  # MariaDB 10.11.14
    server: Path
    root: Path | None = None  # of a tree in the cache; None of what is installed
    env: dict[str, str] = field(default_factory=dict)  # what its binaries need to run

    @property
    def base(self) -> Path:
        """The folder that ``bin``, ``sbin`` and ``share`` are in."""
        return self.server.parent.parent

    @property
    def origin(self) -> str:
        """Where the binaries come from, for a reader of results; no path."""
        if self.root is not None:
            words = (self.root / cache.LABEL).read_text(encoding="utf-8").strip()
            return f"unpacked package {words}"
        package = _package(self.server)
        return f"installed package {package}" if package else "installed on this machine"

    @property
    def messages(self) -> Path | None:
        """The folder of the error messages; None where the server has to know it itself."""
        places = [self.base / "share" / name for name in ("mariadb", "mysql", ".")]
        return next((one for one in places if (one / "english").is_dir()), None)

    def script(self) -> Path:
        """The program that makes a data directory of MariaDB. Raises ServerError."""
        for name in ("mariadb-install-db", "mysql_install_db"):
            for folder in (self.base / "bin", self.base / "scripts"):
                if (folder / name).is_file():
                    return folder / name
            if self.root is None and (found := shutil.which(name)):
                return Path(found)
        raise ServerError(
            f"local {self.product}: mariadb-install-db is not beside its server; "
            "install the whole package, mariadb-server"
        )


def find(product: Product) -> Installation | None:
    """The server of *product* here: an installed one, else an unpacked one, else None."""
    return next((one for one in _here(product) if one is not None and one.product == product), None)


def _here(product: Product) -> Iterator[Installation | None]:
    for server in _installed(_names(product)):
        yield _ask(server, None)
    for root in cache.entries(product):
        yield unpacked(product, root)


def _names(product: Product) -> tuple[str, ...]:
    return _NAMES if product == "MariaDB" else ("mysqld",)


def _installed(names: Iterable[str]) -> Iterator[Path]:
    searched = [*os.environ.get("PATH", os.defpath).split(os.pathsep), *_FOLDERS]
    found = (shutil.which(name, path=folder) for folder in searched for name in names)
    yield from dict.fromkeys(Path(one).resolve() for one in found if one)


def unpacked(product: Product, root: Path) -> Installation | None:
    """The server in an unpacked tree; None where it is not there or does not run."""
    looked = (_ask(root / "usr" / "sbin" / name, root) for name in _names(product))
    return next((one for one in looked if one is not None and one.product == product), None)


def _ask(server: Path, root: Path | None) -> Installation | None:
    """Ask a binary for its version; None where it does not run here."""
    env = {} if root is None else _libraries(root)
    try:
        done = subprocess.run(
            [server, "--no-defaults", "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ASK_SECONDS,
            check=True,
            env={**os.environ, **env},
        )
        product, version = named(done.stdout.partition(" Ver ")[2])
    except (OSError, subprocess.SubprocessError, ServerError):
        return None
    return Installation(product, version, server, root, env)


def _libraries(root: Path) -> dict[str, str]:
    """The libraries that came with an unpacked server go before the system's."""
    library = root / "usr" / "lib"
    folders = [*sorted(str(one) for one in library.glob("*-linux-*")), str(library)]
    present = os.environ.get("LD_LIBRARY_PATH")
    return {"LD_LIBRARY_PATH": ":".join([*folders, present] if present else folders)}


def _package(server: Path) -> str | None:
    """Name and version of the Debian package that *server* is from."""
    query = ("dpkg-query", "--showformat", "${Package} ${Version}", "--show")
    try:
        told = _output("dpkg-query", "--search", str(server))
        return _output(*query, told.partition(":")[0])
    except (OSError, subprocess.SubprocessError):
        return None


def _output(*command: str) -> str:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=_ASK_SECONDS, check=True
    ).stdout
