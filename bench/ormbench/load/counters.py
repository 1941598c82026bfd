"""How the server's own counters of one connection are read, on that connection itself.

A reading is work that the server counts, too, and so is what a pool sends when a connection comes
and goes. Two readings in a row differ by what one costs, and by nothing else; the first prepares
the statement, and is no measure of it.

PostgreSQL: a backend numbers the transactions that it begins, and its row in pg_locks shows the
number of the present one: exact at once, whatever others do. A statement outside of a transaction
is one by itself, and so is a statement's preparation. One kind is nobody's work: an idle backend
that has missed thousands of changes to the catalog begins a transaction to catch up with them
(measured: one for each hundred or so tables that others empty meanwhile).

What runs inside a transaction shows in pg_prepared_statements: each time that a statement with a
name of its own is bound, a plan of it is counted. Statements that a driver forgets take their
numbers with them, which the sum of their names' hashes tells. asyncpg closes forgotten ones between
a statement's preparation and its first run, which are then two transactions.

Its totals of a database come late. A backend adds its own to them when it has been idle, and at
most once a second; `pg_stat_force_next_flush` (from 15 on) makes it do so after this transaction,
but only where it has something to tell of a *table*: without that it returns early, and the commits
stay behind (measured on 18: 0 of 52 told without a touch of a table, 52 of 52 with it). So the
reading looks into a small table of the catalog.

MySQL, MariaDB: SHOW SESSION STATUS, exact at once. A COMMIT that was sent is in Com_commit; one
that autocommit implies is not. COM_PING and the preparation of a statement are not in Questions,
its execution is. Where a table was emptied since, MySQL prepares a statement anew and counts it
twice, in Com_update, say, but not in Questions; Com_stmt_reprepare tells how often. On MariaDB a
bulk execute is one question, but its UPDATEs and DELETEs are one for each row in Com_update and
Com_delete. asyncmy, and aiomysql in raw lanes, ask SHOW WARNINGS after a warning, which is a
question.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ormbench.lanes.binding import Ask
from ormbench.servers.server import Product
from ormbench.targets.raw import Rows
from ormbench.truth.counters import STATUS

Reading = dict[str, dict[str, int]]  # the server's id of a connection -> its counters

_PREPARED = """,
(SELECT coalesce(sum(generic_plans + custom_plans), 0)::bigint FROM pg_prepared_statements),
(SELECT coalesce(sum(hashtext(name)), 0)::bigint FROM pg_prepared_statements)"""
_FLUSH = ", pg_stat_force_next_flush()::text, (SELECT count(*) FROM pg_catalog.pg_am)"
_TRANSACTIONS = """
SELECT pg_backend_pid(), split_part(virtualtransaction, '/', 2)::bigint{}
FROM pg_catalog.pg_locks WHERE locktype = 'virtualxid' AND pid = pg_backend_pid()
"""
_OF_POSTGRESQL = ("transactions", "executions", "names")  # the last two where it is to publish
_NAMES = ", ".join(f"'{name}'" for name in STATUS)
_MYSQL = ("SELECT CONNECTION_ID()", f"SHOW SESSION STATUS WHERE Variable_name IN ({_NAMES})")


def statements(product: Product, *, flush: bool) -> tuple[str, ...]:
    """What a connection is asked; *flush*: PostgreSQL 15 or later is to publish its totals."""
    if product == "PostgreSQL":
        return (_TRANSACTIONS.format(_PREPARED + _FLUSH if flush else ""),)
    return _MYSQL


def reading(product: Product, answers: Sequence[Sequence[Rows]]) -> Reading:
    """What connections have answered to `statements`."""
    if product == "PostgreSQL":
        rows = (answer[-1][0] for answer in answers)
        return {
            str(process): dict(zip(_OF_POSTGRESQL, map(int, values), strict=False))
            for process, *values in (row[: 1 + len(_OF_POSTGRESQL)] for row in rows)
        }
    return {str(identity): _status(status) for [[(identity,)], status] in answers}


def _status(rows: Rows) -> dict[str, int]:
    found: Mapping[str, Any] = {name: value for name, value in rows}  # noqa: C416 - a row is a tuple of any length to the type checker
    return {name: int(found[name]) for name in STATUS if name in found}


async def read(ask: Ask, product: Product, *, flush: bool) -> Reading:
    """The counters of every connection, read once. Raises whatever the driver does."""
    return reading(product, await ask(statements(product, flush=flush)))
