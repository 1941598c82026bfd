"""Core lanes: one pooled connection and one transaction per operation, no session."""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from ormbench.lane import Body
from ormbench.targets.raw import Operation, SyncOperation
from ormbench.twin import SyncBody


def bind(body: Body, engine: AsyncEngine) -> Operation:
    """Checkout, BEGIN, body, COMMIT and return are the operation.

    On an engine in autocommit the same code sends no BEGIN; nor a COMMIT, but on MySQL and MariaDB,
    where SQLAlchemy sends COMMIT and ROLLBACK all the same.
    """
    begin = engine.begin

    async def operation(values: tuple[Any, ...]) -> Any:
        async with begin() as connection:
            return await body(connection, *values)

    return operation


def bind_sync(body: SyncBody, engine: Engine) -> SyncOperation:
    """The same where the driver blocks."""
    begin = engine.begin

    def operation(values: tuple[Any, ...]) -> Any:
        with begin() as connection:
            return body(connection, *values)

    return operation
