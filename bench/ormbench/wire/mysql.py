"""Reads the protocol of MySQL 9 and MariaDB 11: which packets pass, and what they mean for a count.

What a message says, beyond its fields' own words:

- `asks` is true of the log-in's packets, too, and of the empty packet that ends a LOCAL INFILE.
- `question` is true of a client's command, and, of a string of several statements, of the server's
  message that ends each one behind the first. A new session begins at 0 after COM_RESET_CONNECTION
  and COM_CHANGE_USER; COM_QUIT counts where only SHOW GLOBAL STATUS can show it.
- `statement` stands in the server's message that ends it, by the word of `mysql_words`: the sum of
  `Com_update` and `Com_update_multi` are the UPDATEs, and so on. A statement that fails counts, as
  it does with both servers, unless it failed before it ran (a syntax error).
- `times` is 1, but for MariaDB's bulk execute of UPDATE and DELETE, which `Com_*` counts by row:
  all that were sent, of which one that fails has run some.
- `rows` are those affected or returned; those of a cursor, fetched later, are counted nowhere.

What a procedure, a trigger or an SQL-level EXECUTE runs inside is in `Com_*`, but is not on the
wire: it is not counted here.
"""

from collections import deque
from sys import maxsize

from ormbench.wire.message import Message, Side
from ormbench.wire.mysql_answers import Answer, AnswerTo, Asked, login, plain
from ormbench.wire.mysql_commands import (
    BULK,
    CLOSE,
    EXECUTE,
    FETCH,
    LONG_DATA,
    PREPARE,
    QUERY,
    RESET,
    command,
)
from ormbench.wire.mysql_packets import ERR, Packet, Packets, ending, readable
from ormbench.wire.mysql_session import Session
from ormbench.wire.mysql_values import after_attributes

_SERVER_KEEPS = 1024  # bytes of a packet: the longest greeting or error, and no more of a row
_BY_NUMBER = frozenset({EXECUTE, LONG_DATA, CLOSE, RESET, FETCH, BULK})
_PROGRESS = b"\xff\xff\xff"  # MariaDB: an ERR that is none


class Reader:
    """Reads one connection; see `message.Reader`."""

    def __init__(self) -> None:
        self.lost = ""
        self._session = Session()
        self._packets = {"client": Packets(maxsize), "server": Packets(_SERVER_KEEPS)}
        self._answers: deque[Answer] = deque()  # that the server owes, in order
        self._expect(login, Asked())

    def feed(self, side: Side, data: bytes) -> list[Message]:
        """The messages that *data* completes, in order."""
        messages: list[Message] = []
        if self.lost:
            return messages
        read = self._from_client if side == "client" else self._from_server
        try:
            for packet in self._packets[side].feed(data):
                messages.append(read(packet))
                if self._session.lost:
                    break
        except (IndexError, ValueError):
            self._session.lost = f"the {side} sent what is not the protocol of MySQL and MariaDB"
        self.lost = self._session.lost
        return messages

    def _from_server(self, packet: Packet) -> Message:
        if packet.body.startswith(_PROGRESS):
            return plain("Progress", packet.size)
        if not self._answers:
            if packet.body[0] != ERR:
                raise ValueError
            text = ending(packet.body).text  # it closes the connection
            return Message(side="server", kind="ERR", size=packet.size, text=text)
        try:
            return self._answers[0].send(packet)
        except StopIteration as last:
            self._answers.popleft()
            message: Message = last.value
            return message

    def _from_client(self, packet: Packet) -> Message:
        session = self._session
        if not session.greeted:
            raise ValueError  # the server speaks first
        if not session.introduced:
            kind = session.introduce(packet.body)
            asks = kind == "HandshakeResponse"
        elif session.wants_file:
            kind, asks = "LocalInfileData", not packet.length
            session.wants_file = not asks
        elif packet.sequence:
            kind, asks = "AuthSwitchResponse", True
        else:
            return self._command(packet)
        return Message(side="client", kind=kind, size=packet.size, asks=asks)

    def _command(self, packet: Packet) -> Message:
        session, body = self._session, packet.body
        code = body[0] if body else 0  # as servers read an empty packet
        this = command(code)
        asked, sql = Asked(this.word), b""
        if code == QUERY:
            asked.sql = sql = body[after_attributes(body, 1) if session.query_attributes else 1 :]
        elif code == PREPARE:
            asked.sql = sql = body[1:]
        elif code in _BY_NUMBER:
            number = int.from_bytes(body[1:5], "little")
            known = session.known(number)
            sql = known.sql if known else b""
            asked.statement = number
            if code == BULK:
                asked.rows = body
            elif code == CLOSE:
                session.prepared.pop(number, None)
        if this.answer:
            self._expect(this.answer, asked)
        return Message(
            side="client",
            kind=this.kind,
            size=packet.size,
            text=readable(sql),
            asks=this.answer is not None,
            question=this.question,
        )

    def _expect(self, answer: AnswerTo, asked: Asked) -> None:
        begun = answer(self._session, asked)
        next(begun)
        self._answers.append(begun)
