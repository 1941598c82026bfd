"""PostgreSQL's protocol 3 as frames: type, size, and as much of the body as a count needs.

One `Frames` reads one direction of one connection. Bodies that nobody needs are skipped as they
arrive, so that a gigabyte of rows costs no memory. Pure.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

WORDS = 65_536  # bytes that are kept of a body with SQL or an error; what is beyond is cut
NAMES = 1_024  # likewise of one that starts with names of statements and portals

CLIENT = {
    "B": "Bind",
    "C": "Close",
    "c": "CopyDone",
    "d": "CopyData",
    "D": "Describe",
    "E": "Execute",
    "F": "FunctionCall",
    "f": "CopyFail",
    "H": "Flush",
    "p": "PasswordMessage",  # or SASLInitialResponse, SASLResponse, GSSResponse
    "P": "Parse",
    "Q": "Query",
    "S": "Sync",
    "X": "Terminate",
}
SERVER = {
    "1": "ParseComplete",
    "2": "BindComplete",
    "3": "CloseComplete",
    "A": "NotificationResponse",
    "c": "CopyDone",
    "C": "CommandComplete",
    "d": "CopyData",
    "D": "DataRow",
    "E": "ErrorResponse",
    "G": "CopyInResponse",
    "H": "CopyOutResponse",
    "I": "EmptyQueryResponse",
    "K": "BackendKeyData",
    "n": "NoData",
    "N": "NoticeResponse",
    "R": "Authentication",  # the number in its body says which
    "s": "PortalSuspended",
    "S": "ParameterStatus",
    "t": "ParameterDescription",
    "T": "RowDescription",
    "V": "FunctionCallResponse",
    "v": "NegotiateProtocolVersion",
    "W": "CopyBothResponse",
    "Z": "ReadyForQuery",
}
CLIENT_KEEPS = {"Query": WORDS, "Parse": WORDS, "Bind": NAMES, "Execute": NAMES, "Close": NAMES}
SERVER_KEEPS = {
    "Authentication": 4,
    "CommandComplete": NAMES,
    "ErrorResponse": WORDS,
    "NoticeResponse": WORDS,
    "ParameterStatus": NAMES,
    "ReadyForQuery": 1,
}
OPENINGS = {
    80_877_102: "CancelRequest",
    80_877_103: "SSLRequest",
    80_877_104: "GSSENCRequest",
}  # what may stand in the place of a protocol version
VERSION = 3  # of the protocol, whatever stands behind the point
LENGTH = 4  # bytes of a message that say its length, themselves included
HEADER = 5  # its type and its length
OPENING = 8  # bytes of an opening that say what it is
LONGEST_OPENING = 10_000  # bytes; servers refuse more
TLS_HANDSHAKE = b"\x16"  # the first byte of one, where a client encrypts without asking
_TYPED = struct.Struct("!BI")
_OPENED = struct.Struct("!II")

Phase = Literal["opening", "answer", "typed"]


class Unreadable(Exception):  # noqa: N818 - it is no error of the program, and ends here
    """Why the bytes cannot be read on."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A message as it is cut out of the stream."""

    kind: str  # the protocol's own name
    size: int  # bytes on the wire, its header among them
    body: bytes  # its start, as far as it is kept


class Frames:
    """Cuts one direction into frames.

    The phase says what comes next: "opening" is the client's before its start-up message, "answer"
    the server's single byte about encryption, "typed" everything else.
    """

    def __init__(self, names: Mapping[str, str], keeps: Mapping[str, int], phase: Phase) -> None:
        self._phase = phase
        self._types = {ord(one): (name, keeps.get(name, 0)) for one, name in names.items()}
        self._buffer = bytearray()
        self._needed = 1  # bytes without which there is no next frame
        self._skip = 0  # bytes of the current body that are still to come, and not needed
        self._skipping = Frame("", 0, b"")  # whose they are

    def expect(self, phase: Phase) -> None:
        """Change the phase, also while frames are taken."""
        self._phase = phase
        self._needed = 1

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that *data* completes; take them all. Raises Unreadable."""
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            if self._skip:
                return
            yield self._skipping
            data = data[passed:]
        self._buffer += data
        if len(self._buffer) >= self._needed:
            yield from self._cut()

    def _cut(self) -> Iterator[Frame]:
        buffer, at = self._buffer, 0
        while True:
            found = self._header(at)
            if found is None:
                break
            kind, size, header, keep = found
            if len(buffer) < at + header + keep:
                self._needed = header + keep
                break
            body = bytes(buffer[at + header : at + header + keep]) if keep else b""
            frame = Frame(kind, size, body) if body else _bare(kind, size)
            at += size
            if at > len(buffer):
                self._skip, self._skipping = at - len(buffer), frame
                buffer.clear()
                self._needed = 1
                return
            yield frame
        del buffer[:at]

    def _header(self, at: int) -> tuple[str, int, int, int] | None:
        """Kind, size, bytes of the header, bytes to keep; None while the header is not there."""
        if self._phase == "opening":
            return self._opening(at)
        if self._phase == "answer":
            return self._answer(at)
        if len(self._buffer) < at + HEADER:
            self._needed = HEADER
            return None
        code, length = _TYPED.unpack_from(self._buffer, at)
        kind, keep = self._types.get(code, ("", 0))
        if not kind or length < LENGTH:
            raise Unreadable("not PostgreSQL's protocol 3")
        return kind, length + 1, HEADER, min(length - LENGTH, keep)

    def _answer(self, at: int) -> tuple[str, int, int, int] | None:
        answer = self._buffer[at : at + 1].decode("latin-1")
        if not answer:
            self._needed = 1
            return None
        if answer in "SGN":
            return answer, 1, 0, 1
        self._phase = "typed"  # an old or a crowded server answers with an error
        return self._header(at)

    def _opening(self, at: int) -> tuple[str, int, int, int] | None:
        if self._buffer[at : at + 1] == TLS_HANDSHAKE:
            raise Unreadable("the connection is encrypted")
        if len(self._buffer) < at + OPENING:
            self._needed = OPENING if len(self._buffer) > at else 1
            return None
        size, code = _OPENED.unpack_from(self._buffer, at)
        kind = OPENINGS.get(code, "StartupMessage" if code >> 16 == VERSION else "")
        if not kind or not OPENING <= size <= LONGEST_OPENING:
            raise Unreadable("not PostgreSQL's protocol 3")
        return kind, size, OPENING, 0


@lru_cache(maxsize=1024)
def _bare(kind: str, size: int) -> Frame:
    """A frame of which nothing is kept; thousands of rows share one."""
    return Frame(kind, size, b"")
