"""What a count pass promises of the server's own counters, and whether they keep it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ormbench.servers.server import Product
from ormbench.truth.early import ALL_WHOLE, Early
from ormbench.wire.tally import Tally

_COMMANDS = {  # what the wire calls a statement -> the counters of MySQL and MariaDB it may move
    "SELECT": ("Com_select",),
    "INSERT": ("Com_insert", "Com_insert_select"),
    "REPLACE": ("Com_replace", "Com_replace_select"),
    "UPDATE": ("Com_update", "Com_update_multi"),
    "DELETE": ("Com_delete", "Com_delete_multi"),
    "COMMIT": ("Com_commit",),
    "ROLLBACK": ("Com_rollback", "Com_rollback_to_savepoint"),
    "SAVEPOINT": ("Com_savepoint",),
    "BEGIN": ("Com_begin",),
    "SET": ("Com_set_option",),
}
_AGAIN = "Com_stmt_reprepare"
"""Prepared statements that ran into another version of their table, were prepared anew by the
server, and run again: MySQL counts them twice. A TRUNCATE makes such a version."""
STATUS = ("Questions", *(name for names in _COMMANDS.values() for name in names), _AGAIN)
_WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE")
_BEGINS_ITSELF = {"CALL", "DO", "LISTEN", "NOTIFY", "VACUUM", "CLUSTER", "REINDEX"}  # may commit
_CHANGES_CATALOG = {"CREATE", "DROP", "ALTER", "TRUNCATE", "ANALYZE", "REINDEX", "CALL", "DO"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A counter that is not what the count passes promise."""

    name: str
    counted: int
    least: int
    most: int
    each: str = ""  # "1 an operation"
    promise: str = "its count pass promises"
    unsent: bool = False  # commands that the server counted too often, of as many as were sent
    early: bool = False  # the span is that of attempts which ended early, of operations all alike

    @property
    def varies(self) -> bool:
        """Whether the operations that were counted differ in it: those timed may do so further."""
        return self.least < self.most and not self.early

    @property
    def is_more(self) -> bool:
        """More than promised, which on a shared server others may have caused."""
        return self.counted > self.most

    def __str__(self) -> str:
        """One line that names the counter."""
        each = f" ({self.each})" if self.each else ""
        told = f"{self.promise} {_span(self.least, self.most)}{each}"
        return f"the server counted {self.counted:,} {self.name}, {told}"


def promised(product: Product, tally: Tally) -> dict[str, int]:
    """What the counters grow by where that passes on the wire; names as `joined` gives them."""
    if product == "PostgreSQL":
        return {"transactions": tally.transactions, "executions": tally.prepared}
    sent = tally.statements
    commands = {names[0]: sent.get(word, 0) for word, names in _COMMANDS.items()}
    return {"Questions": tally.questions, **commands}


def joined(counted: Mapping[str, int]) -> dict[str, int]:
    """Counters that one word on the wire may move, as one: Com_update_multi is in Com_update."""
    found = dict(counted)
    for first, *others in _COMMANDS.values():
        if first in found:
            found[first] += sum(found.pop(name, 0) for name in others)
    return found


def difference(
    product: Product,
    operations: Sequence[Tally],
    turns: int,
    counted: Mapping[str, int],
    early: Early = ALL_WHOLE,
) -> Difference | None:
    """A counter that is not *turns* times what *operations* promise, each of them.

    Where the tallies differ, a counter lies between that of the least and that of the most; it may
    hold twice what the server prepared anew. Of several, one that counted too little comes first,
    and a command before all Questions. Where commands are too many and Questions are not, the
    server ran what nobody sent: in a trigger, say.
    """
    promises, found = [promised(product, one) for one in operations], joined(counted)
    again, wrong = found.get(_AGAIN, 0), []
    for name in filter(found.__contains__, promises[0]):
        values = [each[name] for each in promises]
        if one := compared(name, found[name], turns, values, early):
            twice = again if name != "Questions" else 0
            if not 0 < one.counted - one.most <= twice:
                wrong.append(one)
    return foremost(product, operations, wrong)


