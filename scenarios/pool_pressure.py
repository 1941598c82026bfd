"""Pool pressure: one row by key, and each query keeps its connection busy for 5 ms.

With more clients than connections the others wait: how many connections do so many clients need?
Compare ``--pool 5+10,15+0,nullpool --clients 1,16,64``.
"""

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from ormbench.scenario import Scenario

from .models import DEVELOPERS, Developer, developer, developers, some_key

HOLD_S = 0.005  # of server time, for each row that is found


class Held(FunctionElement[Any]):
    """True, when the server has slept; as a condition it leaves the answer as it is."""

    inherit_cache = True


@compiles(Held, "postgresql")
def _pg_sleep(_element: Held, _compiler: SQLCompiler, **_options: Any) -> str:
    return f"pg_sleep({HOLD_S}) IS NOT NULL"


@compiles(Held, "mysql")
@compiles(Held, "mariadb")
def _sleep(_element: Held, _compiler: SQLCompiler, **_options: Any) -> str:
    return f"SLEEP({HOLD_S}) = 0"


BY_ID = select(developers).where(developers.c.id == bindparam("key"), Held())
ENTITY = select(Developer).where(Developer.id == bindparam("key"), Held())


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """A key, each one once before any repeats."""
    return {"key": some_key(turn, table_rows)}


def answer(turn: int, table_rows: int) -> tuple[Any, ...]:
    """The row, from the seed."""
    return tuple(developer(some_key(turn, table_rows), table_rows).values())


pool_pressure = Scenario(DEVELOPERS, args, answer)


@pool_pressure.lane
async def orm(session: AsyncSession, key: int) -> Developer:
    """an entity

    https://docs.sqlalchemy.org/en/21/core/pooling.html#connection-pool-configuration
    """
    return (await session.scalars(ENTITY, {"key": key})).one()


@pool_pressure.lane
async def core(connection: AsyncConnection, key: int) -> Any:
    """a Row

    https://docs.sqlalchemy.org/en/21/core/pooling.html#connection-pool-configuration
    """
    return (await connection.execute(BY_ID, {"key": key})).one()


@pool_pressure.lane
async def raw(driver: Any, key: int) -> Any:
    """the statement that Core compiles, on the bare driver and its own pool"""
    return await driver.fetch_one(BY_ID, key)
