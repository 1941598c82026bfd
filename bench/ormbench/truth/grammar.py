"""What a product must be able to say of schemas and tables, for `Tables` to speak it.

A schema is what PostgreSQL calls one, and a database of MySQL and MariaDB. Nothing here touches a
table that is not in the schema it is told of.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import DBAPIError

from ormbench.errors import UsageError
from ormbench.servers.server import Address, Product
from ormbench.truth import mysql, postgresql


class Grammar(Protocol):
    """A module of statements. Tables come parents first; names resolve in the schema entered."""

    def engine(self, address: Address) -> Engine:
        """Connections of the coordinator's own, in AUTOCOMMIT."""

    def inside(self, engine: Engine, schema: str) -> AbstractContextManager[Connection]:
        """A connection where names resolve in this schema and in no other, committed at the end.

        It waits 5 s for a lock. Holds through a pooler, too, which may hand each transaction to
        another session: what was set for one session would be lost, or be somebody else's.
        """

    def create(self, connection: Connection, schema: str) -> None:
        """Make a schema; one that is there already is an error."""

    def drop(self, connection: Connection, schema: str) -> None:
        """Remove the schema that the connection is inside, with all that is in it."""

    def lacking(self, connection: Connection, schema: str, error: DBAPIError) -> str | None:
        """The GRANT that would let `create` succeed; None where no right was lacking."""

    def quieten(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Keep the server from working on these tables by itself."""

    def continue_keys(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Let the next key that the server makes come after those that are there."""

    def clear(self, connection: Connection, tables: Sequence[Table]) -> None:
        """Empty them; the next key that the server makes is 1."""

    def copy(self, connection: Connection, tables: Sequence[Table], source: str) -> int:
        """Fill them, empty as they are, from their namesakes in the schema *source*: rows."""

    def analyze(self, connection: Connection, tables: Sequence[Table], schema: str) -> None:
        """Tell the planner what is in the tables of *schema*; from outside of it."""


def grammar(product: Product) -> Grammar:
    """That of a product."""
    return postgresql if product == "PostgreSQL" else mysql


def check_schemas(tables: Sequence[Table]) -> None:
    """Raise UsageError where the models name a schema of their own: it would not be the run's."""
    for table in tables:
        for what, schema in _named(table):
            if schema:
                raise UsageError(
                    f"{what} names the schema {schema}, and a run works in schemas of its own "
                    "alone: leave the name out, and let the application's search path find it"
                )


def _named(table: Table) -> list[tuple[str, Any]]:
    """Everything in a table's definition that could lie in a schema, with that."""
    found: list[tuple[str, Any]] = [(f"table {table.fullname}", table.schema)]
    for column in table.c:
        name = f"{table.name}.{column.name}"
        found.append((f"the type of {name}", getattr(column.type, "schema", None)))
        found.append((f"the default of {name}", getattr(column.default, "schema", None)))
    return found
