"""What a MySQL or MariaDB server sends for each kind of command, from its first packet to its last.

Each answer is a generator: it is sent the server's packets one by one, gives a Message for each,
and returns that of the last.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache

from ormbench.wire.message import Message
from ormbench.wire.mysql_packets import ERR, LOCAL_INFILE, OK, Ending, Packet, ending, integer
from ormbench.wire.mysql_session import Prepared, Session
from ormbench.wire.mysql_values import bulk
from ormbench.wire.mysql_words import COMPOUND, word, words

Answer = Generator[Message, Packet, Message]

_START = Message(side="server", kind="", size=0)  # what a generator gives before its first packet
_NOT_RUN = frozenset({1046, 1047, 1064, 1065, 1115, 1149, 1193, 1243, 1295})
"""Errors that a server raises before it counts a statement: what it cannot parse, and what it does
not know: a database, a command, a character set, a variable, a prepared statement."""
_INNER = frozenset({"CALL", COMPOUND})  # send result sets of what they run, and then an OK
_BY_ROW = frozenset({"UPDATE", "DELETE"})  # of a bulk execute: MariaDB counts each row


@dataclass(slots=True)
class Asked:
    """A command that waits for its answer."""

    word: str = ""  # of the statement that it is counted as
    sql: bytes = b""  # that it brought
    statement: int | None = None  # the number of the prepared statement that it runs
    rows: bytes = b""  # a bulk execute, whole


AnswerTo = Callable[[Session, Asked], Answer]


@lru_cache(maxsize=4096)
def plain(kind: str, size: int) -> Message:
    """A packet of the server of which only the size matters; the same object for many rows."""
    return Message(side="server", kind=kind, size=size)


def _ended(
    packet: Packet,
    end: Ending,
    named: str = "",
    *,
    rows: int = 0,
    question: bool = False,
    times: int = 1,
) -> Message:
    """The message of a packet that ends something: the statement *named*, if one is."""
    return Message(
        side="server",
        kind=end.kind,
        size=packet.size,
        text=end.text,
        statement="" if end.error in _NOT_RUN else named,
        rows=rows,
        question=question,
        times=times,
    )


def login(session: Session, _asked: Asked) -> Answer:
    """From the server's first byte to the OK or ERR that ends the log-in."""
    packet = yield _START
    if packet.body[0] == ERR:
        session.greeted = True
        return _ended(packet, ending(packet.body))
    session.greet(packet.body)
    packet = yield plain("Handshake", packet.size)
    return (yield from _authenticated(packet))


def change_user(session: Session, _asked: Asked) -> Answer:
    """Another log-in on the same connection, which forgets what was prepared."""
    packet = yield _START
    message = yield from _authenticated(packet)
    session.prepared.clear()
    return message


def _authenticated(packet: Packet) -> Answer:
    while packet.body[:1] not in (b"\x00", b"\xff"):
        switches = packet.body[:1] == b"\xfe"
        packet = yield plain("AuthSwitchRequest" if switches else "AuthMoreData", packet.size)
    return _ended(packet, ending(packet.body))


def one(_session: Session, asked: Asked) -> Answer:
    """A single OK, EOF or ERR."""
    packet = yield _START
    return _ended(packet, ending(packet.body), asked.word)


def reset(session: Session, _asked: Asked) -> Answer:
    """The same; what was prepared is forgotten."""
    packet = yield _START
    session.prepared.clear()
    return _ended(packet, ending(packet.body))


def string(_session: Session, asked: Asked) -> Answer:
    """A text."""
    packet = yield _START
    return Message(side="server", kind="String", size=packet.size, statement=asked.word)


def fields(session: Session, asked: Asked) -> Answer:
    """Column definitions of a table."""
    packet = yield _START
    while not _ends(session, packet):
        packet = yield plain("ColumnDefinition", packet.size)
    return _ended(packet, ending(packet.body), asked.word)


def fetched(session: Session, _asked: Asked) -> Answer:
    """Rows from a cursor."""
    packet = yield _START
    packet, _ = yield from _rows(session, packet)
    return _ended(packet, ending(packet.body))


def prepared(session: Session, asked: Asked) -> Answer:
    """A number, the definitions of parameters and those of columns."""
    packet = yield _START
    body = packet.body
    if body[0] == ERR:
        return _ended(packet, ending(body))
    columns, parameters = (int.from_bytes(body[at : at + 2], "little") for at in (5, 7))
    session.prepared.pop(number := int.from_bytes(body[1:5], "little"), None)
    session.prepared[number] = Prepared(asked.sql, parameters)
    message = plain("COM_STMT_PREPARE_OK", packet.size)
    for count in filter(None, (parameters, columns)):
        for _ in range(count):
            packet = yield message
            message = plain("ColumnDefinition", packet.size)
        if not session.deprecate_eof:
            packet = yield message
            message = plain("EOF", packet.size)
    return message


def executed(session: Session, asked: Asked) -> Answer:
    """Result sets and OKs of one or several statements.

    The message that ends a statement names it, and is the `question` of those behind the first.
    """
    packet, found = (yield _START), 0
    statement = session.known(asked.statement) if asked.statement is not None else None
    named = word(statement.sql) if statement else asked.word or word(asked.sql)
    following: Iterator[str] | None = None  # words of the statements behind the first
    while True:
        packet, rows = yield from _result(session, packet)
        end = ending(packet.body)
        found += rows + end.affected
        closes = not end.more or named not in _INNER or packet.body[0] == OK
        message = _ended(packet, end)
        if closes:
            times = _times(asked, statement) if named in _BY_ROW else 1
            message = _ended(
                packet, end, named, rows=found, question=following is not None, times=times
            )
        if not end.more:
            return message
        if closes:
            if following is None:
                following = words(asked.sql)
                next(following)
            named, found = next(following, ""), 0
        packet = yield message


def _times(asked: Asked, statement: Prepared | None) -> int:
    """How often the server counts it."""
    if not asked.rows or statement is None:
        return 1
    rows, statement.types = bulk(asked.rows, statement.parameters, statement.types)
    return rows


Ended = Generator[Message, Packet, tuple[Packet, int]]


def _result(session: Session, packet: Packet) -> Ended:
    """The packet that ends what begins with *packet*, and how many rows came before."""
    body = packet.body
    if body[0] in (OK, ERR):
        return packet, 0
    if body[0] == LOCAL_INFILE:
        session.wants_file = True
        packet = yield plain("LocalInfileRequest", packet.size)
        session.wants_file = False
        return packet, 0
    columns, at = integer(body, 0)
    if session.cache_metadata and body[at] == 0:
        columns = 0  # the client has them from before
    message = plain("ColumnCount", packet.size)
    for _ in range(columns):
        packet = yield message
        message = plain("ColumnDefinition", packet.size)
    if not session.deprecate_eof:
        packet = yield message
        if packet.body[0] == ERR or ending(packet.body).cursor:
            return packet, 0
        message = plain("EOF", packet.size)
    packet = yield message
    return (yield from _rows(session, packet))


def _rows(session: Session, packet: Packet) -> Ended:
    count = 0
    while not _ends(session, packet):
        count += 1
        packet = yield plain("Row", packet.size)
    return packet, count


def _ends(session: Session, packet: Packet) -> bool:
    """Whether it ends rows; a row that begins like an EOF is longer than one can be."""
    first = packet.body[:1]
    longest = 0xFFFFFF if session.deprecate_eof else 9
    return first == b"\xff" or (first == b"\xfe" and packet.length < longest)
