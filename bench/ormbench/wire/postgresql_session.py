"""What a PostgreSQL server is at on one connection: statements that run, transactions it begins.

The rules are those of the server's main loop. A transaction begins with the first Query, Parse,
Bind, Describe, Execute or FunctionCall outside one, and ends with a Sync, with the end of the
Query, or with a statement that says so; a lone Sync, Flush or Close begins none. Pure.
"""

from collections import deque
from dataclasses import dataclass

from ormbench.wire.postgresql_script import goes_to_savepoint, statements, verb

_ENDINGS = {"COMMIT", "ROLLBACK"}
_ANSWERS = {
    "ParseComplete": "Parse",
    "BindComplete": "Bind",
    "CloseComplete": "Close",
    "RowDescription": "Describe",
    "NoData": "Describe",
    "CommandComplete": "Execute",
    "EmptyQueryResponse": "Execute",
    "PortalSuspended": "Execute",
}  # the server's last word on a step -> the step
_NO_WORK = {"CloseComplete"}
_UNITS = {"Query", "Sync", "FunctionCall"}  # each of them ends with a ReadyForQuery
_LOOKUPS = {("Bind", "26000"), ("Execute", "34000")}  # refused before a transaction begins


@dataclass(slots=True)
class _Work:
    """A query string or a portal."""

    sql: str
    ended: int = 0  # commands of it that have ended; a portal that is fetched in parts: those
    named: bool = False  # bound from a prepared statement that has a name


class Session:
    """Follows one connection; told of each message in the order in which it passes."""

    def __init__(self) -> None:
        self.rows = 0  # DataRows of the current command
        self._sql: dict[str, str] = {}  # prepared statement -> its SQL
        self._portals: dict[str, _Work] = {}
        self._asked: deque[tuple[str, _Work]] = deque()  # what the server has yet to answer
        self._failed = False  # the server ignores everything up to the next Sync
        self._open = True  # a transaction; that of logging in is not counted
        self._begun = 0  # since the server was last ready
        self._bound = {True: 0, False: 0}  # whether a statement has a name -> how often, since then

    def parse(self, name: str, sql: str) -> None:
        """The client prepares a statement."""
        self._sql[name] = sql
        self._asked.append(("Parse", _Work(sql)))

    def bind(self, portal: str, statement: str) -> None:
        """The client binds a statement to values."""
        work = self._portals[portal] = _Work(self._sql.get(statement, ""), named=bool(statement))
        self._asked.append(("Bind", work))

    def execute(self, portal: str) -> str:
        """The client runs a portal: the SQL of it, "" where it is unknown."""
        work = self._portals.get(portal) or _Work("")
        self._asked.append(("Execute", work))
        return work.sql

    def close(self, what: str, name: str) -> None:
        """The client closes a statement, *what* is "S", or a portal."""
        (self._sql if what == "S" else self._portals).pop(name, None)
        self._asked.append(("Close", _Work("")))

    def ask(self, kind: str, sql: str = "") -> None:
        """The client sends a Query, a Describe, a Sync or a FunctionCall."""
        self._asked.append((kind, _Work(sql)))

    def answer(self, kind: str) -> None:
        """The server answers a step, or a part of one."""
        if kind not in _NO_WORK:
            self._work()
        if kind == "CopyInResponse":  # whatever was sent behind it is a Sync, and ignored
            while len(self._asked) > 1:
                self._asked.pop()
        elif self._asked and self._asked[0][0] == _ANSWERS.get(kind):
            _, work = self._asked.popleft()
            self._bound[work.named] += kind == "BindComplete"

    def bound(self) -> tuple[int, int]:
        """Statements that were bound since the last call: with a name of their own, and without."""
        named, unnamed = self._bound[True], self._bound[False]
        self._bound = {True: 0, False: 0}
        return named, unnamed

    def complete(self, tag: str) -> tuple[str, int]:
        """A command has ended: the first word of its statement, and rows."""
        self._work()
        kind, work = self._asked[0] if self._asked else ("", _Work(""))
        if tag in _ENDINGS:
            self._open = any(map(goes_to_savepoint, statements(work.sql)[work.ended :][:1]))
        again = kind == "Execute" and work.ended > 0
        word, *rest = tag.split() or [""]
        self._step_over(kind, work)
        return "FETCH" if again else word, int(rest[-1]) if rest and rest[-1].isdecimal() else 0

    def suspend(self) -> tuple[str, int]:
        """An Execute has given the rows that it may: the word as in `complete`, and rows."""
        self._work()
        kind, work = self._asked[0] if self._asked else ("", _Work(""))
        word, rows = "FETCH" if work.ended else verb(work.sql), self.rows
        self._step_over(kind, work)
        return word, rows

    def fail(self, code: str) -> None:
        """The server reports an error with this SQLSTATE."""
        kind = self._asked[0][0] if self._asked else ""
        if (kind, code) not in _LOOKUPS:
            self._work()
        self._failed = kind not in {"", "Query", "FunctionCall"}

    def ready(self, status: str) -> int:
        """The server is ready, *status* "I", "T" or "E": the transactions that it has begun."""
        units = {"Sync"} if self._failed else _UNITS
        while self._asked and self._asked.popleft()[0] not in units:
            pass
        if status != "I":
            self._work()
        elif not self._asked:
            self._portals.clear()
        begun, self._begun = self._begun, 0
        self._open, self._failed, self.rows = status != "I", False, 0
        return begun

    def _work(self) -> None:
        if not self._open:
            self._open = True
            self._begun += 1

    def _step_over(self, kind: str, work: _Work) -> None:
        work.ended += 1
        self.rows = 0
        if kind == "Execute":
            self._asked.popleft()
