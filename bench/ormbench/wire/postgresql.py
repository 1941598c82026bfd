"""Reads PostgreSQL's protocol 3, 3.0 and 3.2: what client and server tell each other. Pure.

`asks` stands on what makes the server send: an opening, a password, Query, FunctionCall, Sync, the
end of a COPY, and Flush where anything is unsaid since the last of these. A driver that waits for
each answer therefore has as many requests as round trips.
`statement` stands on CommandComplete, and on the PortalSuspended that ends the first part of a
portal; further parts are a FETCH each. `begun` stands on ReadyForQuery; logging in is not counted.
What a statement begins inside itself is not on the wire: VACUUM, CONCURRENTLY, procedures that
commit, and what a server begins of itself on an idle connection: to tell of a NOTIFY, and to catch
up with others' DDL and TRUNCATE.
"""

from dataclasses import replace
from functools import lru_cache

from ormbench.wire.message import Message, Side
from ormbench.wire.postgresql_frames import (
    CLIENT,
    CLIENT_KEEPS,
    SERVER,
    SERVER_KEEPS,
    Frame,
    Frames,
    Unreadable,
)
from ormbench.wire.postgresql_session import Session

_ASKS = {
    "StartupMessage",
    "SSLRequest",
    "GSSENCRequest",
    "PasswordMessage",
    "SASLInitialResponse",
    "SASLResponse",
    "GSSResponse",
    "Query",
    "FunctionCall",
    "Sync",
    "CopyDone",
    "CopyFail",
}
_AUTHENTICATION = {
    0: "AuthenticationOk",
    2: "AuthenticationKerberosV5",
    3: "AuthenticationCleartextPassword",
    5: "AuthenticationMD5Password",
    7: "AuthenticationGSS",
    8: "AuthenticationGSSContinue",
    9: "AuthenticationSSPI",
    10: "AuthenticationSASL",
    11: "AuthenticationSASLContinue",
    12: "AuthenticationSASLFinal",
}
_PASSWORDS = {
    7: "GSSResponse",
    8: "GSSResponse",
    9: "GSSResponse",
    10: "SASLInitialResponse",
    11: "SASLResponse",
}  # the client's answer; PasswordMessage to all others
_STEPS = {"Parse", "Bind", "Describe", "Execute", "Close"}  # answered on Sync, or on Flush
_PARTS = {
    "ParseComplete",
    "BindComplete",
    "CloseComplete",
    "ParameterDescription",
    "RowDescription",
    "NoData",
    "EmptyQueryResponse",
    "FunctionCallResponse",
    "CopyInResponse",
    "CopyOutResponse",
    "CopyBothResponse",
}  # of answers


@lru_cache(maxsize=1024)
def _plain(side: Side, kind: str, size: int, asks: bool = False) -> Message:  # noqa: FBT001, FBT002 - the cache is quicker by position
    """A message that says no more than that it was there; thousands of rows share one."""
    return Message(side=side, kind=kind, size=size, asks=asks)


