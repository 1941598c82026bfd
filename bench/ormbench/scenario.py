"""What a scenario author imports, and nothing else.

A scenario is a workload: its data, its inputs, the answer that every lane must give, and the
lanes. What a lane receives follows from its first parameter: ``session`` (an AsyncSession),
``connection`` (an AsyncConnection), ``driver`` (the bare driver), ``sessions`` (a session maker:
the lane opens and ends its sessions itself), ``new_engine`` (what makes engines of the cell's
settings: the lane makes and disposes of them), or nothing at all.

    profile = Scenario(data=Data(Base.metadata, seed), args=lambda turn: {"key": 1 + turn % 500})

    @profile.lane
    async def orm(session, key):
        '''select() with selectinload'''
        return (await session.scalars(PROFILE, {"key": key})).one()

Of the last two, a lane owns its transactions, and is proven by its answer and the state it leaves:

- ``sessions`` is an async_sessionmaker on the cell's engine with ``expire_on_commit=False``; each
  call may say otherwise: ``async with sessions(autoflush=False) as session``. A connection goes
  back when its transaction ends. More than one session at once wants a pool that has as many
  connections for each client (``--pool``), or they wait for each other.
- ``new_engine(**keywords)`` makes an AsyncEngine with the cell's URL, pool and isolation level;
  keywords go to create_async_engine and override: ``new_engine(poolclass=NullPool)``. End with
  ``await engine.dispose()``: what is forgotten stays open until the cell's end. Connections of
  such engines are counted. ``new_engine.settings`` is what create_async_engine is given; its URL
  holds a password, which belongs in no argument of a command, environment or answer.

For drivers that block, the lane's twin follows from its source; ``@profile.twin(orm)`` above a
plain function with the same parameters gives another. There ``sessions`` is a sessionmaker and
``new_engine`` makes an Engine. A twin is to be written where a lane uses asyncio itself:
``time.sleep`` for ``asyncio.sleep``; without one its cells are UNSUPPORTED.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any, Literal, TypeVar, overload

from sqlalchemy import MetaData, Select, Table

from ormbench.defect import Defect
from ormbench.errors import UsageError
from ormbench.lane import SUBJECTS, Arguments, Body, Lane, lane_of
from ormbench.twin import SyncBody

__all__ = ["Audit", "BrokenInvariantError", "Data", "Defect", "Scenario", "State"]

BodyT = TypeVar("BodyT", bound=Body)
SyncBodyT = TypeVar("SyncBodyT", bound=SyncBody)


class BrokenInvariantError(Exception):
    """A lane raises it where what it read cannot be: it is counted, and the operation is over.

    Only in a scenario with an audit; elsewhere it ends the cell, as every exception does.
    """


@dataclass(frozen=True, slots=True)
class Data:
    """Tables, and the rows that they hold before a run: a pure function of the table size.

    *rows* gets ``table_rows`` and yields a table with its rows as dictionaries, parents first.
    """

    metadata: MetaData
    rows: Callable[[int], Iterable[tuple[Table, Sequence[Mapping[str, Any]]]]]


@dataclass(frozen=True, slots=True)
class State:
    """What a write scenario leaves behind, and what each of its slices starts from.

    *query* reads the state back, in an order of its own, without keys that the server made;
    *expected* gets ``(turns, table_rows)`` and returns the rows that *query* must give.
    Where operations use up what is there, as deletes do, *lasts* says for how many turns that
    follow each other it lasts: then it is put back. 0 where the table is too small for one.
    """

    query: Select[Any]
    expected: Callable[[Sequence[int], int], Iterable[tuple[Any, ...]]]
    starts: Literal["seeded", "empty"] = "seeded"
    lasts: Callable[..., int] | None = None  # table_rows -> turns that find what they work on


@dataclass(frozen=True, slots=True)
class Audit:
    """What must hold after operations that met on the same rows, in whatever order they ran.

    A scenario that has one is run under contention: attempts that the server ends for that are
    made again and counted, and each of its slices is audited. *query* reads what is to be audited;
    *lost* gets ``(rows, turns, table_rows)`` and returns how many updates of *turns* are not there,
    a negative number where there are more than *turns* made; *broken* gets ``(rows, table_rows)``
    and says whether an invariant does not hold, or how often it did not.
    """

    query: Select[Any]
    lost: Callable[[Sequence[tuple[Any, ...]], Sequence[int], int], int] | None = None
    broken: Callable[[Sequence[tuple[Any, ...]], int], bool | int] | None = None
    updates: int = 1  # at most, of one operation: those of one without a result are not lost


@dataclass(slots=True)
class Scenario:
    """A workload. *args* and *answer* are pure functions of the turn number.

    Both may take ``table_rows`` as a second parameter. Where *args* has a parameter ``batch`` with
    a default, ``--batch`` says how many rows an operation has; *answer*, *state.expected* and
    *state.lasts* may have it, too. *answer* gives what every lane returns for
    a turn: a row is a tuple, an entity the tuple of its columns, many of them a list. The name
    defaults to the variable that holds the scenario. *audit* is for operations that contend.
    """

    data: Data | None = None
    args: Callable[..., Arguments] = lambda turn: {}  # noqa: ARG005 - a lane may need no input
    answer: Callable[..., Any] | None = None
    state: State | None = None
    audit: Audit | None = None
    idle: bool = False  # each block ends with operations right after the server closed idle ones
    name: str = ""
    lanes: dict[str, Lane] = field(default_factory=dict)

    @overload
    def lane(self, body: BodyT) -> BodyT: ...
    @overload
    def lane(
        self,
        *,
        prepare: Callable[[Arguments], Arguments] | None = None,
        needs: Sequence[str] = (),
        known: Mapping[str, Defect] | None = None,
    ) -> Callable[[BodyT], BodyT]: ...
    def lane(self, body: Body | None = None, **options: Any) -> Body | Callable[[Body], Body]:
        """Register a lane under its function's name; its docstring is its label.

        *prepare* reshapes the inputs before the clock starts, for a driver that wants them
        otherwise. What the lane *needs* of a target, as ``("COPY",)``, is looked up before it
        runs: elsewhere it is UNSUPPORTED. What is *known* to break it on targets (globs) stands
        beside the error that it gets there, which is then a result. Raises UsageError for a lane
        without a docstring, or one that is not async, or whose name is taken.
        """
        if body is None:
            return lambda later: self._register(later, **options)
        return self._register(body, **options)

    def _register(
        self,
        body: Body,
        prepare: Callable[[Arguments], Arguments] | None = None,
        needs: Sequence[str] = (),
        known: Mapping[str, Defect] | None = None,
    ) -> Body:
        made = lane_of(body, prepare=prepare, needs=tuple(needs), known=dict(known or {}))
        if made.name in self.lanes:
            raise UsageError(f"lane {made.name} is there twice: a lane is named after its function")
        self.lanes[made.name] = made
        return body

    def twin(self, lane: str | Body) -> Callable[[SyncBodyT], SyncBodyT]:
        """Register how *lane*, or the one of that name, is done where the driver blocks.

        Without it the twin follows from the lane's source. Raises UsageError where there is no
        such lane or it has one, or where the twin is async or takes other parameters.
        """
        name = lane if isinstance(lane, str) else getattr(lane, "__name__", "?")

        def register(body: SyncBodyT) -> SyncBodyT:
            self.lanes[name] = self._twinless(name).with_twin(body)
            return body

        self._twinless(name)
        return register

    def _twinless(self, name: str) -> Lane:
        if name not in self.lanes:
            known = ", ".join(self.lanes) or "none yet"
            raise UsageError(f"twin of {name}: there is no such lane above it, only {known}")
        if self.lanes[name].written_twin is not None:
            raise UsageError(f"twin of {name} is there twice: a lane has one")
        return self.lanes[name]

    @property
    def default_batch(self) -> int | None:
        """Rows of an operation, the default of *args*' ``batch``; None: it is of one size."""
        batch = inspect.signature(self.args).parameters.get("batch")
        return batch.default if batch is not None and isinstance(batch.default, int) else None

    def sized(self, batch: int | None) -> "Scenario":
        """This scenario with *batch* rows an operation; None leaves it as its author made it."""
        if batch is None:
            return self
        given = partial(_with_batch, batch=batch)
        state = self.state
        if state is not None:
            lasts = given(state.lasts) if state.lasts else None
            state = replace(state, expected=given(state.expected), lasts=lasts)
        answer = given(self.answer) if self.answer else None
        return replace(self, args=given(self.args), answer=answer, state=state)

    def inputs(self, lane: Lane, turn: int, table_rows: int) -> tuple[Any, ...]:
        """The positional inputs of *lane* for *turn*. Raises UsageError where one is missing."""
        given = call_for_turn(self.args, turn, table_rows)
        if lane.prepare:
            given = lane.prepare(given)
        try:
            return tuple(given[name] for name in lane.parameters)
        except KeyError as error:
            hint = f"; what a lane works on is called one of {', '.join(SUBJECTS)}"
            raise UsageError(
                f"lane {self.name}/{lane.name} takes {error.args[0]!r}, "
                f"but args gives {', '.join(given) or 'nothing'}"
                + (hint if lane.receives == "nothing" else "")
            ) from None


def _with_batch(function: Callable[..., Any], batch: int) -> Callable[..., Any]:
    """*function* with its ``batch`` given; as it is, where it takes none."""
    wants = "batch" in inspect.signature(function).parameters
    return partial(function, batch=batch) if wants else function


def call_for_turn(function: Callable[..., Any], turn: int, table_rows: int) -> Any:
    """Call a function of the turn number that may also want the table size."""
    rows = _parameter_of_rows(function)
    return function(turn, **{rows: table_rows}) if rows else function(turn)


@lru_cache
def _parameter_of_rows(function: Callable[..., Any]) -> str:
    """``table_rows``, or else a second parameter that has no default; "" where there is none."""
    parameters = inspect.signature(function).parameters
    needed = [name for name, one in parameters.items() if one.default is one.empty]
    return "table_rows" if "table_rows" in parameters else "".join(needed[1:2])
