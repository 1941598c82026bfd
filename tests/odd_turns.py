"""Lanes that keep what their count pass promises, but not in each hundredth turn from 10,000 on."""

from sqlalchemy import Column, Integer, String, Table, bindparam, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.scenario import Data, Scenario, State


class Base(DeclarativeBase):
    pass


class Word(Base):
    __tablename__ = "words"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(30))


def seed(table_rows):
    yield Word.__table__, [{"id": n, "text": f"word {n}"} for n in range(1, table_rows + 1)]


DATA = Data(Base.metadata, seed)
BY_KEY = select(Word).where(Word.id == bindparam("key"))


def args(turn):
    return {"key": 1 + turn % 400, "turn": turn}


def odd(turn):
    return turn >= 10_000 and turn % 100 == 0


reading = Scenario(DATA, args)


@reading.lane
async def plain(session, key, turn):  # noqa: ARG001 - all lanes are given the same
    """one row"""
    return (await session.scalars(BY_KEY, {"key": key})).one()


@reading.lane
async def asks_twice(connection, key, turn):
    """one row, now and then twice"""
    if odd(turn):
        (await connection.execute(BY_KEY, {"key": key})).one()
    return (await connection.execute(BY_KEY, {"key": key})).one()


@reading.lane
async def asks_less(connection, key, turn):
    """two rows, now and then one"""
    if not odd(turn):
        (await connection.execute(BY_KEY, {"key": 1 + key % 400})).one()
    return (await connection.execute(BY_KEY, {"key": key})).one()


@reading.lane
async def remembers(session, key, turn):
    """one row, now and then none: no transaction begins"""
    if not odd(turn):
        (await session.scalars(BY_KEY, {"key": key})).one()


@reading.lane
async def rolls_back(session, key, turn):
    """one row, and now and then a ROLLBACK in the place of the COMMIT"""
    (await session.scalars(BY_KEY, {"key": key})).one()
    if odd(turn):
        await session.rollback()


@reading.lane
async def ends_by_itself(connection, key, turn):
    """one row in a transaction of its own, whose COMMIT is now and then missing"""
    await connection.exec_driver_sql("BEGIN")
    (await connection.execute(BY_KEY, {"key": key})).one()
    if not odd(turn):
        await connection.exec_driver_sql("COMMIT")


@reading.lane
async def in_parallel(connection, key, turn):
    """one row, found by a worker of the server, too"""
    await connection.exec_driver_sql("SET LOCAL debug_parallel_query = on")
    (await connection.execute(BY_KEY, {"key": key})).one()
    if odd(turn):
        await connection.rollback()


@reading.lane
async def reconnects(session, key, turn):
    """one row, and now and then the connection is thrown away"""
    (await session.scalars(BY_KEY, {"key": key})).one()
    if odd(turn):
        await session.invalidate()


def text(turn):
    return f"turn {turn}"


def expected(turns, table_rows):
    rows = {n: f"word {n}" for n in range(1, table_rows + 1)}
    return list((rows | {args(turn)["key"]: text(turn) for turn in sorted(turns)}).items())


writing = Scenario(DATA, args, state=State(select(Word.id, Word.text).order_by(Word.id), expected))


@writing.lane
async def written(session, key, turn):
    """reads, changes"""
    (await session.scalars(BY_KEY, {"key": key})).one().text = text(turn)


@writing.lane
async def keeps(session, key, turn):
    """reads, changes, but now and then to what is there already: the flush sends nothing"""
    found = (await session.scalars(BY_KEY, {"key": key})).one()
    found.text = found.text if odd(turn) else text(turn)


varying = Scenario(DATA, args)


@varying.lane
async def every_tenth(connection, key, turn):
    """one row, and in every tenth turn another, each a transaction by itself"""
    if turn % 10 == 3:
        (await connection.execute(BY_KEY, {"key": 1 + key % 400})).one()
    return (await connection.execute(BY_KEY, {"key": key})).one()


@varying.lane
async def every_twentieth(connection, key, turn):
    """one row, and in every twentieth turn another, each a transaction by itself"""
    if turn % 20 == 19:
        (await connection.execute(BY_KEY, {"key": 1 + key % 400})).one()
    return (await connection.execute(BY_KEY, {"key": key})).one()


@varying.lane
async def pages(connection, key, turn):
    """pages of 1 to 7 rows, row by row; later ones are longer"""
    for number in range(1 + turn % 7 + 10 * (turn >= 10_000)):
        (await connection.execute(BY_KEY, {"key": 1 + (key + number) % 400})).one()


@varying.lane
async def lists(connection, key, turn):  # noqa: ARG001
    """lists of 1 to 60 keys: each length is a statement by itself"""
    keys = list(range(1, 2 + turn % 60))
    return (await connection.execute(select(Word.id).where(Word.id.in_(keys)))).all()


@varying.lane
async def many_lists(connection, key, turn):  # noqa: ARG001
    """of 1 to 150 keys: more than a driver remembers"""
    keys = list(range(1, 2 + turn % 150))
    return (await connection.execute(select(Word.id).where(Word.id.in_(keys)))).all()


by_itself = Scenario(DATA, args)


@by_itself.lane
async def commits(connection, key, turn):  # noqa: ARG001 - all lanes are given the same
    """commits on the server"""
    await connection.exec_driver_sql("DO $$ BEGIN PERFORM 1; COMMIT; PERFORM 2; END $$")


@by_itself.lane
async def listens(connection, key, turn):  # noqa: ARG001
    """is told of what it says itself"""
    await connection.exec_driver_sql("LISTEN words")
    await connection.exec_driver_sql("NOTIFY words")


@by_itself.lane
async def makes_tables(connection, key, turn):  # noqa: ARG001
    """makes tables, which every backend has to hear of"""
    for _ in range(20):
        await connection.exec_driver_sql("CREATE TEMP TABLE made (id int PRIMARY KEY, t text)")
        await connection.exec_driver_sql("DROP TABLE made")


class Wide(DeclarativeBase):
    pass


class Other(Wide):
    __tablename__ = "words"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(30))


for place in range(30):
    key_column = Column("id", Integer, primary_key=True)
    Table(f"beside_{place}", Wide.metadata, key_column, Column("a", Integer, unique=True))


def seed_wide(table_rows):
    yield Other.__table__, [{"id": n, "text": f"word {n}"} for n in range(1, table_rows + 1)]


wide = Scenario(
    Data(Wide.metadata, seed_wide),
    args,
    state=State(select(Other.id, Other.text).order_by(Other.id), expected),
)


@wide.lane
async def changes(session, key, turn):
    """reads, changes; 30 tables are emptied beside it"""
    (await session.get_one(Other, key)).text = text(turn)
