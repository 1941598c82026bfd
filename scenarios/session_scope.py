"""Session scope: a page calls three functions, and each of them asks the database something.

One session for the request is one checkout and one transaction. A session in each function is
three of them, and what they read need not belong together. Three at once want three connections:
with fewer in the pool they wait for each other (``--pool 15+0``).
"""

import asyncio
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ormbench.scenario import Scenario

from .models import DEVELOPERS, PER_SPECIALTY, Developer, developer, some_key, specialty

ENTITY = select(Developer).where(Developer.id == bindparam("key"))
TEAM = select(func.count()).where(Developer.specialty == bindparam("specialty"))
LATEST = select(func.max(Developer.created_at)).where(Developer.specialty == bindparam("specialty"))


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """A developer, and the specialty of that developer's team."""
    key = some_key(turn, table_rows)
    return {"key": key, "team": specialty(key, table_rows)}


def answer(turn: int, table_rows: int) -> list[Any]:
    """The developer, how many the team has, and when the latest of them came."""
    key, teams = some_key(turn, table_rows), max(1, table_rows // PER_SPECIALTY)
    team = range(key % teams or teams, table_rows + 1, teams)
    latest = developer(team[-1], table_rows)["created_at"]
    return [tuple(developer(key, table_rows).values()), len(team), latest]


session_scope = Scenario(DEVELOPERS, args, answer)


def profile(session: Any, key: int) -> Any:
    """The developer; to be awaited where the session is an AsyncSession, like the next two."""
    return session.scalar(ENTITY, {"key": key})


def team_size(session: Any, team: str) -> Any:
    """How many have that specialty."""
    return session.scalar(TEAM, {"specialty": team})


def latest_arrival(session: Any, team: str) -> Any:
    """When the latest of them came."""
    return session.scalar(LATEST, {"specialty": team})


@session_scope.lane
async def per_request(sessions: async_sessionmaker[AsyncSession], key: int, team: str) -> Any:
    """one session for the request

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#when-do-i-construct-a-session-when-do-i-commit-it-and-when-do-i-close-it
    """
    async with sessions.begin() as session:
        found = await profile(session, key)
        return [found, await team_size(session, team), await latest_arrival(session, team)]


@session_scope.lane
async def per_call(sessions: async_sessionmaker[AsyncSession], key: int, team: str) -> Any:
    """a session in each function, one after the other"""
    async with sessions.begin() as session:
        found = await profile(session, key)
    async with sessions.begin() as session:
        size = await team_size(session, team)
    async with sessions.begin() as session:
        return [found, size, await latest_arrival(session, team)]


@session_scope.lane
async def gathered(sessions: async_sessionmaker[AsyncSession], key: int, team: str) -> Any:
    """a session in each function, all three at once

    https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html#using-asyncsession-with-concurrent-tasks
    """

    async def one(ask: Any, about: Any) -> Any:
        async with sessions.begin() as session:
            return await ask(session, about)

    return await asyncio.gather(one(profile, key), one(team_size, team), one(latest_arrival, team))
