"""Migrate: developers move into a table of a new shape, as a backfill does it.

Names are split, e-mail addresses become lower-case, and the old table stays: code that reads it
still runs. An operation moves a window of old rows in one transaction. ``run`` is its turn, part
of the new key, so that each operation has all of its rows still before it.

What a lane holds in memory at once: ``row_by_row`` and ``row_by_row_core`` the whole window,
``add_all`` that twice, old and new; ``in_batches``, ``streamed``, ``streamed_orm`` and ``raw`` 500
rows; ``one_statement`` none.

MySQL and MariaDB send a stream to its end before they take another statement, so that on one
connection nothing can be inserted meanwhile, unless all has come in the first partition. Three of
their drivers then drop the rest of the stream with a warning, and it looks like one that is over:
who streams has to count. A second connection would do, but what it reads is another transaction;
``in_batches`` needs none.

There is no lane with COPY: a connection that copies out cannot copy in meanwhile, either, and where
both tables are in one database, ``one_statement`` sends no row to the client at all.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    DateTime,
    Integer,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.scenario import Data, Defect, Scenario, State

from .models import developer

PART = 500  # rows at a time
FIRST_NAME = 5  # letters of each first name; a blank follows


class Base(DeclarativeBase):
    """The registry of both tables."""


class Developer(Base):
    """A developer in the old shape, which is only ever read by its key here."""

    __tablename__ = "developers"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(120))
    specialty: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(DateTime)


class Person(Base):
    """The same developer in the new shape."""

    __tablename__ = "people"

    run: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_name: Mapped[str] = mapped_column(String(40))
    last_name: Mapped[str] = mapped_column(String(40))
    email: Mapped[str] = mapped_column(String(120))
    specialty: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(DateTime)


developers: Table = Base.metadata.tables["developers"]
people: Table = Base.metadata.tables["people"]
COLUMNS = tuple(people.c.keys())


def old(number: int, table_rows: int) -> dict[str, Any]:
    """Row *number* of the old table, its e-mail address as somebody once typed it."""
    row = developer(number, table_rows)
    return {**row, "email": row["email"].upper()}


def seed(table_rows: int) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """All old rows; the new table is empty."""
    yield developers, [old(number, table_rows) for number in range(1, table_rows + 1)]


def args(turn: int, table_rows: int, batch: int = 1_000) -> dict[str, Any]:
    """A window of *batch* old rows; of a smaller table all of it. Windows come round again."""
    size = min(batch, table_rows)
    low = 1 + turn % (table_rows // size) * size
    return {"run": turn, "low": low, "high": low + size - 1}


def lasts(table_rows: int, batch: int = 1_000) -> int:
    """The old rows stay, and last for ever, where there are as many as an operation has."""
    return sys.maxsize if batch <= table_rows else 0


def moved(turns: Sequence[int], table_rows: int, batch: int = 1_000) -> Iterator[tuple[Any, ...]]:
    """The new table after *turns*, from the seed."""
    for turn in sorted(turns):
        window = args(turn, table_rows, batch)
        for number in range(window["low"], window["high"] + 1):
            row = developer(number, table_rows)
            first, last = row["name"].split()
            yield (turn, number, first, last, row["email"], row["specialty"], row["created_at"])


STATE = State(select(people).order_by(people.c.run, people.c.id), moved, lasts=lasts)
move_rows = Scenario(Data(Base.metadata, seed), args, state=STATE)

WINDOW = developers.c.id.between(bindparam("low"), bindparam("high"))
ROWS = select(developers).where(WINDOW).order_by(developers.c.id)
ENTITIES = select(Developer).where(WINDOW).order_by(Developer.id)
STREAMED = ROWS.execution_options(yield_per=PART)
STREAMED_ENTITIES = ENTITIES.execution_options(yield_per=PART)
NEXT = (
    select(developers)
    .where(developers.c.id > bindparam("after"), developers.c.id <= bindparam("high"))
    .order_by(developers.c.id)
    .limit(PART)
)
CREATE = insert(people)
MOVE = CREATE.from_select(
    COLUMNS,
    select(
        bindparam("turn", type_=Integer),
        developers.c.id,
        func.substr(developers.c.name, 1, FIRST_NAME),
        func.substr(developers.c.name, FIRST_NAME + 2),
        func.lower(developers.c.email),
        developers.c.specialty,
        developers.c.created_at,
    ).where(WINDOW),
)

OPEN = Defect(
    "a connection to MySQL or MariaDB has one stream and nothing else, "
    "https://dev.mysql.com/doc/refman/8.4/en/commands-out-of-sync.html",
    error="Commands out of sync",
)
DROPPED = Defect(
    "the rest of a stream is dropped when its connection runs another statement, with a warning: "
    "Previous unbuffered result was left incomplete, https://github.com/PyMySQL/PyMySQL/pull/292",
    error=("rows came, and then no more", "Previous unbuffered result was left incomplete"),
)
KNOWN = {"*+aiomysql": DROPPED, "*+asyncmy": DROPPED, "*+pymysql": DROPPED, "*+mysqldb": OPEN}


class CutShortError(Exception):
    """A stream ended before its last row."""


def check_whole(moved: int, low: int, high: int) -> None:
    """Raise CutShortError where not all rows of a window were moved."""
    if moved != high - low + 1:
        raise CutShortError(f"{moved} of {high - low + 1} rows came, and then no more")


def renewed(run: int, row: Any) -> dict[str, Any]:
    """The values of an old row or entity in the new shape."""
    first, last = row.name.split()
    return {
        "run": run,
        "id": row.id,
        "first_name": first,
        "last_name": last,
        "email": row.email.lower(),
        "specialty": row.specialty,
        "created_at": row.created_at,
    }


def renewed_tuple(
    run: int, number: int, name: str, email: str, specialty: str, created_at: datetime
) -> tuple[Any, ...]:
    """The same for an old row that has no names, in the order of the new table's columns."""
    return (run, number, *name.split(), email.lower(), specialty, created_at)


