"""Lanes that write right until they are measured."""

from ormbench.scenario import Scenario, State

from .words import (
    ALL,
    CHANGE,
    DATA,
    Word,
    call,
    for_a_while,
    let_through,
    shout,
    shouted,
    timed,
    withhold,
)

OFTEN = 10  # calls, of which a lane behaves in one

changing = Scenario(DATA, shout, state=State(ALL, shouted))


@changing.lane
async def changed(session, key, text):
    """one entity"""
    (await session.get_one(Word, key)).text = text


@changing.lane
async def sends_nothing(session, key, text):
    """sets what is there already, to the end, so that the flush finds nothing to send"""
    word = await session.get_one(Word, key)
    word.text = word.text if timed("sends_nothing") else text


@changing.lane
async def sent_nothing(session, key, text):
    """does so for a while, and is back at work when the state is looked at"""
    word = await session.get_one(Word, key)
    word.text = word.text if for_a_while("sent_nothing") else text


@changing.lane
async def took_back(session, key, text):
    """rolls back for a while, and is back at work when the state is looked at"""
    (await session.get_one(Word, key)).text = text
    await session.flush()
    if for_a_while("took_back"):
        await session.rollback()


@changing.lane
async def saves_up_writes(connection, key, text):
    """takes the transaction into its own hands: a reset waits for locks that it holds"""
    let_through(connection.dialect)
    if timed("saves_up_writes") and call("saves_up_writes, timed") % OFTEN:
        withhold(connection.dialect)
    await connection.execute(CHANGE, {"key": key, "text": text})
