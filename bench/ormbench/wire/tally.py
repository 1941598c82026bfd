"""What an operation did on the wire: a tally of messages, round trips, bytes and connections.

A round trip is counted when the server's first byte after the client's last arrives: whoever
pipelines has fewer of them than requests, and, where answers overtake the next request, not always
the same number. Messages are exact. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ormbench.wire.message import Message, Side
from ormbench.wire.transcript import Line, Transcript

__all__ = ["Account", "Line", "Tally"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts over some stretch of time, usually one operation."""

    round_trips: int = 0
    requests: int = 0  # messages that the server answers: Query, Sync, COM_QUERY, COM_PING
    messages: int = 0  # all that the client sent
    sent: int = 0  # bytes, client to server
    received: int = 0  # bytes, server to client
    connections: int = 0  # opened
    transactions: int = 0  # begun by the server, those of single statements too (PostgreSQL)
    prepared: int = 0  # of statements with a name of their own that were bound to run (PostgreSQL)
    unprepared: int = 0  # of such without one, which it forgets
    questions: int = 0  # as MySQL and MariaDB count them; 0 on PostgreSQL
    statements: Mapping[str, int] = field(default_factory=dict)  # "SELECT" -> how many ran
    rows: Mapping[str, int] = field(default_factory=dict)  # "INSERT" -> rows that they touched

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


class Account:
    """Sums what passes on the connections of a route, and hands it out stretch by stretch.

    A question that a stretch leaves open is remembered: its answer is a round trip of the stretch
    in which it arrives. For one thread at a time.
    """

    def __init__(self) -> None:
        self.lost = ""  # why messages could not be read; "" where they could. Never taken back
        self._keys = 0
        self._asking: set[int] = set()  # connections whose client has spoken last
        self._stretch = _Stretch()

    def opened(self) -> int:
        """Count a new connection, and get the key that names it."""
        self._keys += 1
        self._stretch.sums["connections"] += 1
        return self._keys

    def passed(self, key: int, side: Side, size: int, messages: Iterable[Message]) -> None:
        """Count *size* bytes that *side* sent, and the *messages* that they completed."""
        if size and side == "client":
            self._asking.add(key)
        elif size and key in self._asking:
            self._asking.remove(key)
            self._stretch.sums["round_trips"] += 1
        self._stretch.sums["sent" if side == "client" else "received"] += size
        for message in messages:
            self._stretch.add(message)

    def closed(self, key: int) -> None:
        """Forget a connection; what passed on it stays counted."""
        self._asking.discard(key)

    def lose(self, reason: str) -> None:
        """Say that messages cannot be read, and so the counts are void; the first reason stays."""
        self.lost = self.lost or reason

    def take(self) -> tuple[Tally, tuple[Line, ...]]:
        """The stretch since the last call: its tally and its transcript."""
        stretch, self._stretch = self._stretch, _Stretch()
        return stretch.tally(), stretch.transcript.lines()


class _Stretch:
    """Running sums."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()  # field of Tally -> value
        self.statements: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.transcript = Transcript()

    def add(self, message: Message) -> None:
        """Count a message."""
        sums = self.sums
        if message.side == "client":
            sums["messages"] += 1
            sums["requests"] += message.asks
            sums["questions"] += message.question
        if message.begun:
            sums["transactions"] += message.begun
        if message.prepared or message.unprepared:
            sums["prepared"] += message.prepared
            sums["unprepared"] += message.unprepared
        if message.statement:
            self.statements[message.statement] += message.times
            if message.rows:
                self.rows[message.statement] += message.rows
        self.transcript.add(message)

    def tally(self) -> Tally:
        """The sums so far; words in alphabetical order."""
        statements, rows = (dict(sorted(one.items())) for one in (self.statements, self.rows))
        return Tally(**self.sums, statements=statements, rows=rows)
