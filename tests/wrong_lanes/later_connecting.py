"""Lanes that use the harness's connections until they are measured, and one that never does."""

from sqlalchemy import NullPool, create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from ormbench.scenario import Scenario

from .words import BY_KEY, DATA, Word, for_a_while, key_of, known, timed, word_of

OFTEN = 10  # calls, of which a lane misbehaves in one

connecting = Scenario(DATA, key_of, word_of)


@connecting.lane
async def connected(connection, key):
    """asks on the connection that it is given"""
    return (await connection.execute(BY_KEY, {"key": key})).one()


@connecting.lane
async def connects(session, key):
    """throws the pool's connection away at each call, from the first on, and says so"""
    async with session.bind.connect() as thrown_away:
        await thrown_away.invalidate()
    return await session.get_one(Word, key)


@connecting.lane
async def reconnects(session, key):
    """throws the pool's connection away at every tenth call, so that another is opened"""
    if timed("reconnects", OFTEN):
        async with session.bind.connect() as thrown_away:
            await thrown_away.invalidate()
    return await session.get_one(Word, key)


ENGINES = {}  # the harness's -> the author's own, which connects anew for each operation


@connecting.lane
async def elsewhere(connection, key):
    """leaves the harness's connection idle, and for a while asks on others, opened each time"""
    if not for_a_while("elsewhere"):
        return (await connection.execute(BY_KEY, {"key": key})).one()
    engine = connection.engine
    if engine not in ENGINES:
        ENGINES[engine] = create_async_engine(engine.url, poolclass=NullPool)
    async with ENGINES[engine].connect() as own:
        await own.exec_driver_sql("SELECT 1")
    return known(key)


@connecting.twin(elsewhere)
def elsewhere_in_threads(connection, key):
    if not for_a_while("elsewhere"):
        return connection.execute(BY_KEY, {"key": key}).one()
    engine = connection.engine
    if engine not in ENGINES:
        ENGINES[engine] = create_engine(engine.url, poolclass=NullPool)
    with ENGINES[engine].connect() as own:
        own.exec_driver_sql("SELECT 1")
    return known(key)


@connecting.lane
async def beside(connection, key):
    """does its work, and at every tenth call opens a connection of its own besides"""
    engine = connection.engine
    if timed("beside", OFTEN):
        if engine not in ENGINES:
            ENGINES[engine] = create_async_engine(engine.url, poolclass=NullPool)
        async with ENGINES[engine].connect() as own:
            await own.exec_driver_sql("SELECT 1")
    return (await connection.execute(BY_KEY, {"key": key})).one()


@connecting.twin(beside)
def beside_in_threads(connection, key):
    engine = connection.engine
    if timed("beside", OFTEN):
        if engine not in ENGINES:
            ENGINES[engine] = create_engine(engine.url, poolclass=NullPool)
        with ENGINES[engine].connect() as own:
            own.exec_driver_sql("SELECT 1")
    return connection.execute(BY_KEY, {"key": key}).one()


HELD = {}  # engine -> its only connection


@connecting.lane
async def keeps(session, key):
    """takes the pool's only connection for itself, in a transaction that it never ends"""
    if not timed("keeps"):
        return await session.get_one(Word, key)
    if session.bind not in HELD:
        HELD[session.bind] = await session.bind.connect()
    return (await HELD[session.bind].execute(BY_KEY, {"key": key})).one()
