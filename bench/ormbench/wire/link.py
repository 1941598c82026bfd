"""One connection through the relay: a client's socket, one to the server, a pipe each way."""

import selectors
import socket
import struct
from collections.abc import Callable

from ormbench.wire.agenda import Agenda
from ormbench.wire.observer import Observer
from ormbench.wire.pipe import Conditions, Pipe

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: to close is to reset


def hang_up(one: socket.socket, *, reset: bool) -> None:
    """Close it; a unix socket knows no reset."""
    if reset and one.family != socket.AF_UNIX:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    one.close()


class End:
    """A socket, and what the selector watches it for."""

    __slots__ = ("_heard", "_selector", "_watched", "socket")

    def __init__(
        self, one: socket.socket, selector: selectors.BaseSelector, heard: Callable[[int], None]
    ) -> None:
        one.settimeout(0)
        if one.family != socket.AF_UNIX:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket, self._selector, self._heard = one, selector, heard
        self._watched = 0

    def watch(self, *, read: bool, write: bool) -> None:
        """Be told of these; of none, and then not even that the other side is gone."""
        mask = (READ if read else 0) | (WRITE if write else 0)
        if mask == self._watched:
            return
        if not self._watched:
            self._selector.register(self.socket, mask, self._heard)
        elif mask:
            self._selector.modify(self.socket, mask, self._heard)
        else:
            self._selector.unregister(self.socket)
        self._watched = mask

    def close(self, *, reset: bool) -> None:
        """See hang_up."""
        self.watch(read=False, write=False)
        hang_up(self.socket, reset=reset)


class Link:
    """Lives until both sides have ended, or one was reset."""

    def __init__(
        self,
        ends: tuple[socket.socket, socket.socket],  # the client's, the server's
        conditions: Conditions,
        selector: selectors.BaseSelector,
        agenda: Agenda,
        observer: Observer | None,
        gone: Callable[["Link"], None],
    ) -> None:
        client, server = ends
        self._observer, self._gone, self._closed = observer, gone, False
        self._client = End(client, selector, self._client_heard)
        self._server = End(server, selector, self._server_heard)
        taps = (observer.client, observer.server) if observer else (None, None)
        self.up = Pipe(ends, conditions, agenda, self._up_due, taps[0], upwards=True)
        self.down = Pipe(
            (server, client), conditions, agenda, self._down_due, taps[1], upwards=False
        )
        if observer:
            observer.answer = self.down.pass_on
        self._settle()

    @property
    def waits(self) -> bool:
        """Whether anything is under way in it."""
        return self.up.waits or self.down.waits

    @property
    def unanswered(self) -> bool:
        """Whether, as far as can be read, the client waits for the server."""
        return self._observer is not None and self._observer.unanswered

    def free(self) -> None:
        """Go on after a stall."""
        self.up.free()
        self.down.free()
        self._settle()

    def close(self, *, reset: bool) -> None:
        """End it, whatever is under way. A second call does nothing."""
        if self._closed:
            return
        self._closed = self.up.over = self.down.over = True
        self._client.close(reset=reset)
        self._server.close(reset=reset)
        if self._observer:
            self._observer.close()
        self._gone(self)

    def _client_heard(self, mask: int) -> None:
        self._heard(mask, self.up, self.down)

    def _server_heard(self, mask: int) -> None:
        self._heard(mask, self.down, self.up)

    def _heard(self, mask: int, reads: Pipe, writes: Pipe) -> None:
        if self._closed:  # by what was heard in the same moment
            return
        if mask & WRITE:
            writes.free()
        if (mask & READ and reads.read()) or mask & WRITE:
            self._settle()

    def _up_due(self) -> None:
        self._due(self.up)

    def _down_due(self) -> None:
        self._due(self.down)

    def _due(self, pipe: Pipe) -> None:
        if not self._closed:
            pipe.deliver()
            self._settle()

    def _settle(self) -> None:
        """Watch what is to be watched now, or end."""
        up, down = self.up, self.down
        if up.torn or down.torn or (up.over and down.over):
            self.close(reset=up.torn or down.torn)
            return
        self._client.watch(read=up.wants, write=down.blocked)
        self._server.watch(read=down.wants, write=up.blocked)
