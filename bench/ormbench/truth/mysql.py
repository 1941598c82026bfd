"""Schemas and tables in the words of MySQL and MariaDB; see `grammar`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Table, create_engine, text
from sqlalchemy.exc import DBAPIError

from ormbench.servers.server import Address

LOCK_SECONDS = 5
DEFAULT = "ormbench"  # how the names of a run's schemas begin, unless it was told another
NO_RIGHT = frozenset({1044, 1142, 1227})


def engine(address: Address) -> Engine:
    """Over PyMySQL, the driver that both products have."""
    return create_engine(
        address.url(f"{address.product.lower()}+pymysql"),
        isolation_level="AUTOCOMMIT",
        pool_pre_ping=True,
        connect_args={"init_command": _session()},
    )


def _session() -> str:
    """A key 0 is to be copied as a 0, where MySQL would make a new one."""
    return (
        f"SET lock_wait_timeout = {LOCK_SECONDS}, innodb_lock_wait_timeout = {LOCK_SECONDS}, "
        "sql_mode = CONCAT_WS(',', NULLIF(@@sql_mode, ''), 'NO_AUTO_VALUE_ON_ZERO')"
    )


@contextmanager
def inside(engine: Engine, schema: str) -> Iterator[Connection]:
    """See Grammar; each statement commits by itself, as TRUNCATE does anyhow."""
    with engine.connect() as connection:
        connection.execute(text(f"USE {_quoted(connection, schema)}"))
        yield connection


def create(connection: Connection, schema: str) -> None:
    """With the collation that our servers have, so that a user's server compares alike."""
    name = _quoted(connection, schema)
    connection.execute(text(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"))


def drop(connection: Connection, schema: str) -> None:
    """See Grammar."""
    connection.execute(text(f"DROP DATABASE {_quoted(connection, schema)}"))


def lacking(connection: Connection, schema: str, error: DBAPIError) -> str | None:
    """See Grammar."""
    if not error.orig or error.orig.args[0] not in NO_RIGHT:
        return None
    account, _, host = str(connection.scalar(text("SELECT CURRENT_USER()"))).rpartition("@")
    start = DEFAULT if schema.startswith(f"{DEFAULT}_") else schema.rsplit("_", 2)[0]
    start = start.replace("_", r"\_")
    return rf"GRANT ALL ON `{start}\_%`.* TO '{account}'@'{host}'"


def quieten(connection: Connection, tables: Sequence[Table]) -> None:
    """No recalculated statistics; servers of our own have that off for everything."""
    for table in tables:
        connection.execute(text(f"ALTER TABLE {_name(connection, table)} STATS_AUTO_RECALC = 0"))


def continue_keys(_connection: Connection, _tables: Sequence[Table]) -> None:
    """Nothing to do: InnoDB counts on from the highest key that was given."""


def clear(connection: Connection, tables: Sequence[Table]) -> None:
    """TRUNCATE takes one table at a time, and none that a foreign key refers to."""
    with _unchecked(connection):
        for table in tables:
            connection.execute(text(f"TRUNCATE TABLE {_name(connection, table)}"))


def copy(connection: Connection, tables: Sequence[Table], source: str) -> int:
    """Without checks, which the source has passed: MariaDB then builds whole index pages.

    TRUNCATE has taken the statistics, too, so they are made again.
    """
    copied = 0
    with _unchecked(connection):
        for table in tables:
            name = _name(connection, table)
            given = [column.name for column in table.c if column.computed is None]
            columns = ", ".join(_quoted(connection, one) for one in given)
            copied += connection.execute(
                text(
                    f"INSERT INTO {name} ({columns}) "  # noqa: S608 - quoted names
                    f"SELECT {columns} FROM {_quoted(connection, source)}.{name}"
                )
            ).rowcount
    names = ", ".join(_name(connection, table) for table in tables)
    connection.execute(text(f"ANALYZE TABLE {names}"))
    return copied


def analyze(connection: Connection, tables: Sequence[Table], schema: str) -> None:
    """See Grammar."""
    there = _quoted(connection, schema)
    names = ", ".join(f"{there}.{_name(connection, table)}" for table in tables)
    connection.execute(text(f"ANALYZE TABLE {names}"))


@contextmanager
def _unchecked(connection: Connection) -> Iterator[None]:
    """Neither foreign keys nor unique ones are checked inside."""
    connection.execute(text("SET foreign_key_checks = 0, unique_checks = 0"))
    try:
        yield
    finally:
        connection.execute(text("SET foreign_key_checks = 1, unique_checks = 1"))


def _name(connection: Connection, table: Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
