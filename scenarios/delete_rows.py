"""Deletes: some developers leave in one transaction, one of them or ten thousand.

All rows of an operation are neighbours, so that a single DELETE .. BETWEEN can do what others do
with a statement or a parameter for each row. Each turn goes on to the next rows, until none are
left: then the table is filled again, off the clock.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Scenario, State

from .models import DEVELOPERS, Developer, developer, developers
from .update_rows import window

Keys = list[dict[str, int]]

NEIGHBOURS = developers.c.id.between(bindparam("first"), bindparam("last"))
ENTITIES = select(Developer).where(NEIGHBOURS)
REMOVE = delete(developers).where(developers.c.id == bindparam("key"))
REMOVE_ALL = delete(developers).where(NEIGHBOURS)
REMOVED = REMOVE_ALL.returning(developers)
STATE = select(developers).order_by(developers.c.id)


def args(turn: int, table_rows: int, batch: int = 100) -> dict[str, Any]:
    """Keys from *first* to *last*; the same by row."""
    keys = window(turn, table_rows, batch)
    return {"first": keys[0], "last": keys[-1], "keys": [{"key": key} for key in keys]}


def left(turns: Sequence[int], table_rows: int, batch: int = 100) -> list[tuple[Any, ...]]:
    """The rows that no turn has deleted."""
    gone = {key for turn in turns for key in window(turn, table_rows, batch)}
    rows = (developer(number, table_rows) for number in range(1, table_rows + 1))
    return [tuple(row.values()) for row in rows if row["id"] not in gone]


def lasts(table_rows: int, batch: int = 100) -> int:
    """As many turns as the table has parts: until then, no two have a key in common."""
    return table_rows // batch


delete_rows = Scenario(DEVELOPERS, args, state=State(STATE, left, lasts=lasts))


@delete_rows.lane
async def session_delete(session: AsyncSession, first: int, last: int) -> None:
    """read the entities with one SELECT, delete() each, let the commit flush it

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#deleting
    """
    for one in await session.scalars(ENTITIES, {"first": first, "last": last}):
        await session.delete(one)


@delete_rows.lane
async def each(connection: AsyncConnection, keys: Keys) -> None:
    """Core's delete(), one execute() for each row

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html#the-delete-sql-expression-construct
    """
    for key in keys:
        await connection.execute(REMOVE, key)


@delete_rows.lane
async def core_many(connection: AsyncConnection, keys: Keys) -> None:
    """Core's delete() with a list of keys

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html#the-delete-sql-expression-construct
    """
    await connection.execute(REMOVE, keys)


@delete_rows.lane(needs=("DELETE RETURNING",))
async def returning(connection: AsyncConnection, first: int, last: int) -> None:
    """one DELETE for all rows, and the rows back

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html#using-returning-with-update-delete
    """
    (await connection.execute(REMOVED, {"first": first, "last": last})).all()


@delete_rows.lane
async def set_based(connection: AsyncConnection, first: int, last: int) -> None:
    """one DELETE for all rows

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html#the-delete-sql-expression-construct
    """
    await connection.execute(REMOVE_ALL, {"first": first, "last": last})
