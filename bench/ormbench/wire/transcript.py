"""What passed between client and server, as lines to read: shortened, folded, bounded. Pure."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from ormbench.wire.message import Message, Side

LONGEST_TEXT = 600  # characters
FIRST = 140  # lines that are kept from the start of a stretch
LAST = 58  # and from its end; with a line for each side's gap they are 200


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a transcript."""

    side: Side
    kind: str  # the protocol's own name of the message; "DataRow x100" where many follow
    size: int  # bytes, of all of them
    text: str  # SQL, tag, error; shortened


@dataclass(slots=True)
class _Run:
    """Messages of one kind without text that follow each other, or one message with text."""

    side: Side
    kind: str
    size: int
    text: str
    times: int = 1

    def takes(self, message: Message) -> bool:
        """Whether *message* can stand in the same line."""
        return (
            self.kind == message.kind
            and self.side == message.side
            and not self.text
            and not message.text
        )

    def line(self) -> Line:
        """As it is read."""
        kind = self.kind if self.times == 1 else f"{self.kind} x{self.times}"
        return Line(self.side, kind, self.size, self.text)


class Transcript:
    """Collects messages; what it keeps of them is bounded, however many there are."""

    def __init__(self) -> None:
        self._first: list[_Run] = []
        self._last: deque[_Run] = deque()
        self._newest: _Run | None = None
        self._gap: dict[Side, list[int]] = {}  # side -> [messages, bytes] that are left out

    def add(self, message: Message) -> None:
        """Write *message* down."""
        newest = self._newest
        if newest is not None and newest.takes(message):
            newest.times += 1
            newest.size += message.size
            return
        self._newest = _Run(message.side, message.kind, message.size, shortened(message.text))
        if len(self._first) < FIRST:
            self._first.append(self._newest)
            return
        self._last.append(self._newest)
        if len(self._last) > LAST:
            self._leave_out(self._last.popleft())

    def _leave_out(self, run: _Run) -> None:
        gap = self._gap.setdefault(run.side, [0, 0])
        gap[0] += run.times
        gap[1] += run.size

    def lines(self) -> tuple[Line, ...]:
        """At most FIRST + LAST + 2 of them, in order."""
        return tuple(self._lines())

    def _lines(self) -> Iterator[Line]:
        yield from (run.line() for run in self._first)
        for side, (messages, size) in self._gap.items():
            yield Line(side, "...", size, f"{messages} messages left out")
        yield from (run.line() for run in self._last)


def shortened(text: str) -> str:
    """*text* with at most LONGEST_TEXT characters."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 3]}..."
