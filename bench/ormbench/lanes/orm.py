"""ORM lanes: one AsyncSession and one transaction per operation."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from ormbench.scenario import Body
from ormbench.targets.raw import Operation


def bind(body: Body, engine: AsyncEngine) -> Operation:
    """Session, checkout, BEGIN, body, flush, COMMIT and return are the operation.

    ``expire_on_commit=False``, because reading an attribute after the commit is not possible in
    asyncio otherwise. On an engine in autocommit the same code sends neither BEGIN nor COMMIT.
    """
    begin = async_sessionmaker(engine, expire_on_commit=False).begin

    async def operation(values: tuple[Any, ...]) -> Any:
        async with begin() as session:
            return await body(session, *values)

    return operation
