"""One message on the wire, of whichever protocol, and what it means for a count. Pure data."""

from dataclasses import dataclass
from typing import Literal, Protocol

Side = Literal["client", "server"]  # who sent it


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message of the PostgreSQL protocol or a packet of the MySQL protocol, read."""

    side: Side
    kind: str  # the protocol's own name: "Query", "ReadyForQuery", "COM_QUERY", "OK"
    size: int  # bytes on the wire, its header among them
    text: str = ""  # SQL, a command's tag, the words of an error; "" where there are none
    asks: bool = False  # the client's, and the server answers it: Query, Sync, COM_QUERY, COM_PING
    question: bool = False  # a command that MySQL and MariaDB count in their `Questions`
    statement: str = ""  # a statement has run: its first word, upper case, "SELECT", "COMMIT"
    times: int = 1  # the server counts it; a bulk execute of MariaDB is one statement for each row
    rows: int = 0  # that it inserted, updated, deleted or returned, as the server said
    begun: int = 0  # transactions begun since the server was last ready (PostgreSQL)
    prepared: int = 0  # likewise: statements with a name of their own that were bound to run
    unprepared: int = 0  # and such without one


class Reader(Protocol):
    """Reads one connection, from its first byte on, in pieces of any size. Never raises.

    What it cannot read (encryption, compression, another protocol) it says in `lost`; from then on
    it gives no messages, and the count is void.
    """

    lost: str  # why it cannot read on; "" while it can

    def feed(self, side: Side, data: bytes) -> list[Message]:
        """The messages that *data* completes, in order."""
