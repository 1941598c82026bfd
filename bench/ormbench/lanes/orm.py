"""ORM lanes: one session and one transaction per operation."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.orm import sessionmaker

from ormbench.lane import Body
from ormbench.targets.raw import Operation, SyncOperation
from ormbench.twin import SyncBody


def bind(body: Body, engine: AsyncEngine) -> Operation:
    """Session, checkout, BEGIN, body, flush, COMMIT and return are the operation.

    ``expire_on_commit=False``, because reading an attribute after the commit is not possible in
    asyncio otherwise. On an engine in autocommit it is as with Core's `bind`.
    """
    begin = async_sessionmaker(engine, expire_on_commit=False).begin

    async def operation(values: tuple[Any, ...]) -> Any:
        async with begin() as session:
            return await body(session, *values)

    return operation


def bind_sync(body: SyncBody, engine: Engine) -> SyncOperation:
    """The same where the driver blocks; entities outlive the commit as they do in asyncio."""
    begin = sessionmaker(engine, expire_on_commit=False).begin

    def operation(values: tuple[Any, ...]) -> Any:
        with begin() as session:
            return body(session, *values)

    return operation
