"""One direction of a connection through the relay: from a socket, by a delay line, to a socket."""

import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ormbench.wire.agenda import Agenda, Deed
from ormbench.wire.delay import Chunk, DelayLine

BACKLOG = 1 << 20  # bytes that wait for a receiver who does not read, before their sender must wait
UNDER_WAY = 64 << 20  # bytes that may be in a delay line at once
BUFFER = memoryview(bytearray(256 << 10))  # one thread: all pipes read into the same
clock = time.perf_counter_ns

Tap = Callable[[bytes], bytes]  # sees what arrives, returns what goes on


@dataclass(slots=True)
class Stay:
    """How long bytes were in the relay, summed over chunks."""

    total_ns: int = 0
    chunks: int = 0

    def add(self, stay_ns: int) -> None:
        """Count a chunk."""
        self.total_ns += stay_ns
        self.chunks += 1


@dataclass(slots=True)
class Conditions:
    """What all connections of a route have in common."""

    delay_ns: int  # in each direction
    stalled: bool = False
    active: int = 0  # when a byte last came or went
    up: Stay = field(default_factory=Stay)  # client to server
    down: Stay = field(default_factory=Stay)

    def touch(self) -> int:
        """Something happens now."""
        self.active = clock()
        return self.active

    def added_rtt_ns(self) -> int | None:
        """Mean time that a round trip was in the relay, since the last call; None without any."""
        up, down, self.up, self.down = self.up, self.down, Stay(), Stay()
        if not up.chunks or not down.chunks:
            return None
        return round(up.total_ns / up.chunks + down.total_ns / down.chunks)


class Pipe:
    """Passes on all that *source* sends, and that it has ended, to *target*, in order."""

    __slots__ = (
        "_agenda",
        "_conditions",
        "_ended",
        "_failed",
        "_free_since",
        "_line",
        "_ring",
        "_source",
        "_tap",
        "_target",
        "_upwards",
        "blocked",
        "over",
        "torn",
    )

    def __init__(
        self,
        ends: tuple[socket.socket, socket.socket],
        conditions: Conditions,
        agenda: Agenda,
        ring: Deed,
        tap: Tap | None,
        *,
        upwards: bool,
    ) -> None:
        self._source, self._target = ends
        self._conditions, self._agenda = conditions, agenda
        self._line = DelayLine(conditions.delay_ns)
        self._ring = ring  # what the agenda calls when something is due
        self._tap, self._upwards = tap, upwards
        self._free_since = 0  # before then it was blocked or stalled
        self._ended = self._failed = False  # the source sends no more; and not because it is done
        self.blocked = False  # the target takes no more now
        self.over = False  # nothing will pass any more
        self.torn = False  # because the source's connection was reset

    @property
    def wants(self) -> bool:
        """Whether the source is to be read."""
        if self._ended or self.over:
            return False
        waits = self.blocked or self._conditions.stalled
        return self._line.size < (BACKLOG if waits else UNDER_WAY)

    @property
    def waits(self) -> bool:
        """Whether anything is under way in it."""
        return bool(self._line)

    def read(self) -> bool:
        """Pass on what has arrived; whether anything has changed but that."""
        try:
            size = self._source.recv_into(BUFFER)
        except BlockingIOError:
            return False
        except OSError:  # a reset: what came before is passed on before it
            size, self._failed = 0, True
        arrived = self._conditions.touch()
        if not size:
            self._ended = True
            self._hold(arrived, b"")
            return True
        if self._tap is None:
            return self.pass_on(arrived, BUFFER[:size])
        return self.pass_on(arrived, self._tap(bytes(BUFFER[:size])))

    def pass_on(self, arrived: int, data: bytes | memoryview) -> bool:
        """Send at once what needs not wait, hold the rest; whether there was any."""
        if not (self._line.delay_ns or self._line or self.blocked or self._conditions.stalled):
            sent = self._write(data)
            if sent:
                self._sent(arrived)
            data = data[sent:]
        if not data or self.over:
            return self.over
        self._hold(arrived, bytes(data))
        return True

    def deliver(self) -> None:
        """Send what is due, as far as the target takes it."""
        while not (self.blocked or self.over or self._conditions.stalled):
            chunk = self._line.ripe(clock())
            if chunk is None:
                return
            if chunk.data:
                self._send(chunk)
            else:
                self._finish()

    def free(self) -> None:
        """Go on after the target was full, or the route stalled."""
        self.blocked = False
        self._free_since = clock()
        self.deliver()

    def _hold(self, arrived: int, data: bytes) -> None:
        self._agenda.add(self._line.put(arrived, data), self._ring)

    def _send(self, chunk: Chunk) -> None:
        sent = self._write(chunk.data)
        if sent and chunk.due >= self._free_since:  # waiting for the receiver is no network's
            self._sent(chunk.arrived)
        if not self.over:
            self._line.drop(sent)

    def _sent(self, arrived: int) -> None:
        now = self._conditions.touch()
        (self._conditions.up if self._upwards else self._conditions.down).add(now - arrived)

    def _write(self, data: bytes | memoryview) -> int:
        """How many bytes the target took."""
        try:
            sent = self._target.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:  # nobody is there; what it said before is still to be read
            self._line.clear()
            self.over = True
            return 0
        self.blocked = sent < len(data)
        return sent

    def _finish(self) -> None:
        self._line.clear()
        self.over, self.torn = True, self._failed
        if not self.torn:
            with contextlib.suppress(OSError):  # it has ended, too
                self._target.shutdown(socket.SHUT_WR)
