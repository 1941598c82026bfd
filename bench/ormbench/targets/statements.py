"""The SQL of raw lanes: what Core compiles for a dialect, bound beforehand and positionally."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ClauseElement, Insert, Table, make_url
from sqlalchemy.sql.compiler import SQLCompiler

from ormbench.errors import UsageError

MOST = 100  # statements of one lane


Binder = Callable[[tuple[Any, ...]], tuple[Any, ...]]


class Prepared(NamedTuple):
    """A statement's text, and what turns the lane's values into the driver's parameters.

    *bind* is None where they are those already: a call that does nothing would be on the clock.
    """

    sql: str
    bind: Binder | None


class Statements(dict[ClauseElement, Prepared]):
    """Statement -> Prepared, compiled at first use: in the proof, before any clock runs.

    A lane gives its values in the order in which the statement first names its parameters;
    values that the statement holds itself, such as a LIMIT, are filled in.
    """

    def __init__(self, drivername: str, **options: Any) -> None:
        super().__init__()
        self._dialect = make_url(f"{drivername}://").get_dialect()(**options)
        self.texts: list[str] = []  # each statement once, in the order of first use
        self._many: dict[tuple[ClauseElement, tuple[str, ...]], str] = {}
        self._bulk: dict[tuple[str, Table, tuple[str, ...]], str] = {}
        self._types: dict[tuple[Table, tuple[str, ...]], list[str]] = {}

    def __missing__(self, statement: ClauseElement) -> Prepared:
        if len(self) >= MOST:
            raise UsageError(
                f"raw lane: {MOST} different statements; "
                "if it builds one in each call, make it a constant of the module"
            )
        compiled = self._compile(statement)
        names, constants = compiled.positiontup or [], compiled.params
        given = [name for name in dict.fromkeys(names) if compiled.binds[name].required]
        fixed = [name for name in dict.fromkeys(names) if name not in given]
        tail = tuple(constants[name] for name in fixed)
        order = [(given + fixed).index(name) for name in names]
        prepared = self[statement] = Prepared(compiled.string, _binder(order, tail))
        return prepared

    def many(self, statement: ClauseElement, columns: Sequence[str]) -> str:
        """The text of a statement that runs for many rows, tuples of *columns* in that order.

        Of an INSERT these are its columns, of another statement the names of its parameters.
        Raises UsageError where Core would order them otherwise: its INSERT follows the table, and
        adds what has a default in Python; and where the statement holds values of its own.
        """
        key = (statement, tuple(columns))
        if key not in self._many:
            many: dict[str, Any] = {"for_executemany": True}  # no implicit RETURNING
            if isinstance(statement, Insert):
                many["column_keys"] = list(columns)
            compiled = self._compile(statement, **many)
            if compiled.positiontup != list(columns):
                does = "inserts" if compiled.isinsert else "sends"
                raise UsageError(
                    f"execute_many() got columns {', '.join(columns)}; "
                    f"Core {does} {', '.join(compiled.positiontup or [])}: give rows in that order"
                )
            self._many[key] = compiled.string
        return self._many[key]

    def copy_text(self, table: Table, columns: Sequence[str]) -> str:
        """The text of a COPY of *columns* into *table*, as tab-separated lines."""
        return self._into("COPY {} ({}) FROM STDIN", table, columns)

    def copy_binary(self, table: Table, columns: Sequence[str]) -> str:
        """The same in PostgreSQL's binary format."""
        return self._into("COPY {} ({}) FROM STDIN (FORMAT BINARY)", table, columns)

    def load_data(self, table: Table, columns: Sequence[str]) -> str:
        """The text of a LOAD DATA of such lines from a file here, whose name is its parameter."""
        text = "LOAD DATA LOCAL INFILE %s INTO TABLE {} CHARACTER SET utf8mb4 ({})"
        return self._into(text, table, columns)

    def _into(self, text: str, table: Table, columns: Sequence[str]) -> str:
        key = (text, table, tuple(columns))
        if key not in self._bulk:
            quote = self._dialect.identifier_preparer
            named = ", ".join(quote.format_column(table.c[name]) for name in columns)
            self._bulk[key] = text.format(quote.format_table(table), named)
            self.texts.append(self._bulk[key])
        return self._bulk[key]

    def types(self, table: Table, columns: Sequence[str]) -> list[str]:
        """What the server calls the types of *columns*, without lengths: "integer", "varchar"."""
        key = (table, tuple(columns))
        if key not in self._types:
            kinds = (table.c[name].type.compile(self._dialect) for name in columns)
            self._types[key] = [kind.partition("(")[0].lower() for kind in kinds]
        return self._types[key]

    def _compile(self, statement: ClauseElement, **options: Any) -> SQLCompiler:
        compiled = statement.compile(dialect=self._dialect, **options)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"{statement!r} is not a statement")
        if compiled.post_compile_params:
            names = ", ".join(sorted(one.key for one in compiled.post_compile_params))
            raise UsageError(f"raw lane: {names} is an IN list, whose text depends on its length")
        self.texts.append(compiled.string)
        return compiled


def _binder(order: list[int], tail: tuple[Any, ...]) -> Binder | None:
    if order == list(range(len(order))):
        return (lambda values: values + tail) if tail else None
    if len(order) == 1:
        return lambda values: ((values + tail)[order[0]],)
    pick = itemgetter(*order)
    return lambda values: pick(values + tail)
