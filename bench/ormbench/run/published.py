"""What PostgreSQL publishes of a run's database, beside what each backend knows of itself.

Its totals of the database are read from another one, whose transactions they leave out; rows
written can only be read inside. Both hold only what backends have added to them, see
`load.counters`: each known connection is made to do so just before, and a backend that ends does so
before it vanishes from pg_stat_activity. Each transaction that a backend numbers is then in
xact_commit or in xact_rollback, be it one that prepares, fails or catches up; beside them, each
worker of a parallel query commits twice while it starts (measured on 18).
"""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from sqlalchemy import Connection, bindparam, text

from ormbench.errors import ServerError
from ormbench.load.counters import Reading, reading, statements
from ormbench.servers.control import POSTGRESQL_DATABASE, postgresql_connection
from ormbench.servers.server import Address
from ormbench.truth.tables import Tables

_TOTALS = """
SELECT xact_commit, xact_rollback, sessions,
(to_jsonb(totals) ->> 'parallel_workers_launched')::bigint
FROM pg_stat_database totals WHERE datname = %s
"""
_PRESENT = """
SELECT pid FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'
"""
_WRITTEN = text("""
SELECT schemaname, sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables
WHERE schemaname IN :schemas AND schemaname NOT IN (
    SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'p' OR c.relhasrules
    OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
    OR EXISTS (
        SELECT FROM pg_constraint k WHERE k.conrelid = c.oid
        AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))))
GROUP BY schemaname
""").bindparams(bindparam("schemas", expanding=True))
_LEAVING_SECONDS = 0.3  # within which a connection that was closed has left the server


@dataclass(frozen=True, slots=True)
class Totals:
    """PostgreSQL's totals at one moment, and the coordinator's own share of them."""

    own: Reading  # of the connection of `Tables`
    commits: int
    rollbacks: int
    sessions: int
    strangers: bool  # whether somebody is in the database whose connection is none of ours
    workers: int | None  # of parallel queries, launched so far; None before PostgreSQL 18
    written: Mapping[str, int]  # schema -> rows; none where triggers, rules or cascades write, too


def totals(
    address: Address, tables: Tables, schemas: Collection[str], known: Iterable[str]
) -> Totals | None:
    """Read them; *known* are the ids of the arms' connections, which have published theirs.

    None where nobody may look from another database. Raises DBAPIError where the server refuses
    a statement inside.
    """
    if address.database == POSTGRESQL_DATABASE:
        return None
    with tables.connected() as connection:
        own, written = _inside(connection, schemas)
    try:
        with postgresql_connection(replace(address, database=POSTGRESQL_DATABASE)) as control:
            strangers = _strangers(control, address.database, {*known, *own})
            row = control.execute(_TOTALS, (address.database,)).fetchone()
    except (ServerError, psycopg.Error):
        return None
    if row is None:
        return None
    commits, rollbacks, sessions, workers = row
    return Totals(own, commits, rollbacks, sessions, strangers, workers, written)


def _inside(connection: Connection, schemas: Collection[str]) -> tuple[Reading, dict[str, int]]:
    """The reading comes twice: first, so that what this connection wrote before is published."""
    asked = statements("PostgreSQL", flush=True)
    for one in asked:
        connection.exec_driver_sql(one).all()
    found = connection.execute(_WRITTEN, {"schemas": list(schemas)}) if schemas else ()
    written = {schema: int(rows) for schema, rows in found}
    answers = [[tuple(row) for row in connection.exec_driver_sql(one)] for one in asked]
    return reading("PostgreSQL", [answers]), written


def _strangers(control: psycopg.Connection[Any], database: str, ours: set[str]) -> bool:
    """Whether others are connected; those that are just leaving get the time for it."""
    until = time.monotonic() + _LEAVING_SECONDS
    while {str(process) for (process,) in control.execute(_PRESENT, (database,))} - ours:
        if time.monotonic() > until:
            return True
        time.sleep(0.005)
    return False
