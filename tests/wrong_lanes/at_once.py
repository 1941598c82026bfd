"""Lanes that do less or other work than they say, from their first turn, beside right ones."""
# ruff: noqa: ARG001 - a lane takes the inputs of its scenario; wrong ones leave some of them unused

from sqlalchemy import bindparam, select

from ormbench.scenario import Scenario, State

from .words import ALL, CHANGE, DATA, Word, call, row, shout, shouted, withhold

FEW = select(Word).where(Word.id.between(bindparam("first"), bindparam("last"))).order_by(Word.text)


def few(turn):
    return {"first": 1 + turn % 400, "last": 10 + turn % 400}


def few_of(turn):
    return rows_of(**few(turn))


def rows_of(first, last):
    found = sorted(map(row, range(first, last + 1)), key=lambda row: row["text"])
    return [tuple(row.values()) for row in found]


reading = Scenario(DATA, few, few_of)


@reading.lane
async def right(session, first, last):
    """what is asked for"""
    return (await session.scalars(FEW, {"first": first, "last": last})).all()


@reading.lane
async def wrong_order(session, first, last):
    """the same rows by key"""
    by_key = FEW.order_by(None).order_by(Word.id)
    return (await session.scalars(by_key, {"first": first, "last": last})).all()


@reading.lane
async def missing_row(connection, first, last):
    """one less"""
    return (await connection.execute(FEW, {"first": first, "last": last - 1})).all()


@reading.lane
async def half_a_row(connection, first, last):
    """the key alone"""
    return (await connection.execute(FEW.with_only_columns(Word.id), few(first - 1))).all()


KEPT = {}


@reading.lane
async def stale(driver, first, last):
    """asks once and remembers"""
    if "stale" not in KEPT:
        KEPT["stale"] = await driver.fetch_all(FEW, first, last)
    return KEPT["stale"]


@reading.lane
async def stale_answer(driver, first, last):
    """asks each time, and gives the first answer"""
    return KEPT.setdefault("stale_answer", await driver.fetch_all(FEW, first, last))


@reading.lane
async def nothing_asked(connection, first, last):
    """knows the answer, and asks nobody: the harness commits an empty transaction"""
    return rows_of(first, last)


@reading.lane
async def nothing_asked_raw(driver, first, last):
    """the same with the bare driver, some of which send BEGIN and COMMIT all the same"""
    return rows_of(first, last)


@reading.lane
async def rolled_back(session, first, last):
    """reads what is asked for, and rolls back where the others commit"""
    found = (await session.scalars(FEW, {"first": first, "last": last})).all()
    session.expunge_all()
    await session.rollback()
    return found


writing = Scenario(DATA, shout, state=State(ALL, shouted))


@writing.lane
async def written(session, key, text):
    """one entity"""
    (await session.get_one(Word, key)).text = text


@writing.lane
async def never_committed(session, key, text):
    """takes it back"""
    (await session.get_one(Word, key)).text = text
    await session.flush()
    await session.rollback()


@writing.lane
async def left_open(connection, key, text):
    """keeps its transaction open: its own connection sees the rows, nobody else ever does"""
    withhold(connection.dialect)
    await connection.execute(CHANGE, {"key": key, "text": text})


@writing.lane
async def nothing_sent(session, key, text):
    """sets what is there already, so that the flush finds nothing to send"""
    word = await session.get_one(Word, key)
    word.text = word.text


@writing.lane
async def other_row(connection, key, text):
    """off by one"""
    await connection.execute(CHANGE, {"key": key + 1, "text": text})


@writing.lane
async def replayed(connection, key, text):
    """always writes the same"""
    await connection.execute(CHANGE, {"key": key, "text": "the same"})


@writing.lane
async def fails(connection, key, text):
    """breaks a constraint"""
    await connection.execute(CHANGE, {"key": key, "text": "x" * 21})


# For cells in autocommit

asking = Scenario(DATA, few, few_of)


@asking.lane
async def in_fives(connection, first, last):
    """begins by hand, and commits so at every fifth call"""
    withhold(connection.dialect)
    number = call("in_fives")
    if number % 5 == 1:
        await connection.exec_driver_sql("BEGIN")
    found = (await connection.execute(FEW, {"first": first, "last": last})).all()
    if number % 5 == 0:
        await connection.exec_driver_sql("COMMIT")
    return found


unended = Scenario(DATA, shout, state=State(ALL, shouted))


@unended.lane
async def ended(connection, key, text):
    """one statement, which commits by itself"""
    await connection.execute(CHANGE, {"key": key, "text": text})


BEGUN = set()


@unended.lane
async def begun(connection, key, text):
    """begins a transaction by hand and never ends it: its own connection sees the rows"""
    withhold(connection.dialect)
    if connection.engine not in BEGUN:
        BEGUN.add(connection.engine)
        await connection.exec_driver_sql("BEGIN")
    await connection.execute(CHANGE, {"key": key, "text": text})