class Reader:
    """Reads one connection of a PostgreSQL client; a `wire.message.Reader`."""

    def __init__(self) -> None:
        self.lost = ""
        self._session = Session()
        self._client = Frames(CLIENT, CLIENT_KEEPS, "opening")
        self._server = Frames(SERVER, SERVER_KEEPS, "typed")
        self._authentication = 0  # the number of the server's last word on it
        self._unsaid = False  # the client has sent steps, and not asked for their answers
        self._says = {
            "N": self._answered,
            "S": self._answered,
            "G": self._answered,
            "Authentication": self._authenticated,
            "CommandComplete": self._completed,
            "PortalSuspended": self._suspended,
            "ErrorResponse": self._reported,
            "NoticeResponse": self._reported,
            "ParameterStatus": self._set,
            "ReadyForQuery": self._ready,
        }

    def feed(self, side: Side, data: bytes) -> list[Message]:
        """The messages that *data* completes, in order."""
        messages: list[Message] = []
        if self.lost:
            return messages
        frames, read = self._client, self._from_client
        if side == "server":
            frames, read = self._server, self._from_server
        try:
            for frame in frames.feed(data):
                messages.append(read(frame))  # noqa: PERF401 - those before the unreadable count
        except Unreadable as why:
            self.lost = str(why)
        return messages

    def _from_client(self, frame: Frame) -> Message:
        kind = frame.kind
        asks = kind in _ASKS or (kind == "Flush" and self._unsaid)
        if kind in _STEPS:
            self._unsaid = True
        elif asks:
            self._unsaid = False
        if kind == "StartupMessage":
            self._client.expect("typed")
        elif kind in {"SSLRequest", "GSSENCRequest"}:
            self._server.expect("answer")
        elif kind == "PasswordMessage":
            kind = _PASSWORDS.get(self._authentication, kind)
        elif text := self._step(kind, frame.body):
            return _said("client", frame, text, asks=asks)
        return _plain("client", kind, frame.size, asks)

    def _step(self, kind: str, body: bytes) -> str:
        """Tell the session what the client wants; the SQL of it, "" where it has none."""
        session = self._session
        first, second, *_ = _strings(body)
        match kind:
            case "Query":
                session.ask(kind, first)
                return first
            case "Parse":
                session.parse(first, second)
                return second
            case "Bind":
                session.bind(first, second)
            case "Execute":
                return session.execute(first)
            case "Close":
                session.close(first[:1], first[1:])
            case "Describe" | "Sync" | "FunctionCall":
                session.ask(kind)
        return ""

    def _from_server(self, frame: Frame) -> Message:
        kind = frame.kind
        if kind == "DataRow":
            self._session.rows += 1
        elif kind in _PARTS:
            self._session.answer(kind)
        elif kind in self._says:
            return self._says[kind](frame)
        return _plain("server", kind, frame.size)

    def _answered(self, frame: Frame) -> Message:
        """One byte says whether encryption begins."""
        if frame.kind != "N":
            raise Unreadable("the connection is encrypted")
        self._server.expect("typed")
        return Message(side="server", kind="SSLResponse", size=1, text="N")

    def _authenticated(self, frame: Frame) -> Message:
        self._authentication = int.from_bytes(frame.body)
        kind = _AUTHENTICATION.get(self._authentication, frame.kind)
        return _plain("server", kind, frame.size)

    def _completed(self, frame: Frame) -> Message:
        tag = _strings(frame.body)[0]
        statement, rows = self._session.complete(tag)
        return _said("server", frame, tag, statement=statement, rows=rows)

    def _suspended(self, frame: Frame) -> Message:
        statement, rows = self._session.suspend()
        return _said("server", frame, "", statement=statement, rows=rows)

    def _reported(self, frame: Frame) -> Message:
        fields = {one[:1]: one[1:] for one in _strings(frame.body)}
        code = fields.get("C", "")
        if frame.kind == "ErrorResponse":
            self._session.fail(code)
        return _said("server", frame, f"{code}: {fields.get('M', '')}")

    def _set(self, frame: Frame) -> Message:
        name, value, *_ = _strings(frame.body)
        return _said("server", frame, f"{name} = {value}")

    def _ready(self, frame: Frame) -> Message:
        status = frame.body.decode("ascii", "replace")
        begun, (prepared, unprepared) = self._session.ready(status), self._session.bound()
        said = _said("server", frame, status, begun=begun)
        return replace(said, prepared=prepared, unprepared=unprepared)


def _said(
    side: Side,
    frame: Frame,
    text: str,
    *,
    asks: bool = False,
    statement: str = "",
    rows: int = 0,
    begun: int = 0,
) -> Message:
    return Message(
        side=side,
        kind=frame.kind,
        size=frame.size,
        text=text,
        asks=asks,
        statement=statement,
        rows=rows,
        begun=begun,
    )


def _strings(body: bytes) -> list[str]:
    """The strings of a body, each ended by a zero; at least two, empty where there are none."""
    return [*body.decode("utf-8", "replace").split("\0"), "", ""]
