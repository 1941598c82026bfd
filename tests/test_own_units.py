"""Lanes that own their unit of work: what makes their sessions and engines, and what is kept."""

import asyncio
import time

import pytest
from real_targets import marked, required, server_address
from sqlalchemy import NullPool, literal, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.load.arm import Arm
from ormbench.load.threads import ThreadClients
from ormbench.loader import Loaded
from ormbench.scenario import Data, Scenario
from ormbench.targets.target import TARGETS

ONE = select(literal(1))
PID = text("SELECT pg_backend_pid()")
ASYNC, BLOCKS = "postgresql+asyncpg", "postgresql+psycopg_sync"
BOTH = [ASYNC, BLOCKS]
LEVEL = "SHOW transaction_isolation"


class Base(DeclarativeBase):
    pass


class Word(Base):
    __tablename__ = "own_words"
    id: Mapped[int] = mapped_column(primary_key=True)


own = Scenario(Data(Base.metadata, lambda _rows: []), name="own")


@own.lane
async def disposes(new_engine):
    """as it should be"""
    engine = new_engine()
    async with engine.connect() as connection:
        found = await connection.scalar(ONE)
    await engine.dispose()
    return found


@own.lane
async def forgets(new_engine):
    """never disposes"""
    engine = new_engine()
    async with engine.connect() as connection:
        return await connection.scalar(PID)


@own.lane
async def overrides(new_engine):
    """no pool, in the place of the cell's"""
    engine = new_engine(poolclass=NullPool)
    for _ in range(3):
        async with engine.connect() as connection:
            await connection.scalar(ONE)
    await engine.dispose()
    return engine.pool.__class__.__name__


@own.lane
async def grows(new_engine):
    """one setting of the pool alone"""
    engine = new_engine(pool_size=4)
    size = engine.pool.size()
    await engine.dispose()
    return size


@own.lane
async def level(new_engine, question):
    """its isolation level"""
    engine = new_engine()
    async with engine.connect() as connection:
        found = await connection.scalar(text(question))
    await engine.dispose()
    return found


@own.lane
async def keeps(sessions):
    """what the session maker says of expiry, unless it is told otherwise"""
    async with sessions() as one, sessions(expire_on_commit=True, autoflush=False) as other:
        return [
            (each.sync_session.expire_on_commit, each.sync_session.autoflush)
            for each in (one, other)
        ]


@own.lane
async def level_of_a_session(sessions, question):
    """its isolation level"""
    async with sessions.begin() as session:
        return await session.scalar(text(question))


LOADED = Loaded("own", own, None, "")


class Opened:
    """A lane bound to a real server, and its operation."""

    def __init__(self, bound):
        self.bound = bound
        self._threads = ThreadClients(bound.operation, 1) if bound.runs == "threads" else None

    async def once(self, *values):
        if self._threads:
            return (await self._threads.once(values))[0]
        return await self.bound.operation(values)

    async def close(self):
        if self._threads:
            self._threads.close()
        await self.bound.close()


@pytest.fixture
async def opened(request):
    found = []

    async def open_(lane, target, **axes):
        required(target)
        address = server_address(request, TARGETS[target])
        cell = Cell(scenario="own", lane=lane, target=target, **axes)
        schema = "public" if TARGETS[target].server == "PostgreSQL" else address.database
        found.append(Opened(await bind(LOADED, cell, address, schema)))
        return found[-1]

    yield open_
    for one in found:
        await one.close()


@pytest.mark.parametrize("target", marked(TARGETS, BOTH))
async def test_connections_of_engines_that_a_lane_makes_are_counted(target, opened):
    lane = await opened("disposes", target)
    assert [await lane.once(), await lane.once()] == [1, 1]
    assert lane.bound.opened() == 2


@pytest.mark.parametrize("target", BOTH)
async def test_engines_that_a_lane_forgot_are_disposed_of_at_the_end(target, opened):
    lane = await opened("forgets", target)
    pids = [await lane.once(), await lane.once()]
    asks = await opened("level", ASYNC)
    alive = f"SELECT count(*) FROM pg_stat_activity WHERE pid IN ({pids[0]}, {pids[1]})"
    assert len(set(pids)) == 2
    assert await asks.once(alive) == 2  # until then they are the lane's
    await lane.close()
    until = time.monotonic() + 10
    while await asks.once(alive) and time.monotonic() < until:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)  # a backend ends a moment after its client has gone
    assert await asks.once(alive) == 0


@pytest.mark.parametrize("target", BOTH)
async def test_a_pool_class_that_is_given_stands_in_for_the_cell_s_pool(target, opened):
    lane = await opened("overrides", target, pool="5+10:lifo:timeout=3")
    assert await lane.once() == "NullPool"
    assert lane.bound.opened() == 3


@pytest.mark.parametrize("target", BOTH)
async def test_what_is_given_overrides_the_cell_s_setting_of_that_name(target, opened):
    assert await (await opened("grows", target, pool="2+0")).once() == 4


@pytest.mark.parametrize("target", BOTH)
@pytest.mark.parametrize("lane", ["level", "level_of_a_session"])
@pytest.mark.parametrize("word", ["serializable", "serializable:connection"])
async def test_engines_and_sessions_have_the_cell_s_isolation_level(word, lane, target, opened):
    plain = await opened(lane, target)
    serializable = await opened(lane, target, isolation=word)
    assert await plain.once(LEVEL) == "read committed"
    assert await serializable.once(LEVEL) == "serializable"
    serializable.bound.quiet()
    assert await serializable.once(LEVEL) == "serializable"


@pytest.mark.parametrize("target", BOTH)
async def test_statements_of_such_engines_are_heard_until_nobody_listens(target, opened):
    lane = await opened("disposes", target)
    await lane.once()
    heard = list(lane.bound.statements)
    assert any("SELECT" in sql for sql in heard)
    lane.bound.quiet()
    await lane.once()
    assert lane.bound.statements == heard


async def test_after_that_sqlalchemy_is_as_if_nobody_had_ever_listened():
    """Its mark that somebody listens costs a hundred calls an operation; see `_unmark`."""
    from ormbench.lanes.own import NewSyncEngine  # noqa: PLC0415 - looked at from inside

    new_engine = NewSyncEngine({"url": "postgresql+psycopg://"})
    while_heard = new_engine()
    assert while_heard._has_events
    new_engine.quiet()
    assert not while_heard._has_events
    assert not new_engine()._has_events


async def test_a_level_that_each_checkout_sets_keeps_its_listener():
    from ormbench.lanes.own import NewSyncEngine  # noqa: PLC0415 - looked at from inside

    options = {"execution_options": {"isolation_level": "SERIALIZABLE"}}
    new_engine = NewSyncEngine({"url": "postgresql+psycopg://", **options})
    while_heard = new_engine()
    new_engine.quiet()
    assert while_heard._has_events
    assert new_engine()._has_events


async def test_sessions_keep_what_they_know_at_a_commit_unless_they_are_told_otherwise(opened):
    lane = await opened("keeps", ASYNC)
    assert await lane.once() == [(False, True), (True, False)]


@pytest.mark.parametrize("target", BOTH)
async def test_a_proof_of_such_a_lane_shows_its_statements(target, server):
    cell = Cell(scenario="own", lane="disposes", target=target)
    arm = Arm(LOADED, cell, await bind(LOADED, cell, server.address, "public"), 100, timeout=30)
    try:
        assert any("SELECT" in sql for sql in (await arm.prove([0, 1]))["sql"])
    finally:
        await arm.close()
