"""The SQL of raw lanes: what Core compiles for a dialect, bound beforehand and positionally."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ClauseElement, make_url
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
        self._inserts: dict[tuple[ClauseElement, tuple[str, ...]], str] = {}

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

    def insert(self, statement: ClauseElement, columns: Sequence[str]) -> str:
        """The text of an INSERT of *columns*, whose rows come as tuples in that order.

        Raises UsageError where Core would order the columns otherwise: it follows the table, and
        adds those that have a default in Python.
        """
        key = (statement, tuple(columns))
        if key not in self._inserts:
            many = {"column_keys": list(columns), "for_executemany": True}  # no implicit RETURNING
            compiled = self._compile(statement, **many)
            if compiled.positiontup != list(columns):
                raise UsageError(
                    f"execute_many() got columns {', '.join(columns)}; "
                    f"Core inserts {', '.join(compiled.positiontup or [])}: give rows in that order"
                )
            self._inserts[key] = compiled.string
        return self._inserts[key]

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
