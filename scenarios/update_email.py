"""Update e-mail: one developer gets a new address, the edit form of an application.

The first way reads the row, changes it and commits. The second sends one UPDATE and never reads;
its lanes carry ``update`` in their names. Both leave the same state.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Scenario, State

from .models import DEVELOPERS, Developer, developer, developers, some_key

READ = select(developers).where(developers.c.id == bindparam("key"))
ENTITY = select(Developer).where(Developer.id == bindparam("key"))
CHANGE = (
    update(developers).values(email=bindparam("address")).where(developers.c.id == bindparam("key"))
)
STATE = select(developers).order_by(developers.c.id)


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """A developer, and an address that no other turn gives to anybody."""
    return {"key": some_key(turn, table_rows), "address": f"new.{turn:010d}@example.org"}


def updated(turns: Sequence[int], table_rows: int) -> list[tuple[Any, ...]]:
    """The whole table after *turns*; of two turns with one key, the later one stands."""
    rows = {number: developer(number, table_rows) for number in range(1, table_rows + 1)}
    for turn in sorted(turns):
        given = args(turn, table_rows)
        rows[given["key"]]["email"] = given["address"]
    return [tuple(row.values()) for row in rows.values()]


update_email = Scenario(DEVELOPERS, args, state=State(STATE, updated))


@update_email.lane
async def orm(session: AsyncSession, key: int, address: str) -> None:
    """read the entity, change it, let the commit flush it

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#flushing
    """
    found = (await session.scalars(ENTITY, {"key": key})).one()
    found.email = address


@update_email.lane
async def orm_update(session: AsyncSession, key: int, address: str) -> None:
    """one UPDATE through the session, nothing read

    https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#orm-update-and-delete-with-custom-where-criteria
    """
    change = update(Developer).where(Developer.id == key).values(email=address)
    await session.execute(change, execution_options={"synchronize_session": False})


@update_email.lane
async def core(connection: AsyncConnection, key: int, address: str) -> None:
    """read the Row, then UPDATE

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html
    """
    (await connection.execute(READ, {"key": key})).one()
    await connection.execute(CHANGE, {"key": key, "address": address})


@update_email.lane
async def core_update(connection: AsyncConnection, key: int, address: str) -> None:
    """one UPDATE, nothing read

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html
    """
    await connection.execute(CHANGE, {"key": key, "address": address})


@update_email.lane
async def raw(driver: Any, key: int, address: str) -> None:
    """read the row, then UPDATE, on the bare driver"""
    await driver.fetch_one(READ, key)
    await driver.execute(CHANGE, address, key)