@move_rows.lane
async def row_by_row(session: AsyncSession, run: int, low: int, high: int) -> None:
    """each entity of a select(): add() a new one, and flush()

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#flushing
    """
    for entity in await session.scalars(ENTITIES, {"low": low, "high": high}):
        session.add(Person(**renewed(run, entity)))
        await session.flush()


@move_rows.lane
async def add_all(session: AsyncSession, run: int, low: int, high: int) -> None:
    """new entities for all of a select(), added at once, which the commit flushes

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#adding-new-or-existing-items
    """
    entities = await session.scalars(ENTITIES, {"low": low, "high": high})
    session.add_all([Person(**renewed(run, entity)) for entity in entities])


@move_rows.lane
async def row_by_row_core(connection: AsyncConnection, run: int, low: int, high: int) -> None:
    """each Row of a select(): an INSERT of its own

    https://docs.sqlalchemy.org/en/21/tutorial/data_insert.html
    """
    for row in await connection.execute(ROWS, {"low": low, "high": high}):
        await connection.execute(CREATE, renewed(run, row))


@move_rows.lane
async def in_batches(connection: AsyncConnection, run: int, low: int, high: int) -> None:
    """the next 500 Rows after the last key, one insert() with a list of rows; and again

    https://docs.sqlalchemy.org/en/21/tutorial/data_insert.html
    """
    after = low - 1
    while rows := (await connection.execute(NEXT, {"after": after, "high": high})).all():
        await connection.execute(CREATE, [renewed(run, row) for row in rows])
        after = rows[-1].id


@move_rows.lane(known=KNOWN)
async def streamed(connection: AsyncConnection, run: int, low: int, high: int) -> None:
    """partitions of 500 from a server-side cursor, inserted while it is open

    https://docs.sqlalchemy.org/en/21/core/connections.html#using-server-side-cursors-a-k-a-stream-results
    """
    moved, result = 0, await connection.stream(STREAMED, {"low": low, "high": high})
    async for rows in result.partitions():
        await connection.execute(CREATE, [renewed(run, row) for row in rows])
        moved += len(rows)
    check_whole(moved, low, high)


@move_rows.lane(known=KNOWN)
async def streamed_orm(session: AsyncSession, run: int, low: int, high: int) -> None:
    """partitions of 500 entities from a server-side cursor; add_all() and flush() of each

    https://docs.sqlalchemy.org/en/21/orm/queryguide/api.html#fetching-large-result-sets-with-yield-per
    """
    window = {"low": low, "high": high}
    moved, result = 0, await session.stream_scalars(STREAMED_ENTITIES, window)
    async for entities in result.partitions():
        session.add_all([Person(**renewed(run, entity)) for entity in entities])
        await session.flush()
        moved += len(entities)
    check_whole(moved, low, high)


@move_rows.lane
async def one_statement(connection: AsyncConnection, run: int, low: int, high: int) -> None:
    """INSERT .. SELECT: the server does it all

    https://docs.sqlalchemy.org/en/21/tutorial/data_insert.html#insert-from-select
    """
    await connection.execute(MOVE, {"turn": run, "low": low, "high": high})


@move_rows.lane
async def raw(driver: Any, run: int, low: int, high: int) -> None:
    """in batches on the bare driver, with its executemany()"""
    after = low - 1
    while rows := await driver.fetch_all(NEXT, after, high):
        await driver.execute_many(CREATE, [renewed_tuple(run, *row) for row in rows], COLUMNS)
        after = rows[-1][0]
