"""Schemas and tables in PostgreSQL's words; see `grammar`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    Engine,
    Enum,
    Table,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateSchema, DropSchema

from ormbench.servers.server import Address

LOCK_TIMEOUT = "5s"
NO_RIGHT = "42501"


def engine(address: Address) -> Engine:
    """Over psycopg, deaf to PGOPTIONS of the environment."""
    return create_engine(
        address.url("postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        pool_pre_ping=True,
        connect_args={"options": ""},
    )


@contextmanager
def inside(engine: Engine, schema: str) -> Iterator[Connection]:
    """In one transaction, and set for that alone."""
    with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        connection.execute(text(f"SET LOCAL search_path TO {_quoted(connection, schema)}"))
        connection.execute(text(f"SET LOCAL lock_timeout TO '{LOCK_TIMEOUT}'"))
        yield connection


def create(connection: Connection, schema: str) -> None:
    """See Grammar."""
    connection.execute(CreateSchema(schema))


def drop(connection: Connection, schema: str) -> None:
    """See Grammar."""
    connection.execute(DropSchema(schema, cascade=True))


def lacking(connection: Connection, _schema: str, error: DBAPIError) -> str | None:
    """See Grammar."""
    if getattr(error.orig, "sqlstate", None) != NO_RIGHT:
        return None
    who = select(func.quote_ident(func.current_database()), text("quote_ident(current_user)"))
    database, account = connection.execute(who).one()
    return f"GRANT CREATE ON DATABASE {database} TO {account}"


def quieten(connection: Connection, tables: Sequence[Table]) -> None:
    """No autovacuum; servers of our own have it off for everything."""
    for table in tables:
        name = _name(connection, table)
        connection.execute(text(f"ALTER TABLE {name} SET (autovacuum_enabled = off)"))


def continue_keys(connection: Connection, tables: Sequence[Table]) -> None:
    """See Grammar."""
    for table in tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(_name(connection, table), column.name)
            highest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
            connection.execute(select(func.setval(sequence, highest, False)))  # noqa: FBT003 - setval(is_called)


def clear(connection: Connection, tables: Sequence[Table]) -> None:
    """All in one statement, so that a foreign key keeps none from it."""
    names = ", ".join(_name(connection, table) for table in tables)
    connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))


def copy(connection: Connection, tables: Sequence[Table], source: str) -> int:
    """See Grammar."""
    copied = 0
    for table in tables:
        name = _name(connection, table)
        given = [column for column in table.c if column.computed is None]
        columns = ", ".join(_quoted(connection, column.name) for column in given)
        values = ", ".join(_value(connection, column) for column in given)
        copied += connection.execute(
            text(
                f"INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE "  # noqa: S608 - quoted names
                f"SELECT {values} FROM {_quoted(connection, source)}.{name}"
            )
        ).rowcount
    continue_keys(connection, tables)
    if copied:  # without statistics the planner takes a table for a small one: 9 rows of 10,000
        named = ", ".join(_name(connection, table) for table in tables)
        connection.execute(text(f"ANALYZE {named}"))
    return copied


def _value(connection: Connection, column: Column[Any]) -> str:
    """A column of the source; an enumeration there is another type than its namesake here."""
    name, item = _quoted(connection, column.name), column.type
    while isinstance(item, ARRAY):
        item = item.item_type
    if not isinstance(item, Enum):
        return name
    return f"CAST(CAST({name} AS TEXT) AS {column.type.compile(connection.dialect)})"


def analyze(connection: Connection, tables: Sequence[Table], schema: str) -> None:
    """With VACUUM, whose visibility map a first reader would have to make."""
    for table in tables:
        name = f"{_quoted(connection, schema)}.{_name(connection, table)}"
        connection.execute(text(f"VACUUM ANALYZE {name}"))


def _name(connection: Connection, table: Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
