"""After idle: one developer by key, in an application that nobody used for a while.

Servers and gateways close connections that are idle for long, and a pool does not notice. It can
ask each connection whether it lives before it hands it out (ping), or replace those above an age
(recycle). The timed rounds show what every operation pays for that. Then, in each block, the server
closes all idle connections after a second, by a setting of its own, and operations follow one after
the other: which errors does a user see, and how many?

That second stands for an hour. ``recycle=1`` is to it what ``recycle=3600`` is to a server that
closes after an hour: it is not longer, so it helps. ``recycle=3600`` is longer here, and does
nothing. In the timed rounds ``recycle=1`` connects anew once a second, which an hour's would not.

The first error makes SQLAlchemy replace the whole pool, so that there is one where operations
follow each other. Those that begin at the same moment may have one for each connection.
"""

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Scenario

from .models import DEVELOPERS, Developer, developer, developers, some_key

BY_ID = select(developers).where(developers.c.id == bindparam("key"))
ENTITY = select(Developer).where(Developer.id == bindparam("key"))


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """A key, each one once before any repeats."""
    return {"key": some_key(turn, table_rows)}


def answer(turn: int, table_rows: int) -> tuple[Any, ...]:
    """The row, from the seed."""
    return tuple(developer(some_key(turn, table_rows), table_rows).values())


after_idle = Scenario(DEVELOPERS, args, answer, idle=True)


@after_idle.lane
async def orm(session: AsyncSession, key: int) -> Developer:
    """an entity, on whatever connection the pool hands out

    https://docs.sqlalchemy.org/en/21/core/pooling.html#dealing-with-disconnects
    """
    return (await session.scalars(ENTITY, {"key": key})).one()


@after_idle.lane
async def core(connection: AsyncConnection, key: int) -> Any:
    """a Row, on whatever connection the pool hands out

    https://docs.sqlalchemy.org/en/21/core/pooling.html#dealing-with-disconnects
    """
    return (await connection.execute(BY_ID, {"key": key})).one()
