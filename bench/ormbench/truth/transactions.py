"""Whether operations end their transactions as the cell says, by what they sent. Pure."""

from collections.abc import Sequence

from ormbench.cell import Transaction
from ormbench.wire.tally import Tally

_BOUNDS = {"BEGIN", "START", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK", "SET"}

_BEGINS = ("BEGIN", "START")


def unequal_end(
    transaction: Transaction, operations: Sequence[Tally], *, owns_units: bool = False
) -> str | None:
    """What is wrong with the statements of *operations*, in one line; None if nothing is.

    Every operation asks the server something. One with a transaction of its own sends COMMIT. In
    autocommit none leaves what it began to a later one's COMMIT: that was not this one's work.
    *owns_units*: the lane begins and ends its transactions itself, some of them with a ROLLBACK.
    """
    commits = [one.statements.get("COMMIT", 0) for one in operations]
    for number, one in enumerate(operations, 1):
        if (only := _asks_nothing(one)) is not None:
            return f"operation {number} of its count pass sent nothing to the server{only}"
        if transaction == "per-operation" and not owns_units and not commits[number - 1]:
            return f"operation {number} of its count pass sent no COMMIT"
    begins = [sum(one.statements.get(word, 0) for word in _BEGINS) for one in operations]
    if owns_units:
        return None
    if 0 in commits and any(map(_one_sided, begins, commits)) and any(commits):
        return f"operations of its count pass sent unequal numbers of COMMIT: {commits}"
    return None


def _one_sided(begins: int, commits: int) -> bool:
    """Whether only one end of a transaction is in an operation."""
    return bool(begins) != bool(commits)


def _asks_nothing(one: Tally) -> str | None:
    """What an operation sent that only bounds a transaction; None where it sent more than that.

    A statement that fails has no name on PostgreSQL, but is a request.
    """
    if not one.statements.keys() <= _BOUNDS or one.requests > sum(one.statements.values()):
        return None
    return f" but {' and '.join(one.statements)}" if one.statements else ""
