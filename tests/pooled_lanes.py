"""Lanes for pools whose connections come and go: right ones, and some that are wrong now and then.

They keep what their count pass promises, but not in each hundredth turn from 10,000 on.
"""

import asyncio
import time
from contextlib import suppress

from sqlalchemy import NullPool, create_engine, func, select, text, update
from sqlalchemy.ext.asyncio import create_async_engine

from ormbench.scenario import Audit, BrokenInvariantError, Scenario, State

from .odd_turns import BY_KEY, DATA, Word, args, expected, odd

ENGINES = {}  # the harness's -> the author's own, which connects anew for each operation

pooled = Scenario(DATA, args)


@pooled.lane
async def plain(connection, key, turn):  # noqa: ARG001 - all lanes are given the same
    """one row"""
    return (await connection.execute(BY_KEY, {"key": key})).one()


@pooled.lane
async def rolls_back(connection, key, turn):
    """one row, and now and then a ROLLBACK in the place of the COMMIT"""
    (await connection.execute(BY_KEY, {"key": key})).one()
    if odd(turn):
        await connection.rollback()


@pooled.lane
async def commits_twice(connection, key, turn):
    """one row, and now and then a COMMIT before it, and so another after it"""
    (await connection.execute(BY_KEY, {"key": key})).one()
    if odd(turn):
        await connection.exec_driver_sql("COMMIT")
        (await connection.execute(BY_KEY, {"key": key})).one()


@pooled.lane
async def remembers(session, key, turn):
    """one row, now and then none: no connection is needed"""
    if not odd(turn):
        (await session.scalars(BY_KEY, {"key": key})).one()


@pooled.lane
async def beside(connection, key, turn):
    """one row, and now and then a connection that the pool knows nothing of"""
    if odd(turn):
        engine = connection.engine
        if engine not in ENGINES:
            ENGINES[engine] = create_async_engine(engine.url, poolclass=NullPool)
        async with ENGINES[engine].connect() as own:
            await own.exec_driver_sql("SELECT 1")
    return (await connection.execute(BY_KEY, {"key": key})).one()


@pooled.twin(beside)
def beside_in_threads(connection, key, turn):
    if odd(turn):
        engine = connection.engine
        if engine not in ENGINES:
            ENGINES[engine] = create_engine(engine.url, poolclass=NullPool)
        with ENGINES[engine].connect() as own:
            own.exec_driver_sql("SELECT 1")
    return connection.execute(BY_KEY, {"key": key}).one()


@pooled.lane
async def throws_away(session, key, turn):
    """one row, and now and then the connection is thrown away"""
    (await session.scalars(BY_KEY, {"key": key})).one()
    if odd(turn):
        await session.invalidate()


@pooled.lane
async def gathered(sessions, key, turn):  # noqa: ARG001
    """three rows in three sessions at once"""

    async def one(number):
        async with sessions.begin() as session:
            return (await session.scalars(BY_KEY, {"key": number})).one()

    return await asyncio.gather(one(key), one(1), one(2))


@pooled.lane
async def own_engine(new_engine, key, turn):  # noqa: ARG001
    """one row over an engine of its own, which is disposed of"""
    engine = new_engine()
    try:
        async with engine.begin() as connection:
            return (await connection.execute(BY_KEY, {"key": key})).one()
    finally:
        await engine.dispose()


@pooled.lane
async def holds(connection, key, turn):  # noqa: ARG001
    """one row, and the connection for a while longer"""
    found = (await connection.execute(BY_KEY, {"key": key})).one()
    await asyncio.sleep(0.02)
    return found


@pooled.twin(holds)
def holds_in_threads(connection, key, turn):  # noqa: ARG001
    found = connection.execute(BY_KEY, {"key": key}).one()
    time.sleep(0.02)
    return found


changing = Scenario(DATA, args, state=State(select(Word.id, Word.text).order_by(Word.id), expected))


@changing.lane
async def changed(session, key, turn):
    """reads, changes"""
    (await session.scalars(BY_KEY, {"key": key})).one().text = f"turn {turn}"


@changing.lane
async def changed_or_not(session, key, turn):
    """reads, changes, but now and then to what is there already: the flush sends nothing"""
    found = (await session.scalars(BY_KEY, {"key": key})).one()
    found.text = found.text if odd(turn) else f"turn {turn}"


STATE = State(select(Word.id, Word.text).order_by(Word.id), lambda turns, table_rows: [])  # noqa: ARG005 - nobody can expect it: an audit looks
AUDIT = Audit(select(func.count()).select_from(Word), lambda rows, turns, table_rows: 0)  # noqa: ARG005 - what is lost is not the matter here

meeting = Scenario(DATA, lambda turn: {"turn": turn}, state=STATE, audit=AUDIT)
HOT = select(Word.text).where(Word.id == 1)


@meeting.lane
async def meets(connection, turn):
    """reads one row that all want, and changes it"""
    await connection.execute(HOT)
    await connection.execute(update(Word).where(Word.id == 1).values(text=f"turn {turn}"))


@meeting.lane
async def meets_again(sessions, turn):
    """the same, and now and then once more, though it has been committed"""
    for _ in range(1 + odd(turn)):
        async with sessions.begin() as session:
            await session.execute(HOT)
            await session.execute(update(Word).where(Word.id == 1).values(text=f"turn {turn}"))


@meeting.lane
async def swallows(connection, turn):
    """the same, but what the server ended is left at that, and nobody is told"""
    await connection.execute(HOT)
    with suppress(Exception):
        await connection.execute(update(Word).where(Word.id == 1).values(text=f"turn {turn}"))


@meeting.lane
async def finds_broken(connection, turn):
    """reads what cannot be at each hundredth turn"""
    await connection.execute(HOT)
    if odd(turn):
        raise BrokenInvariantError("a sum that cannot be")
    await connection.execute(text("SELECT 2"))
