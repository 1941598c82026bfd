"""What all servers of our own share: one family of processes, one folder, one guardian.

The server belongs to its guardian (see ``guardian``), so it ends with this process however this
process ends, paused or not.
"""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

from ormbench.servers import custody, processes
from ormbench.servers.account import Account
from ormbench.servers.custody import Custody
from ormbench.servers.guardian import ending
from ormbench.servers.server import Kind, Product

SHORT = Path("/tmp")  # noqa: S108 - a server's folder in it is made by mkdtemp

_SOCKET_BYTES = 100  # sun_path holds 108 on Linux and 104 on macOS, with its closing zero


class PrivateServer:
    """A running server that a guardian owns. ``with ... as server: ...`` ends it."""

    product: Product
    kind: Kind
    lock: ClassVar[str]  # the file in its folder that the server removes when it has ended
    quick_end: ClassVar[signal.Signals]  # ends it soon, and takes the lock away

    def __init__(self, owned: Custody) -> None:
        self.pid = owned.pid
        self.directory = owned.directory
        self._keeper = owned.keeper

    @property
    def name(self) -> str:
        """What messages call it: ``embedded PostgreSQL``."""
        return f"{self.kind} {self.product}"

    def place(self, cpus: frozenset[int]) -> None:
        """Pin its threads and present children, and so its future ones (see Server)."""
        processes.pin(self.pid, cpus)

    def cpu_ns(self) -> int | None:
        """CPU time of its first process and that one's present children, in ns (see Server).

        A PostgreSQL backend that has exited vanishes from the sum: keep connections open between
        two readings. A thread's time stays. None once the server is gone.
        """
        return processes.cpu_ns(self.pid) if self.alive() else None

    def pause(self) -> None:
        """Stop its processes where they are."""
        processes.signal_family(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        processes.signal_family(self.pid, signal.SIGCONT)

    def alive(self) -> bool:
        """Whether it still runs. The guardian ends with its server, but cleans up first."""
        return self._keeper.poll() is None and processes.runs(self.pid)

    def stop(self) -> None:
        """Shut it down and wait until its folder is gone. A second call does nothing."""
        custody.dismiss(self.name, self._keeper)
        if self._keeper.returncode and self.directory.exists():
            self._sweep()

    @contextmanager
    def or_nothing(self) -> Iterator[None]:
        """Stop it where what is done inside fails, by Ctrl-C too: nobody else has it yet."""
        try:
            yield
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def _sweep(self) -> None:
        """Do what a killed guardian could not: end its server, remove its folder."""
        lock = self.directory / self.lock
        if lock.exists() and processes.runs(self.pid):
            ending.wake(self.pid)
            os.kill(self.pid, self.quick_end)
        deadline = time.monotonic() + custody.STOP_SECONDS
        while lock.exists() and processes.runs(self.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        ending.remove(self.directory)


def parent(account: Account, socket: str, *, unfit: str) -> Path:
    """The temporary folder, unless the server's *socket* in it could not be reached: ``/tmp``.

    A socket's path is short, and free of the *unfit* characters: what a client would read as
    something else than a part of a path.
    """
    folder = Path(tempfile.gettempdir())
    fits = len(os.fsencode(folder / "ormbench-01234567" / socket)) <= _SOCKET_BYTES
    clean = not set(unfit) & set(str(folder))
    return folder if fits and clean and account.runs("test", "-x", str(folder)) else SHORT
