"""Counts as a relay would take them, without one: plausible for the lane and the server product.

On PostgreSQL an operation is BEGIN, its work and COMMIT; on the others its work and COMMIT, and
SQLAlchemy's pool sends a ROLLBACK when the connection goes back.
"""

from dataclasses import replace

from ormbench.cell import Cell
from ormbench.results.count import Count
from ormbench.wire.tally import Line, Tally

COUNTED = 5
SELECT = "SELECT developers.id, developers.name FROM developers WHERE developers.id = $1"


def statements_of(cell: Cell) -> tuple[str, ...]:
    """The first words of what one operation sends, in order."""
    work = {"bulk_create": "INSERT", "update_email": "UPDATE"}.get(cell.scenario, "SELECT")
    if cell.target.startswith("postgresql"):
        reset = ("RESET",) if cell.lane == "raw_pool" else ()
        return ("BEGIN", work, "COMMIT", *reset)
    on_return = () if cell.lane.startswith("raw") else ("ROLLBACK",)
    return (work, "COMMIT", *on_return)


def count_of(cell: Cell, block: int = 0, longest: int = 0) -> Count:
    """A count of COUNTED operations, the first of them with *longest* further round trips."""
    usual = _tally(cell, statements_of(cell))
    first = replace(usual, round_trips=usual.round_trips + longest)
    return Count(cell.id, block, (first, *(usual,) * (COUNTED - 1)), transcript_of(cell))


def _tally(cell: Cell, statements: tuple[str, ...]) -> Tally:
    postgresql = cell.target.startswith("postgresql")
    lines = transcript_of(cell)
    return Tally(
        round_trips=len(statements),
        requests=len(statements),
        messages=sum(line.side == "client" for line in lines),
        sent=sum(line.size for line in lines if line.side == "client"),
        received=sum(line.size for line in lines if line.side == "server"),
        transactions=1 if postgresql else 0,
        questions=0 if postgresql else len(statements),
        statements={word: statements.count(word) for word in sorted(set(statements))},
        rows={"SELECT": 1} if "SELECT" in statements else {},
    )


def transcript_of(cell: Cell) -> tuple[Line, ...]:
    """The messages behind those statements."""
    lines: list[Line] = []
    for word in statements_of(cell):
        text = SELECT if word == "SELECT" else f"{word};"
        if not cell.target.startswith("postgresql"):
            lines.append(Line("client", "COM_QUERY", 5 + len(text), text))
            lines.append(Line("server", "OK", 11, ""))
        elif word == "SELECT":
            lines += [
                Line("client", "Bind", 42, ""),
                Line("client", "Execute", 10, ""),
                Line("client", "Sync", 5, ""),
                Line("server", "BindComplete", 5, ""),
                Line("server", "DataRow", 64, ""),
                Line("server", "CommandComplete", 14, "SELECT 1"),
                Line("server", "ReadyForQuery", 6, ""),
            ]
        else:
            lines += [
                Line("client", "Query", 6 + len(text), text),
                Line("server", "CommandComplete", 6 + len(word), word),
                Line("server", "ReadyForQuery", 6, ""),
            ]
    return tuple(lines)
