"""A route as the relay process has it: a socket that listens, and the links that came by it."""

import selectors
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from ormbench.wire.agenda import Agenda
from ormbench.wire.dialling import Dialling, Place, places
from ormbench.wire.link import Link
from ormbench.wire.observer import Observer
from ormbench.wire.pipe import Conditions
from ormbench.wire.tally import Account

_PRIVATE = 0o700
_WAITING = 1024  # clients that may come at the same time


@dataclass(frozen=True, slots=True)
class Upstream:
    """The server at the other end, as its Address has it."""

    product: str
    host: str
    port: int

    @property
    def _socket(self) -> str:
        """The name that a PostgreSQL client adds to a folder; elsewhere the host is the path."""
        return f".s.PGSQL.{self.port}" if self.product == "PostgreSQL" else "socket"

    def places(self) -> list[Place]:
        """Where it listens. Raises OSError for a host that nobody knows."""
        if not self.host.startswith("/"):
            return places(self.host, self.port)
        path = Path(self.host)
        if self.product == "PostgreSQL":
            path /= self._socket
        return [Place(socket.AF_UNIX, str(path))]

    def listen(self, folder: Path) -> tuple[socket.socket, str, int]:
        """A socket of the same kind, in *folder* where it is a unix socket, and its host, port.

        Raises OSError.
        """
        if not self.host.startswith("/"):
            listener = socket.create_server(("127.0.0.1", 0), backlog=_WAITING)
            return listener, *listener.getsockname()
        folder.mkdir(_PRIVATE)
        path = folder / self._socket
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(_WAITING)
        return listener, str(folder if self.product == "PostgreSQL" else path), self.port


class Passage:
    """Accepts clients and links each with a connection of its own to the server."""

    def __init__(
        self,
        upstream: Upstream,
        conditions: Conditions,
        folder: Path,
        selector: selectors.BaseSelector,
        agenda: Agenda,
        *,
        reads: bool,
    ) -> None:
        self.conditions = conditions
        self.account = Account() if reads else None
        self._upstream, self._folder = upstream, folder
        self._selector, self._agenda = selector, agenda
        self._places = upstream.places()
        self._plain = all(one.is_here for one in self._places)
        self._links: set[Link] = set()
        self._diallings: set[Dialling] = set()
        self._listener, self.host, self.port = upstream.listen(folder)
        self._listener.settimeout(0)
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    @property
    def waits(self) -> bool:
        """Whether anything is under way that may arrive: what is stalled may not."""
        stalled = self.conditions.stalled
        return bool(self._diallings) or (not stalled and any(one.waits for one in self._links))

    @property
    def unanswered(self) -> bool:
        """Whether a client waits for the server."""
        return any(one.unanswered for one in self._links)

    def free(self) -> None:
        """Let everything pass again."""
        self.conditions.stalled = False
        for link in list(self._links):
            link.free()

    def cut(self) -> int:
        """Close all connections, those of clients that wait at the door, too; how many."""
        while self._admit():
            pass
        ends: list[Link | Dialling] = [*self._links, *self._diallings]
        self._diallings.clear()
        for one in ends:
            one.close(reset=True)
        return len(ends)

    def close(self) -> None:
        """End it; nobody listens any more."""
        self.cut()
        self._selector.unregister(self._listener)
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self, _mask: int) -> None:
        if self._listener.fileno() >= 0:  # it may have been closed in the same moment
            self._admit()

    def _admit(self) -> bool:
        """Let the next client in; whether there was one."""
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):  # whoever it was went away
            return False
        self.conditions.touch()
        dialling = Dialling(client, self._places, self._selector, self._dialled)
        self._diallings.add(dialling)
        dialling.start()
        return True

    def _dialled(self, dialling: Dialling, server: socket.socket | None) -> None:
        self._diallings.remove(dialling)
        self.conditions.touch()
        if server is None:
            dialling.close(reset=True)
            return
        observer = None
        if self.account is not None:
            observer = Observer(self._upstream.product, self.account, plain=self._plain)
        ends = (dialling.client, server)
        conditions, selector, agenda = self.conditions, self._selector, self._agenda
        self._links.add(Link(ends, conditions, selector, agenda, observer, self._links.remove))
