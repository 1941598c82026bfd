"""Autoflush: three times in a request an entity is changed, then something else is asked.

With autoflush each question first sends the change before it; without, all changes go at the
commit. That is no switch for speed alone: without it a question does not see what is pending.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ormbench.scenario import Scenario, State

from .models import DEVELOPERS, Developer, developer, developers, some_key

TIMES = 3
ENTITY = select(Developer).where(Developer.id == bindparam("key"))
NAME = select(Developer.name).where(Developer.id == bindparam("key"))
STATE = select(developers).order_by(developers.c.id)
Changes = list[tuple[int, str]]


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """Three keys with a new address each, which no other turn gives to anybody."""
    numbers = range(TIMES * turn, TIMES * turn + TIMES)
    return {
        "changes": [(some_key(one, table_rows), f"new.{one:010d}@example.org") for one in numbers]
    }


def answer(turn: int, table_rows: int) -> list[Any]:
    """What else was asked: the name of each, which stays as it was seeded."""
    changes = args(turn, table_rows)["changes"]
    return [developer(key, table_rows)["name"] for key, _ in changes]


def updated(turns: Sequence[int], table_rows: int) -> list[tuple[Any, ...]]:
    """The whole table after *turns*; of two changes of one row, the later one stands."""
    rows = {one: developer(one, table_rows) for one in range(1, table_rows + 1)}
    for turn in sorted(turns):
        for key, address in args(turn, table_rows)["changes"]:
            rows[key]["email"] = address
    return [tuple(row.values()) for row in rows.values()]


autoflush = Scenario(DEVELOPERS, args, answer, state=State(STATE, updated))


@autoflush.lane
async def on(sessions: async_sessionmaker[AsyncSession], changes: Changes) -> list[Any]:
    """autoflush=True, the default: each change goes before the next question

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#flushing
    """
    names = []
    async with sessions.begin() as session:
        for key, address in changes:
            found = (await session.scalars(ENTITY, {"key": key})).one()
            found.email = address
            names.append(await session.scalar(NAME, {"key": key}))
    return names


@autoflush.lane
async def off(sessions: async_sessionmaker[AsyncSession], changes: Changes) -> list[Any]:
    """autoflush=False: all changes go together at the commit

    https://docs.sqlalchemy.org/en/21/orm/session_api.html#sqlalchemy.orm.Session.params.autoflush
    """
    names = []
    async with sessions(autoflush=False) as session:
        for key, address in changes:
            found = (await session.scalars(ENTITY, {"key": key})).one()
            found.email = address
            names.append(await session.scalar(NAME, {"key": key}))
        await session.commit()
    return names
