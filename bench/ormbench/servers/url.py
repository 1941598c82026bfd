"""The user's own server, reached by ``--url``: neither started, tuned, paused nor stopped by us."""

import hashlib
from collections.abc import Collection
from contextlib import closing
from dataclasses import replace
from typing import Any

import psycopg
import pymysql

from ormbench.errors import ServerError
from ormbench.servers import mysql_family, postgresql
from ormbench.servers.destination import transport
from ormbench.servers.server import Address, Kind, Product

_PATIENCE = 5  # seconds to connect in
_ANSWER_SECONDS = 30  # for a greeting or an answer: not everything that listens is a MySQL

_POSTGRESQL_ROOM = """
SELECT least(
    current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true), '0')::int
        - (SELECT sum(numbackends) FROM pg_stat_database),
    (SELECT nullif(datconnlimit, -1) - numbackends
     FROM pg_database JOIN pg_stat_database ON datid = pg_database.oid
     WHERE pg_database.datname = current_database()),
    (SELECT nullif(rolconnlimit, -1)
            - (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user)
     FROM pg_roles WHERE rolname = current_user)
)::int
"""
_MYSQL_ROOM = """
SELECT least(@@max_connections, if(@@max_user_connections = 0, 100000, @@max_user_connections))
"""
_PROBE = "ormbench_probe"  # no schema needs to be there for a search path to name it
_IGNORED = (
    "the server of --url, or a pooler before it, does not take a search path, by which a run keeps "
    "to its own tables: name the server itself, or let the pooler track it (PgBouncer: "
    "track_extra_parameters = search_path)"
)
_POSTGRESQL_DURABLE = """
SELECT current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off'
"""
_MYSQL_DURABLE = "SELECT @@innodb_flush_log_at_trx_commit = 1"


class UrlServer:
    """A server that was there before the run, and stays. See Server."""

    kind: Kind = "url"

    def __init__(
        self,
        address: Address,
        version: str,
        room: int,
        traits: dict[str, str],
        *,
        pooled: bool = False,
    ) -> None:
        self.pooled = pooled  # whether a pooler stands before it, which shares its sessions
        self.address = address
        self.product: Product = address.product
        self.version = version
        self.room = room  # connections that it had free when it was reached
        self._traits = traits

    @classmethod
    def reach(cls, address: Address, allowed: Collection[str] = ()) -> "UrlServer":
        """Ask a server what it is: a MySQL of the URL may turn out to be a MariaDB.

        Raises UsageError for a host that is not *allowed*, ServerError where none answers.
        """
        way = transport(address, allowed)
        pooled = False
        if address.product == "PostgreSQL":
            with closing(_postgresql(address, f"-c search_path={_PROBE}")) as connection:
                pooled = _is_pooled(connection)
                version = postgresql.version(connection)
                room, durable = (
                    _value(connection.execute(query).fetchone())
                    for query in (_POSTGRESQL_ROOM, _POSTGRESQL_DURABLE)
                )
        else:
            with closing(_mysql(address)) as session:
                product, version = mysql_family.product_and_version(session)
                address = replace(address, product=product)
                room = _ask(session, _MYSQL_ROOM) - int(
                    _ask(session, "SHOW GLOBAL STATUS LIKE 'Threads_connected'")
                )
                durable = _ask(session, _MYSQL_DURABLE)
        traits = {"durability": "durable" if durable else "relaxed", "transport": way}
        if pooled:
            traits["pooler"] = "before the server"
        return cls(address, version, max(0, room), traits, pooled=pooled)

    def settings(self) -> dict[str, str]:
        """See Server."""
        if self.product == "PostgreSQL":
            with closing(_postgresql(self.address)) as connection:
                return postgresql.changed_settings(connection)
        with closing(_mysql(self.address)) as session:
            return mysql_family.changed_settings(session, self.product)

    def description(self) -> dict[str, str]:
        """Kind, durability, transport, and what tells this server from others; never its host."""
        address = self.address
        where = f"{address.host}:{address.port}/{address.database}"
        told = hashlib.sha256(where.encode()).hexdigest()[:12]
        return {"kind": self.kind, **self._traits, "server id": told}

    def place(self, cpus: frozenset[int]) -> None:
        """Nothing: it is not ours to pin."""

    def cpu_ns(self) -> int | None:
        """Not known."""
        return None

    def pause(self) -> None:
        """Nothing: it is not ours to pause."""

    def resume(self) -> None:
        """Nothing: it was never paused."""

    def alive(self) -> bool:
        """Whether it lets us in."""
        connect = _postgresql if self.product == "PostgreSQL" else _mysql
        try:
            connect(self.address).close()
        except ServerError:
            return False
        return True

    def stop(self) -> None:
        """Nothing: it goes on."""


def _is_pooled(connection: postgresql.Connection) -> bool:
    """Whether the session is another than the one that we logged in to: a pooler makes up its id.

    Raises ServerError where the search path of the login does not hold: tables of the same names,
    which are not the run's, would be found instead.
    """
    query = "SELECT current_setting('search_path'), pg_backend_pid()"
    path, process = connection.execute(query).fetchone() or ("", 0)
    if path != _PROBE:
        raise ServerError(_IGNORED)
    return bool(process != connection.info.backend_pid)


def _postgresql(address: Address, options: str = "") -> postgresql.Connection:
    try:
        return psycopg.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password or None,
            dbname=address.database,
            connect_timeout=_PATIENCE,
            options=options,
            autocommit=True,
        )
    except psycopg.Error as error:
        raise _refused(postgresql.reason(error), address) from None


def _mysql(address: Address) -> mysql_family.Connection:
    where = {"unix_socket": address.host} if address.is_socket else {"host": address.host}
    options: dict[str, Any] = {**where, "port": address.port, "connect_timeout": _PATIENCE}
    options["read_timeout"] = options["write_timeout"] = _ANSWER_SECONDS
    try:
        return pymysql.connect(
            user=address.user,
            password=address.password,
            database=address.database or None,
            autocommit=True,
            **options,
        )
    except pymysql.MySQLError as error:
        raise _refused(mysql_family.reason(error), address) from None


def _refused(reason: str, address: Address) -> ServerError:
    """The driver's words, even if it should ever quote the password."""
    words = reason.replace(address.password, "***") if address.password else reason
    return ServerError(f"the server of --url does not let us in: {words}")


def _ask(session: mysql_family.Connection, query: str) -> Any:
    """The last value of the only row."""
    with session.cursor() as cursor:
        cursor.execute(query)
        return _value(cursor.fetchone())


def _value(row: Any) -> Any:
    return row[-1]