def foremost(
    product: Product, operations: Sequence[Tally], wrong: Sequence[Difference]
) -> Difference | None:
    """Of all that is *wrong* what tells most: too little, then a COMMIT, Questions at last.

    Of what ran and nobody sent only a procedure may hold a COMMIT, a trigger may not.
    """
    first = min(wrong, key=_rank, default=None)
    if first is None or not first.is_more or product == "PostgreSQL":
        return first
    sent = {"Questions"} if "CALL" in _words(operations) else {"Questions", "Com_commit"}
    return replace(first, unsent=not any(one.name in sent for one in wrong))


def _rank(one: Difference) -> tuple[bool, bool, bool]:
    return one.is_more, one.name == "Questions", one.is_more and one.name != "Com_commit"


def compared(
    name: str, counted: int, turns: int, values: Sequence[int], early: Early = ALL_WHOLE
) -> Difference | None:
    """How *counted* differs from *turns* times *values*; None where it lies among them.

    Of operations that ended *early* it counts what they may have come to.
    """
    least, most = min(values), max(values)
    low, high = early.span(name, turns, least, most)
    if low <= counted <= high:
        return None
    each = f"{_span(least, most)} an operation"
    if early.attempts:
        each += f", {early.attempts:,} attempt{'s' * (early.attempts != 1)} rolled back"
    return Difference(name, counted, low, high, each, early=least == most)


def disagreement(
    product: Product, operations: Sequence[Tally], turns: int, counted: Mapping[str, int]
) -> str | None:
    """The same in words: "the server counted 1,203 Com_commit, its count pass promises 1,200"."""
    found = difference(product, operations, turns, counted)
    return str(found) if found else None


def alike(operations: Sequence[Tally], further: Tally | None = None, times: int = 1) -> bool:
    """Whether *operations* promise the same, and *further* as much for each of *times*."""
    one = _promises(operations[0])
    same = all(_promises(other) == one for other in operations)
    return same and (
        further is None
        or _promises(further) == {name: times * value for name, value in one.items()}
    )


def _promises(tally: Tally) -> dict[str, int]:
    """All that a counter may be held against, on any product; bytes differ with inputs."""
    sums = {"transactions": tally.transactions, "questions": tally.questions}
    rows = {f"{word} rows": tally.rows.get(word, 0) for word in _WRITES if tally.rows.get(word)}
    return {**sums, **tally.statements, **rows}


def rollbacks(tally: Tally) -> int | None:
    """Transactions that PostgreSQL rolls back; None where the wire does not tell.

    ROLLBACK is also what the end of a savepoint is called, and a statement that failed by itself
    has no name at all: then fewer statements than transactions have run.
    """
    sent = tally.statements
    if "SAVEPOINT" in sent or sum(sent.values()) < tally.transactions:
        return None
    return sent.get("ROLLBACK", 0)


def begins_itself(operations: Sequence[Tally]) -> str:
    """Why PostgreSQL may begin transactions that the wire does not promise; "" where it may not.

    Procedures and DO may commit, maintenance does; one more tells a listener of a NOTIFY; and a
    driver that names a statement when it has run a few times prepares it by itself.
    """
    if words := sorted(_BEGINS_ITSELF & _words(operations)):
        return f"the server begins transactions of its own ({', '.join(words)})"
    later = any(one.unprepared for one in operations)
    return "its driver may prepare statements that it had not when it was counted" if later else ""


def changes_catalog(operations: Sequence[Tally]) -> bool:
    """Whether they change PostgreSQL's catalog, with which the other backends have to catch up."""
    return bool(_CHANGES_CATALOG & _words(operations))


def _words(operations: Sequence[Tally]) -> set[str]:
    return {word for one in operations for word in one.statements}


def written(tally: Tally) -> int | None:
    """Rows inserted, updated and deleted; None where the wire does not tell.

    COPY goes both ways; and a row that a unique key refuses is counted by the server as inserted,
    while on the wire there is an error and then a ROLLBACK.
    """
    if tally.statements.keys() & {"COPY", "ROLLBACK"}:
        return None
    return sum(tally.rows.get(word, 0) for word in _WRITES)


def _span(least: int, most: int) -> str:
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
