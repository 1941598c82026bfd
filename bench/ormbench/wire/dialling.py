"""A connection on its way to the server, while its client already waits."""

import errno
import selectors
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from ormbench.wire.link import hang_up


@dataclass(frozen=True, slots=True)
class Place:
    """A place where the server may listen."""

    family: int
    address: Any  # as sockets of that family have it

    @property
    def is_here(self) -> bool:
        """Whether nothing that is sent there leaves this machine."""
        if self.family == socket.AF_UNIX:
            return True
        return ip_address(self.address[0].partition("%")[0]).is_loopback


def places(host: str, port: int) -> list[Place]:
    """Where a server may be reached, best first. Raises OSError for a host that nobody knows."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [Place(family, address) for family, _, _, _, address in found]


class Dialling:
    """Tries one place after the other, without anybody waiting but its client."""

    def __init__(
        self,
        client: socket.socket,
        places: Sequence[Place],
        selector: selectors.BaseSelector,
        done: Callable[["Dialling", socket.socket | None], None],
    ) -> None:
        self.client = client
        self._places, self._selector = iter(places), selector
        self._done = done  # gets the connected socket, or None where nobody listens
        self._server: socket.socket | None = None

    def start(self) -> None:
        """Try the next place; the selector says how it went, of a unix socket it is known."""
        for place in self._places:
            server = socket.socket(place.family, socket.SOCK_STREAM)
            server.settimeout(None if place.family == socket.AF_UNIX else 0)
            error = server.connect_ex(place.address)
            if error == errno.EINPROGRESS:
                self._server = server
                self._selector.register(server, selectors.EVENT_WRITE, self._heard)
                return
            if not error:
                self._done(self, server)
                return
            server.close()
        self._done(self, None)

    def close(self, *, reset: bool) -> None:
        """Give up, and tell the client so."""
        server = self._let_go()
        if server is not None:
            server.close()
        hang_up(self.client, reset=reset)

    def _let_go(self) -> socket.socket | None:
        server, self._server = self._server, None
        if server is not None:
            self._selector.unregister(server)
        return server

    def _heard(self, _mask: int) -> None:
        server = self._let_go()
        if server is None:  # given up in the same moment
            return
        if not server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._done(self, server)
            return
        server.close()
        self.start()
