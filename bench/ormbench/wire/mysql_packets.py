"""A byte stream of the MySQL protocol cut into packets, and what stands in those that end things.

A packet is a header (three bytes of length, one of sequence number) and a payload. A payload of
16 MB or more comes in several, all but the last of them full: here that is one packet.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

HEADER = 4  # bytes
FULL = 0xFFFFFF  # the length of a part that another follows
OK, LOCAL_INFILE, EOF, ERR = 0x00, 0xFB, 0xFE, 0xFF  # first bytes of a server's payload
_OK_SHORTEST = 7  # bytes; an EOF has five
_CURSOR_EXISTS, _MORE_RESULTS = 0x0040, 0x0008  # of a status


class Packet(NamedTuple):
    """A packet, whole or by its first bytes."""

    sequence: int  # of its first part
    size: int  # bytes on the wire, headers among them
    length: int  # bytes of payload
    body: bytes  # the payload, or its first bytes


class Packets:
    """Cuts what one side sends, in pieces of any size, into packets.

    Of each payload it keeps the first *keep* bytes; the rest is passed over, not copied.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._header = bytearray()  # of the part that is being read
        self._left = 0  # bytes of that part that are missing
        self._begin()

    def _begin(self) -> None:
        self._sequence = self._size = self._length = 0
        self._body = bytearray()

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that *data* completes, in order."""
        at = 0
        while at < len(data):
            if len(self._header) < HEADER:
                missing = HEADER - len(self._header)
                self._header += data[at : at + missing]
                at += missing
                if len(self._header) < HEADER:
                    return
                self._open_part()
            taken = min(self._left, len(data) - at)
            if (room := self._keep - len(self._body)) > 0:
                self._body += data[at : at + min(taken, room)]
            at += taken
            self._left -= taken
            if not self._left:
                full = self._header.startswith(b"\xff\xff\xff")
                self._header.clear()
                if not full:
                    yield Packet(self._sequence, self._size, self._length, bytes(self._body))
                    self._begin()

    def _open_part(self) -> None:
        self._left = int.from_bytes(self._header[:3], "little")
        if not self._size:
            self._sequence = self._header[3]
        self._size += HEADER + self._left
        self._length += self._left


@dataclass(frozen=True, slots=True)
class Ending:
    """An OK, EOF or ERR packet, read."""

    kind: str  # "OK", "EOF", "ERR"
    status: int = 0
    affected: int = 0  # rows
    error: int = 0  # its number
    text: str = ""  # number and words of an error

    @property
    def more(self) -> bool:
        """Whether another answer to the same command follows."""
        return bool(self.status & _MORE_RESULTS)

    @property
    def cursor(self) -> bool:
        """Whether the rows stay with the server until they are fetched."""
        return bool(self.status & _CURSOR_EXISTS)


def ending(body: bytes) -> Ending:
    """Read an OK, EOF or ERR; an OK that took the place of an EOF is an OK."""
    if body[0] == ERR:
        number = int.from_bytes(body[1:3], "little")
        words = body[9:] if body[3:4] == b"#" else body[3:]  # after the five letters of SQLSTATE
        return Ending("ERR", error=number, text=f"{number} {readable(words)}")
    if body[0] == EOF and len(body) < _OK_SHORTEST:
        return Ending("EOF", status=int.from_bytes(body[3:5], "little"))
    affected, at = integer(body, 1)
    _, at = integer(body, at)  # the last key
    return Ending("OK", status=int.from_bytes(body[at : at + 2], "little"), affected=affected)


def integer(body: bytes, at: int) -> tuple[int, int]:
    """The number of variable length at *at*, and where it ends. IndexError where nothing is."""
    first = body[at]
    if first < LOCAL_INFILE:
        return first, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(first, 0)
    return int.from_bytes(body[at + 1 : at + 1 + size], "little"), at + 1 + size


def readable(text: bytes) -> str:
    """Text off the wire, whatever is in it."""
    return text.decode("utf-8", "replace")
