"""The tables of a run: created, filled, put back before each slice, read back.

Speaks to the server on a connection of the coordinator's own, never on the clock. A scenario that
only reads shares one set of tables among its arms; of those that write, each arm has a set of its
own, in a schema that its connections find by their search path.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, func, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.schema import CreateSchema, DropSchema

from ormbench.cell import GROUP_LIMIT
from ormbench.errors import ServerError, UsageError
from ormbench.loader import Loaded
from ormbench.scenario import Data, State
from ormbench.servers.server import Address

LOCK_TIMEOUT = "5s"
CHUNK = 5_000


class Tables:
    """All schemas of a run on one server; they are dropped by `close`."""

    def __init__(self, address: Address, table_rows: int, prefix: str) -> None:
        self._engine: Engine = create_engine(
            address.url("postgresql+psycopg"),
            isolation_level="AUTOCOMMIT",
            connect_args={"options": ""},  # over PGOPTIONS of the environment
        )
        self._table_rows = table_rows
        self._prefix = prefix
        self._seeded: list[Data] = []
        self._made: set[str] = set()

    def prepare(self, loaded: Iterable[Loaded]) -> None:
        """Create and fill what these scenarios need. Raises ServerError or UsageError."""
        try:
            with self._engine.connect() as connection:
                for one in loaded:
                    self._prepare(connection, one)
        except DBAPIError as error:
            raise ServerError(f"the server does not take the tables: {error.orig}") from error
        except SQLAlchemyError as error:
            raise UsageError(f"the tables cannot be made: {error}") from error

    def _prepare(self, connection: Connection, loaded: Loaded) -> None:
        data = loaded.scenario.data
        if data is None:
            return
        if data not in self._seeded:
            self._seeded.append(data)
            self._create(connection, data, self._schema(data))
            self._fill(connection, data)
        if loaded.scenario.state is not None:
            for place in range(GROUP_LIMIT):
                schema = self._schema(data, place)
                if schema not in self._made:
                    self._create(connection, data, schema)

    def _schema(self, data: Data, place: int | None = None) -> str:
        return f"{self._prefix}_{self._seeded.index(data)}_" + (
            "seed" if place is None else f"arm{place}"
        )

    def schema(self, loaded: Loaded, place: int) -> str:
        """The schema of an arm: *place* tells apart those that write."""
        if loaded.scenario.data is None:
            return ""
        return self._schema(loaded.scenario.data, place if loaded.scenario.state else None)

    def _create(self, connection: Connection, data: Data, schema: str) -> None:
        connection.execute(CreateSchema(schema))
        self._made.add(schema)
        self._enter(connection, schema)
        data.metadata.create_all(connection)

    def _enter(self, connection: Connection, schema: str) -> None:
        connection.execute(text(f"SET search_path TO {schema}"))
        connection.execute(text(f"SET lock_timeout TO '{LOCK_TIMEOUT}'"))

    def _fill(self, connection: Connection, data: Data) -> None:
        for table, given in self._rows(data):
            rows = list(given)
            if not isinstance(table, Table):
                raise UsageError(f"seed yields {table!r}, expected a Table: Model.__table__")
            if table.metadata is not data.metadata:
                raise UsageError(f"seed yields {table.name}, which is not in its own metadata")
            for first in range(0, len(rows), CHUNK):
                connection.execute(table.insert(), rows[first : first + CHUNK])
        self._set_sequences(connection, data)
        connection.execute(text("VACUUM ANALYZE"))

    def _rows(self, data: Data) -> Iterator[tuple[Table, Iterable[Mapping[str, Any]]]]:
        """What the author's function yields; what it does wrong is said as the author's."""
        try:
            yield from data.rows(self._table_rows)
        except Exception as error:
            raise UsageError(f"seed failed: {type(error).__name__}: {error}") from error

    def _set_sequences(self, connection: Connection, data: Data) -> None:
        """Let the next key that the server makes come after those that were given."""
        for table in data.metadata.sorted_tables:
            column = table.autoincrement_column
            if column is not None:
                name = connection.dialect.identifier_preparer.format_table(table)
                sequence = func.pg_get_serial_sequence(name, column.name)
                highest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
                connection.execute(select(func.setval(sequence, highest, False)))  # noqa: FBT003 - setval(is_called)

    def reset(self, loaded: Loaded, place: int) -> None:
        """Put a writing arm's tables back to where each of its slices starts."""
        data, state = loaded.scenario.data, loaded.scenario.state
        if data is None or state is None:
            return
        tables = data.metadata.sorted_tables
        with self._engine.connect() as connection:
            self._enter(connection, self._schema(data, place))
            names = ", ".join(self._name(table) for table in tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
            if state.starts == "seeded":
                for table in tables:
                    connection.execute(text(self._copy(table, self._schema(data))))
                self._set_sequences(connection, data)

    def _name(self, table: Table) -> str:
        return self._engine.dialect.identifier_preparer.format_table(table)

    def _copy(self, table: Table, source: str) -> str:
        quote = self._engine.dialect.identifier_preparer.quote
        columns = ", ".join(quote(column.name) for column in table.c if column.computed is None)
        name = self._name(table)
        return (
            f"INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE "  # noqa: S608 - quoted names
            f"SELECT {columns} FROM {source}.{name}"
        )

    def state(self, loaded: Loaded, place: int, state: State) -> list[Any]:
        """The rows that the scenario's state query gives in an arm's tables."""
        if loaded.scenario.data is None:
            return []
        with self._engine.connect() as connection:
            self._enter(connection, self._schema(loaded.scenario.data, place))
            return [tuple(row) for row in connection.execute(state.query)]

    def expected(self, state: State, turns: Sequence[int]) -> list[Any]:
        """The rows that the state query must give after *turns*."""
        return list(state.expected(turns, self._table_rows))

    def close(self) -> None:
        """Drop the schemas of this run."""
        try:
            with self._engine.connect() as connection:
                for schema in sorted(self._made):
                    connection.execute(DropSchema(schema, cascade=True))
        except DBAPIError:
            pass  # a server that is gone took its schemas along
        finally:
            self._engine.dispose()
