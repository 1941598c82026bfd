"""Get by id: one developer by primary key, the shortest useful round trip.

Every lane runs the same statement and hands back the same five columns. What is left between
the lanes is the client's work: the transaction around it, the statement, the object.
"""

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Scenario

from .models import DEVELOPERS, Developer, developer, developers, some_key

BY_ID = select(developers).where(developers.c.id == bindparam("key"))
ENTITY = select(Developer).where(Developer.id == bindparam("key"))
COLUMNS = select(*Developer.__table__.c).where(Developer.id == bindparam("key"))


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """A key, each one once before any repeats."""
    return {"key": some_key(turn, table_rows)}


def answer(turn: int, table_rows: int) -> tuple[Any, ...]:
    """The row, from the seed."""
    return tuple(developer(some_key(turn, table_rows), table_rows).values())


get_by_id = Scenario(DEVELOPERS, args, answer)


@get_by_id.lane
async def orm_built(session: AsyncSession, key: int) -> Developer:
    """select() built anew in each call, as most application code does

    https://docs.sqlalchemy.org/en/21/orm/queryguide/select.html
    """
    return (await session.scalars(select(Developer).where(Developer.id == key))).one()


@get_by_id.lane
async def orm(session: AsyncSession, key: int) -> Developer:
    """an entity, from one prepared select()

    https://docs.sqlalchemy.org/en/21/orm/queryguide/select.html
    """
    return (await session.scalars(ENTITY, {"key": key})).one()


@get_by_id.lane
async def orm_columns(session: AsyncSession, key: int) -> Any:
    """a session, but columns instead of an entity

    https://docs.sqlalchemy.org/en/21/orm/queryguide/select.html#selecting-individual-attributes
    """
    return (await session.execute(COLUMNS, {"key": key})).one()


@get_by_id.lane
async def core(connection: AsyncConnection, key: int) -> Any:
    """a Row, from Core's select() on the table

    https://docs.sqlalchemy.org/en/21/tutorial/data_select.html
    """
    return (await connection.execute(BY_ID, {"key": key})).one()


@get_by_id.lane
async def raw(driver: Any, key: int) -> Any:
    """the statement that Core compiles, on the bare driver"""
    return await driver.fetch_one(BY_ID, key)
