"""Find by specialty: a hundred developers in name order, the list page of an application.

The filter is indexed. A hundred rows make the work per row count: decoding, rows, entities.
"""

from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Scenario

from .models import DEVELOPERS, PER_SPECIALTY, Developer, developer, developers, specialty

BY_SPECIALTY = (
    select(developers)
    .where(developers.c.specialty == bindparam("specialty"))
    .order_by(developers.c.name)
    .limit(PER_SPECIALTY)
)
ENTITIES = (
    select(Developer)
    .where(Developer.specialty == bindparam("specialty"))
    .order_by(Developer.name)
    .limit(PER_SPECIALTY)
)
COLUMNS = (
    select(*Developer.__table__.c)
    .where(Developer.specialty == bindparam("specialty"))
    .order_by(Developer.name)
    .limit(PER_SPECIALTY)
)


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """One specialty after the other."""
    return {"specialty": specialty(turn, table_rows)}


def answer(turn: int, table_rows: int) -> list[tuple[Any, ...]]:
    """The first hundred rows of that specialty in name order, from the seed."""
    groups = max(1, table_rows // PER_SPECIALTY)
    numbers = (number for number in range(1, table_rows + 1) if (number - turn) % groups == 0)
    rows = sorted((developer(number, table_rows) for number in numbers), key=itemgetter("name"))
    return [tuple(row.values()) for row in rows[:PER_SPECIALTY]]


find_by_specialty = Scenario(DEVELOPERS, args, answer)


@find_by_specialty.lane
async def orm(session: AsyncSession, specialty: str) -> Any:
    """entities through scalars()

    https://docs.sqlalchemy.org/en/21/orm/queryguide/select.html
    """
    return (await session.scalars(ENTITIES, {"specialty": specialty})).all()


@find_by_specialty.lane
async def orm_columns(session: AsyncSession, specialty: str) -> Any:
    """a session, but columns instead of entities

    https://docs.sqlalchemy.org/en/21/orm/queryguide/select.html#selecting-individual-attributes
    """
    return (await session.execute(COLUMNS, {"specialty": specialty})).all()


@find_by_specialty.lane
async def core(connection: AsyncConnection, specialty: str) -> Any:
    """Rows, from Core's select() on the table

    https://docs.sqlalchemy.org/en/21/tutorial/data_select.html
    """
    return (await connection.execute(BY_SPECIALTY, {"specialty": specialty})).all()


@find_by_specialty.lane
async def raw(driver: Any, specialty: str) -> Any:
    """the statement that Core compiles, on the bare driver"""
    return await driver.fetch_all(BY_SPECIALTY, specialty)
