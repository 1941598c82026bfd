"""Outside call: read a developer, ask somebody else about them, write the answer to the row.

Somebody else is a language model or another service, 5 ms away here, and often much more. Whether
the connection is held meanwhile decides how many of such requests a pool can serve at once.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import Session, sessionmaker

from ormbench.scenario import Scenario, State

from .models import DEVELOPERS, Developer, developer, developers, some_key

OUTSIDE_S = 0.005
ENTITY = select(Developer).where(Developer.id == bindparam("key"))
STATE = select(developers).order_by(developers.c.id)


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """A developer, and the specialty that the outside suggests: no other turn gets the same."""
    return {"key": some_key(turn, table_rows), "suggested": f"suggested-{turn:010d}"}


def written(turns: Sequence[int], table_rows: int) -> list[tuple[Any, ...]]:
    """The whole table after *turns*; of two turns with one key, the later one stands."""
    rows = {number: developer(number, table_rows) for number in range(1, table_rows + 1)}
    for turn in sorted(turns):
        given = args(turn, table_rows)
        rows[given["key"]]["specialty"] = given["suggested"]
    return [tuple(row.values()) for row in rows.values()]


outside_call = Scenario(DEVELOPERS, args, state=State(STATE, written))


@outside_call.lane
async def held(sessions: async_sessionmaker[AsyncSession], key: int, suggested: str) -> None:
    """one transaction, open while the outside is asked

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#when-do-i-construct-a-session-when-do-i-commit-it-and-when-do-i-close-it
    """
    async with sessions.begin() as session:
        found = (await session.scalars(ENTITY, {"key": key})).one()
        await asyncio.sleep(OUTSIDE_S)
        found.specialty = suggested


@outside_call.twin(held)
def held_sync(sessions: sessionmaker[Session], key: int, suggested: str) -> None:
    """The same where the driver blocks."""
    with sessions.begin() as session:
        found = session.scalars(ENTITY, {"key": key}).one()
        time.sleep(OUTSIDE_S)
        found.specialty = suggested


@outside_call.lane
async def released(sessions: async_sessionmaker[AsyncSession], key: int, suggested: str) -> None:
    """two transactions, and no connection between them

    What others wrote to the row meanwhile is not seen: a version column would tell.

    https://docs.sqlalchemy.org/en/21/orm/session_state_management.html
    """
    async with sessions.begin() as session:
        found = (await session.scalars(ENTITY, {"key": key})).one()
    await asyncio.sleep(OUTSIDE_S)
    async with sessions.begin() as session:
        session.add(found)
        found.specialty = suggested


@outside_call.twin(released)
def released_sync(sessions: sessionmaker[Session], key: int, suggested: str) -> None:
    """The same where the driver blocks."""
    with sessions.begin() as session:
        found = session.scalars(ENTITY, {"key": key}).one()
    time.sleep(OUTSIDE_S)
    with sessions.begin() as session:
        session.add(found)
        found.specialty = suggested
