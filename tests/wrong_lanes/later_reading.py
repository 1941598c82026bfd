"""Lanes that read right until they are measured: proof and count pass do not tell them apart."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from ormbench.scenario import Scenario

from .words import (
    BY_KEY,
    DATA,
    Word,
    call,
    key_of,
    known,
    let_through,
    timed,
    withhold,
    word_of,
)

OFTEN = 10  # calls, of which a lane misbehaves, or behaves, in one
SELDOM = 100

looking = Scenario(DATA, key_of, word_of)


@looking.lane
async def right(session, key):
    """one entity by its key"""
    return await session.get_one(Word, key)


@looking.lane
async def right_raw(driver, key):
    """its row with the bare driver"""
    return await driver.fetch_one(BY_KEY, key)


SESSIONS = {}  # engine -> a session that outlives its operation, and the entities that it read


@looking.lane
async def remembers(session, key):
    """one session for all: it sends nothing for a key that is in its identity map"""
    if session.bind not in SESSIONS:
        SESSIONS[session.bind] = AsyncSession(session.bind, expire_on_commit=False), {}
    kept, entities = SESSIONS[session.bind]
    entities[key] = await kept.get_one(Word, key)
    await kept.commit()
    return entities[key]


@looking.twin(remembers)
def remembers_in_threads(session, key):
    if session.bind not in SESSIONS:
        SESSIONS[session.bind] = Session(session.bind, expire_on_commit=False), {}
    kept, entities = SESSIONS[session.bind]
    entities[key] = kept.get_one(Word, key)
    kept.commit()
    return entities[key]


@looking.lane
async def knows(connection, key):
    """asks nobody any more: SQLAlchemy commits an empty transaction"""
    if timed("knows"):
        return known(key)
    return (await connection.execute(BY_KEY, {"key": key})).one()


@looking.lane
async def knows_raw(driver, key):
    """the same with the bare driver; asyncpg sends BEGIN and COMMIT all the same"""
    if timed("knows_raw"):
        return known(key)
    return await driver.fetch_one(BY_KEY, key)


@looking.lane
async def saves_up(connection, key):
    """takes the transaction into its own hands, and commits at every tenth call"""
    let_through(connection.dialect)
    if timed("saves_up") and call("saves_up, timed") % OFTEN:
        withhold(connection.dialect)
    return (await connection.execute(BY_KEY, {"key": key})).one()


@looking.lane
async def rolls_back(session, key):
    """rolls back where the others commit"""
    word = await session.get_one(Word, key)
    if timed("rolls_back"):
        session.expunge(word)
        await session.rollback()
    return word


@looking.lane
async def asks_again(connection, key):
    """sends a statement more at every hundredth call"""
    if timed("asks_again", SELDOM):
        await connection.execute(BY_KEY, {"key": key})
    return (await connection.execute(BY_KEY, {"key": key})).one()


alone = Scenario(DATA, key_of, word_of)  # for cells in autocommit


@alone.lane
async def right_alone(connection, key):
    """one statement, which is a transaction by itself"""
    return (await connection.execute(BY_KEY, {"key": key})).one()


@alone.lane
async def asks_again_alone(connection, key):
    """sends a statement more at every hundredth call"""
    if timed("asks_again_alone", SELDOM):
        await connection.execute(BY_KEY, {"key": key})
    return (await connection.execute(BY_KEY, {"key": key})).one()


@alone.lane
async def saves_up_alone(connection, key):
    """begins by hand, and commits so at every tenth call"""
    number = call("saves_up_alone, timed") if timed("saves_up_alone") else 0
    if number:
        withhold(connection.dialect)
    if number % OFTEN == 1:
        await connection.exec_driver_sql("BEGIN")
    found = (await connection.execute(BY_KEY, {"key": key})).one()
    if number and number % OFTEN == 0:
        await connection.exec_driver_sql("COMMIT")
    return found
