"""The opening of a connection, kept from encryption, so that what follows can be read. Pure.

For connections that do not leave the machine: there a client that prefers to encrypt is told that
the server cannot. One that insists gives up, and says so.
"""

import struct
from typing import Protocol

_SSL_REQUEST = struct.pack("!II", 8, 80877103)
_GSSENC_REQUEST = struct.pack("!II", 8, 80877104)
_REQUESTS = (_SSL_REQUEST, _GSSENC_REQUEST)
_NO = b"N"

_LONGEST_GREETING = 1024
_PROTOCOL = b"\x0a"  # the first byte of a greeting; an error has another
_SSL = 1 << 11
_COMPRESS = 1 << 5
_ZSTD = 1 << 26
_UNREADABLE = _SSL | _COMPRESS | _ZSTD


class Opening(Protocol):
    """What happens to the first bytes of a connection."""

    def client(self, data: bytes) -> tuple[bytes, bytes]:
        """Of what the client sends: what the server gets, and what the client is answered."""

    def server(self, data: bytes) -> bytes:
        """Of what the server sends: what the client gets."""


class PostgreSQLOpening:
    """Answers requests for encryption with No; the server never sees them."""

    def __init__(self) -> None:
        self._held = b""
        self._done = False

    def client(self, data: bytes) -> tuple[bytes, bytes]:
        """See Opening."""
        if self._done:
            return data, b""
        data, answer = self._held + data, b""
        while data.startswith(_REQUESTS):
            data, answer = data[len(_SSL_REQUEST) :], answer + _NO
        if any(one.startswith(data) for one in _REQUESTS):  # it may become one
            self._held = data
            return b"", answer
        self._done = True
        return data, answer

    def server(self, data: bytes) -> bytes:
        """See Opening."""
        return data


class MySQLOpening:
    """Takes encryption and compression out of what the server's greeting offers."""

    def __init__(self) -> None:
        self._held = b""
        self._done = False

    def client(self, data: bytes) -> tuple[bytes, bytes]:
        """See Opening."""
        return data, b""

    def server(self, data: bytes) -> bytes:
        """See Opening."""
        if self._done:
            return data
        data = self._held + data
        size = int.from_bytes(data[:3], "little")
        if size <= _LONGEST_GREETING and len(data) < max(4, 4 + size):
            self._held = data
            return b""
        self._done = True
        return _plain(data)


def _plain(greeting: bytes) -> bytes:
    """The greeting without the capabilities that nobody could read along with."""
    end = greeting.find(b"\0", 5)  # of the server's version, after a header and the protocol
    lower = end + 1 + 4 + 8 + 1  # after a connection's id, the first half of a scramble, a zero
    upper = lower + 2 + 1 + 2  # after a character set and a status
    if greeting[4:5] != _PROTOCOL or end < 0 or len(greeting) < upper + 2:
        return greeting
    kept, there = bytearray(greeting), ~_UNREADABLE
    for place, shift in ((lower, 0), (lower + 1, 8), (upper, 16), (upper + 1, 24)):
        kept[place] &= there >> shift & 0xFF
    return bytes(kept)


def opening(product: str) -> Opening:
    """The opening of a connection to *product*."""
    return PostgreSQLOpening() if product == "PostgreSQL" else MySQLOpening()
