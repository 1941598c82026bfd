"""After the commit: a developer gets a new address, and the response shows the whole row.

By default a commit expires every entity, and in asyncio nothing reloads it by itself. Keeping what
is known costs nothing and may be stale; refreshing costs a checkout and a query.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ormbench.scenario import Scenario, State

from .models import DEVELOPERS, Developer, developer, developers, some_key

ENTITY = select(Developer).where(Developer.id == bindparam("key"))
STATE = select(developers).order_by(developers.c.id)


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """A developer, and an address that no other turn gives to anybody."""
    return {"key": some_key(turn, table_rows), "address": f"new.{turn:010d}@example.org"}


def answer(turn: int, table_rows: int) -> tuple[Any, ...]:
    """The row as it was seeded, with the new address."""
    given = args(turn, table_rows)
    return tuple((developer(given["key"], table_rows) | {"email": given["address"]}).values())


def updated(turns: Sequence[int], table_rows: int) -> list[tuple[Any, ...]]:
    """The whole table after *turns*; of two turns with one key, the later one stands."""
    rows = {one: tuple(developer(one, table_rows).values()) for one in range(1, table_rows + 1)}
    rows |= {some_key(turn, table_rows): answer(turn, table_rows) for turn in sorted(turns)}
    return list(rows.values())


def columns(found: Developer) -> tuple[Any, ...]:
    """What the response shows."""
    return found.id, found.name, found.email, found.specialty, found.created_at


after_commit = Scenario(DEVELOPERS, args, answer, state=State(STATE, updated))


@after_commit.lane
async def kept(sessions: async_sessionmaker[AsyncSession], key: int, address: str) -> Any:
    """expire_on_commit=False: the entity stays as it is

    https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html#preventing-implicit-io-when-using-asyncsession
    """
    async with sessions(expire_on_commit=False) as session:
        found = (await session.scalars(ENTITY, {"key": key})).one()
        found.email = address
        await session.commit()
        return columns(found)


@after_commit.lane
async def refreshed(sessions: async_sessionmaker[AsyncSession], key: int, address: str) -> Any:
    """expire_on_commit=True, the default: refresh() asks for the row again

    https://docs.sqlalchemy.org/en/21/orm/session_state_management.html#refreshing-expiring
    """
    async with sessions(expire_on_commit=True) as session:
        found = (await session.scalars(ENTITY, {"key": key})).one()
        found.email = address
        await session.commit()
        await session.refresh(found)
        return columns(found)
