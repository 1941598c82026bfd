"""What both ends of a connection to MySQL or MariaDB agreed on, and what was prepared there."""

from dataclasses import dataclass, field

_VERSION = 10  # of the protocol
_MYSQL = 1 << 0  # set by MySQL and its clients; where it is not, MariaDB's own flags follow
_COMPRESS = 1 << 5 | 1 << 26  # zlib, zstd
_PROTOCOL_41 = 1 << 9
_SSL = 1 << 11
_DEPRECATE_EOF = 1 << 24
_OPTIONAL_METADATA = 1 << 25
_QUERY_ATTRIBUTES = 1 << 27
_MARIADB_CACHE_METADATA = 1 << 4
_SSL_REQUEST = 32  # bytes: a handshake response that ends before the user's name

NEWEST = 0xFFFFFFFF  # how MariaDB's clients name the statement that was prepared last


@dataclass(slots=True)
class Prepared:
    """A statement that the server knows by a number."""

    sql: bytes
    parameters: int
    types: bytes = b""  # of its last bulk execute


@dataclass(slots=True)
class Session:
    """One connection."""

    lost: str = ""  # why it cannot be read on
    greeted: bool = False  # the server has spoken
    introduced: bool = False  # the client has answered
    wants_file: bool = False  # the server asked for a file, and the client has not ended it yet
    prepared: dict[int, Prepared] = field(default_factory=dict)
    _flags: int = 0  # capabilities of the server, then those of both
    _mariadb: int = 0  # and MariaDB's own

    @property
    def deprecate_eof(self) -> bool:
        """Whether definitions end without an EOF, and rows with an OK."""
        return bool(self._flags & _DEPRECATE_EOF)

    @property
    def query_attributes(self) -> bool:
        """Whether attributes stand before the SQL of a COM_QUERY."""
        return bool(self._flags & _QUERY_ATTRIBUTES)

    @property
    def cache_metadata(self) -> bool:
        """Whether the server says, and may say no, that definitions follow."""
        return bool(self._mariadb & _MARIADB_CACHE_METADATA)

    def greet(self, body: bytes) -> None:
        """Read the server's greeting."""
        self.greeted = True
        if body[0] != _VERSION:
            self.lost = "the server does not speak the protocol of MySQL and MariaDB"
            return
        at = body.index(0, 1) + 14  # behind version, thread and scramble
        low, high = body[at : at + 2], body[at + 5 : at + 7]
        self._flags = int.from_bytes(low + high, "little")
        self._mariadb = int.from_bytes(body[at + 14 : at + 18], "little")

    def introduce(self, body: bytes) -> str:
        """Read the client's answer to the greeting; the name of that packet."""
        self.introduced = True
        theirs, flags = self._flags, int.from_bytes(body[:4], "little")
        self._flags = theirs & flags
        self._mariadb &= 0 if (theirs | flags) & _MYSQL else int.from_bytes(body[28:32], "little")
        if flags & _SSL and len(body) == _SSL_REQUEST:
            self.lost = "the connection is encrypted"
            return "SSLRequest"
        if not flags & _PROTOCOL_41:
            self.lost = "the client speaks the protocol from before MySQL 4.1"
        elif self._flags & _COMPRESS:
            self.lost = "the connection is compressed"
        elif self._flags & _OPTIONAL_METADATA:
            self.lost = "the client may have result sets sent without their definitions"
        return "HandshakeResponse"

    def known(self, number: int) -> Prepared | None:
        """The prepared statement of this number, if there is one."""
        newest = next(reversed(self.prepared), None) if number == NEWEST else number
        return self.prepared.get(newest) if newest is not None else None
