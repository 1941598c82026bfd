"""Lanes that own their unit of work: they receive what makes sessions, or what makes engines."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import sessionmaker

from ormbench.background import in_background
from ormbench.lane import Body
from ormbench.targets.raw import Operation, SyncOperation
from ormbench.twin import SyncBody

_SIZES = ("poolclass", "pool_size", "max_overflow", "pool_timeout", "pool_use_lifo")


def bind_sessions(body: Body, engine: AsyncEngine) -> Operation:
    """The lane opens and ends its sessions itself; entities outlive a commit unless it says so."""
    return _given(body, async_sessionmaker(engine, expire_on_commit=False))


def bind_sessions_sync(body: SyncBody, engine: Engine) -> SyncOperation:
    """The same where the driver blocks."""
    return _given_sync(body, sessionmaker(engine, expire_on_commit=False))


def _given(body: Body, maker: Any) -> Operation:
    async def operation(values: tuple[Any, ...]) -> Any:
        return await body(maker, *values)

    return operation


def _given_sync(body: SyncBody, maker: Any) -> SyncOperation:
    def operation(values: tuple[Any, ...]) -> Any:
        return body(maker, *values)

    return operation


class MadeEngines:
    """The engines that a lane makes: what they send, what they open, what they leave open.

    Those that have connections are kept until they are disposed of, as an application keeps its.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings  # what create_engine is given where the lane says nothing else
        self.opened = 0
        self.statements: list[str] = []
        self._open: set[Engine] = set()
        self._heard: list[tuple[Engine, bool]] | None = []  # None: nobody listens any more

    def _merged(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The cell's settings under those given; another class of pool has no use for its sizes."""
        replaced = _SIZES if "poolclass" in given else ()
        kept = {name: value for name, value in self.settings.items() if name not in replaced}
        return {**kept, **given}

    def _watch(self, engine: Engine) -> None:
        def connected(*_: Any) -> None:
            self.opened += 1
            self._open.add(engine)

        def disposed(_engine: Engine) -> None:
            self._open.discard(engine)

        marked = "_has_events" in vars(engine)  # by an isolation level that each checkout sets
        event.listen(engine, "connect", connected)
        event.listen(engine, "engine_disposed", disposed)
        if not marked:
            _unmark(engine)
        if self._heard is not None:
            self._heard.append((engine, marked))
            event.listen(engine, "before_cursor_execute", self._hear)

    def _hear(self, _c: Any, _cursor: Any, sql: str, _p: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's signature
        self.statements.append(sql)

    def quiet(self) -> None:
        """Stop listening to the SQL, of engines that are there and of those to come."""
        for engine, marked in self._heard or ():
            event.remove(engine, "before_cursor_execute", self._hear)
            if not marked:
                _unmark(engine)
        self._heard = None


def _unmark(engine: Engine) -> None:
    """Remove SQLAlchemy's own mark that somebody listens, a hundred calls an operation."""
    vars(engine).pop("_has_events", None)


class NewEngine(MadeEngines):
    """What a lane receives: called, it makes an AsyncEngine of the cell's settings."""

    def __call__(self, **given: Any) -> AsyncEngine:
        """The engine; what is *given* goes to create_async_engine, and overrides the cell's."""
        engine = create_async_engine(**self._merged(given))
        self._watch(engine.sync_engine)
        return engine

    def bind(self, body: Body) -> Operation:
        """The lane makes its engines itself, and disposes of them."""
        return _given(body, self)

    async def close(self) -> None:
        """Dispose of the engines that the lane forgot."""
        for engine in list(self._open):
            await AsyncEngine(engine).dispose()


class NewSyncEngine(MadeEngines):
    """The same for a driver that blocks."""

    def __call__(self, **given: Any) -> Engine:
        """The engine; what is *given* goes to create_engine, and overrides the cell's."""
        engine = create_engine(**self._merged(given))
        self._watch(engine)
        return engine

    def bind(self, body: SyncBody) -> SyncOperation:
        """The lane's twin makes its engines itself, and disposes of them."""
        return _given_sync(body, self)

    async def close(self) -> None:
        """Dispose of the engines that the lane forgot."""
        for engine in list(self._open):
            await in_background(engine.dispose)
