"""The tables of a run: created, filled, put back before each slice, read back.

Speaks to the server on a connection of the coordinator's own, never on the clock. A scenario that
only reads shares one set of tables among its arms; of those that write, each arm has a set of its
own, in a schema that its connections find by their search path, or as their database. Nothing
outside the schemas that it made itself is touched.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Engine, Table, inspect
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ormbench.cell import GROUP_LIMIT
from ormbench.errors import ServerError, UsageError
from ormbench.loader import Loaded
from ormbench.scenario import Audit, Data, State
from ormbench.servers.server import Address
from ormbench.truth.grammar import check_schemas, grammar

CHUNK = 5_000


class Tables:
    """All schemas of a run on one server; they are dropped by `close`."""

    def __init__(self, address: Address, table_rows: int, prefix: str) -> None:
        self._grammar = grammar(address.product)
        self._engine: Engine = self._grammar.engine(address)
        self.table_rows = table_rows
        self._prefix = prefix
        self._seeded: list[Data] = []
        self._made: set[str] = set()
        self.copied: Counter[str] = Counter()  # schema -> rows that `reset` has put there so far

    def prepare(self, loaded: Iterable[Loaded]) -> None:
        """Create and fill what these scenarios need. Raises ServerError or UsageError."""
        try:
            for one in loaded:
                self._prepare(one)
        except DBAPIError as error:
            raise ServerError(f"the server does not take the tables: {error.orig}") from error
        except SQLAlchemyError as error:
            raise UsageError(f"the tables cannot be made: {error}") from error

    def _prepare(self, loaded: Loaded) -> None:
        data = loaded.scenario.data
        if data is None:
            return
        if data not in self._seeded:
            check_schemas(data.metadata.sorted_tables)
            self._seeded.append(data)
            self._create(data, self._schema(data))
            self._fill(data, self._schema(data))
        if loaded.scenario.state is not None:
            for place in range(GROUP_LIMIT):
                schema = self._schema(data, place)
                if schema not in self._made:
                    self._create(data, schema)

    def _schema(self, data: Data, place: int | None = None) -> str:
        return f"{self._prefix}_{self._seeded.index(data)}_" + (
            "seed" if place is None else f"arm{place}"
        )

    def schema(self, loaded: Loaded, place: int) -> str:
        """The schema of an arm: *place* tells apart those that write."""
        if loaded.scenario.data is None:
            return ""
        return self._schema(loaded.scenario.data, place if loaded.scenario.state else None)

    def _inside(self, schema: str) -> AbstractContextManager[Connection]:
        return self._grammar.inside(self._engine, schema)

    def _create(self, data: Data, schema: str) -> None:
        with self._engine.connect() as connection:
            self._make(connection, schema)
        with self._inside(schema) as connection:
            # checking first, SQLAlchemy would look for MySQL's tables in the user's own database
            data.metadata.create_all(connection, checkfirst=False)
            self._grammar.quieten(connection, data.metadata.sorted_tables)

    def _make(self, connection: Connection, schema: str) -> None:
        """Create a schema, and only then call it ours: `close` drops what is ours."""
        if schema in inspect(connection).get_schema_names():
            raise UsageError(
                f"schema {schema} is there already, and not of this run: drop it if nobody needs "
                "it, or give this run's another name, --schema OTHER"
            )
        self._made.add(schema)  # before: an interrupt may come when the server has made it
        try:
            self._grammar.create(connection, schema)
        except DBAPIError as error:
            self._made.discard(schema)
            if grant := self._grammar.lacking(connection, schema, error):
                raise UsageError(f"its user may not make schemas there: {grant}") from error
            raise

    def _fill(self, data: Data, schema: str) -> None:
        tables = data.metadata.sorted_tables
        with self._inside(schema) as connection:
            self._insert(connection, data)
            self._grammar.continue_keys(connection, tables)
        with self._engine.connect() as connection:
            self._grammar.analyze(connection, tables, schema)

    def _insert(self, connection: Connection, data: Data) -> None:
        for table, given in self._rows(data):
            rows = list(given)
            if not isinstance(table, Table):
                raise UsageError(f"seed yields {table!r}, expected a Table: Model.__table__")
            if table.metadata is not data.metadata:
                raise UsageError(f"seed yields {table.name}, which is not in its own metadata")
            for first in range(0, len(rows), CHUNK):
                connection.execute(table.insert(), rows[first : first + CHUNK])

    def _rows(self, data: Data) -> Iterator[tuple[Table, Iterable[Mapping[str, Any]]]]:
        """What the author's function yields; what it does wrong is said as the author's."""
        try:
            yield from data.rows(self.table_rows)
        except Exception as error:
            raise UsageError(f"seed failed: {type(error).__name__}: {error}") from error

    def reset(self, loaded: Loaded, place: int) -> None:
        """Put a writing arm's tables back to where each of its slices starts."""
        data, state = loaded.scenario.data, loaded.scenario.state
        if data is None or state is None:
            return
        tables = data.metadata.sorted_tables
        with self._inside(self._schema(data, place)) as connection:
            self._grammar.clear(connection, tables)
            if state.starts == "seeded":
                rows = self._grammar.copy(connection, tables, self._schema(data))
                self.copied[self._schema(data, place)] += rows

    def connected(self) -> AbstractContextManager[Connection]:
        """The connection over which all of this goes; each statement commits by itself."""
        return self._engine.connect()

    def state(self, loaded: Loaded, place: int, state: State) -> list[Any]:
        """The rows that the scenario's state query gives in an arm's tables."""
        if loaded.scenario.data is None:
            return []
        with self._inside(self._schema(loaded.scenario.data, place)) as connection:
            return [tuple(row) for row in connection.execute(state.query)]

    def audited(self, loaded: Loaded, place: int, audit: Audit) -> list[Any]:
        """The rows that an audit reads in an arm's tables."""
        if loaded.scenario.data is None:
            return []
        with self._inside(self._schema(loaded.scenario.data, place)) as connection:
            return [tuple(row) for row in connection.execute(audit.query)]

    def expected(self, state: State, turns: Sequence[int]) -> list[Any]:
        """The rows that the state query must give after *turns*."""
        return list(state.expected(turns, self.table_rows))

    def close(self) -> list[str]:
        """Drop the schemas of this run. Returns those that the server did not let go."""
        for schema in sorted(self._made):
            try:
                with self._inside(schema) as connection:
                    self._grammar.drop(connection, schema)
            except DBAPIError:  # its server is gone, or somebody is still in it
                continue
            self._made.discard(schema)
        self._engine.dispose()
        return sorted(self._made)
