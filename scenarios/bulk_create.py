"""Bulk create: a hundred new developers in one transaction, the import of an application.

Each slice starts from an empty table. Every turn brings e-mail addresses of its own, and the keys
are the server's.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Scenario, State

from .models import DEVELOPERS, EPOCH, Developer, developers

BATCH = 100
COLUMNS = ("name", "email", "specialty", "created_at")
CREATE = insert(developers)


def row(number: int) -> dict[str, Any]:
    """New developer *number*, without a key."""
    return {
        "name": f"nadia {number:010d}",
        "email": f"nadia.{number:010d}@example.org",
        "specialty": f"specialty-{number % 100:05d}",
        "created_at": EPOCH + timedelta(seconds=number),
    }


def args(turn: int) -> dict[str, Any]:
    """A hundred rows that no other turn brings."""
    return {"rows": [row(number) for number in range(turn * BATCH, (turn + 1) * BATCH)]}


def positional(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same rows as tuples, which is what a driver takes."""
    return {"rows": [tuple(row.values()) for row in given["rows"]]}


def created(turns: Sequence[int], _table_rows: int) -> Iterator[tuple[Any, ...]]:
    """All rows of *turns*, in the order of their e-mail addresses."""
    for turn in sorted(turns):
        yield from positional(args(turn))["rows"]


STATE = select(*(developers.c[name] for name in COLUMNS)).order_by(developers.c.email)
bulk_create = Scenario(DEVELOPERS, args, state=State(STATE, created, starts="empty"))


@bulk_create.lane
async def orm(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """add_all(): entities through the unit of work, which fetches their keys

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#adding-new-or-existing-items
    """
    session.add_all([Developer(**row) for row in rows])


@bulk_create.lane
async def orm_insert(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """insert(Developer) with a list of rows: no entities

    https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#orm-bulk-insert-statements
    """
    await session.execute(insert(Developer), rows)


@bulk_create.lane
async def core(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """Core's insert() with a list of rows

    https://docs.sqlalchemy.org/en/21/tutorial/data_insert.html
    """
    await connection.execute(CREATE, rows)


@bulk_create.lane(prepare=positional)
async def raw(driver: Any, rows: list[tuple[Any, ...]]) -> None:
    """the driver's executemany(), on the statement that Core compiles"""
    await driver.execute_many(CREATE, rows, COLUMNS)
