"""Insert defaults: a creation time that Python makes for each row, or the INSERT, or the table.

Three tables that differ in their created_at alone, and the same rows without it, as an application
saves them. Each slice starts from empty tables; the keys are the server's. A lane fills one table,
and the state is that of all three: what is there, and that it was created after the seed's times.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, String, func, insert, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.scenario import Data, Scenario, State

from .models import EPOCH


def utc_now() -> datetime:
    """Now, without a time zone, which is what the column takes."""
    return datetime.now(UTC).replace(tzinfo=None)


class Defaults(DeclarativeBase):
    """The registry of the three tables."""


class Person:
    """What they share."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(120), unique=True)


class ByPython(Person, Defaults):
    """A function of Python is called for each row."""

    __tablename__ = "by_python"
    created_at: Mapped[datetime] = mapped_column(DateTime, default=utc_now)


class ByServer(Person, Defaults):
    """The table has a default; the INSERT does not name the column."""

    __tablename__ = "by_server"
    created_at: Mapped[datetime] = mapped_column(DateTime, server_default=func.now())


class BySql(Person, Defaults):
    """The INSERT says now()."""

    __tablename__ = "by_sql"
    created_at: Mapped[datetime] = mapped_column(DateTime, default=func.now())


CREATED = union_all(
    *(
        select(model.name, model.email, (model.created_at > EPOCH).label("filled"))
        for model in (ByPython, ByServer, BySql)
    )
).subquery()


def args(turn: int, batch: int = 100) -> dict[str, Any]:
    """Rows that no other turn brings, without a time."""
    numbers = range(turn * batch, (turn + 1) * batch)
    return {
        "rows": [
            {"name": f"nadia {number:010d}", "email": f"nadia.{number:010d}@example.org"}
            for number in numbers
        ]
    }


def created(turns: Sequence[int], _table_rows: int, batch: int = 100) -> Iterator[tuple[Any, ...]]:
    """All rows of *turns*, once, each with a time that a default gave it."""
    for turn in sorted(turns):
        yield from ((row["name"], row["email"], True) for row in args(turn, batch)["rows"])


insert_defaults = Scenario(
    Data(Defaults.metadata, lambda _table_rows: ()),
    args,
    state=State(select(CREATED).order_by(CREATED.c.email), created, starts="empty"),
)


@insert_defaults.lane
async def add_all_python(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """default=function, through add_all()

    https://docs.sqlalchemy.org/en/21/core/defaults.html#python-executed-functions
    """
    session.add_all([ByPython(**row) for row in rows])


@insert_defaults.lane
async def add_all_server(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """server_default=func.now(), through add_all()

    https://docs.sqlalchemy.org/en/21/orm/persistence_techniques.html#fetching-server-generated-defaults
    """
    session.add_all([ByServer(**row) for row in rows])


@insert_defaults.lane
async def add_all_sql(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """default=func.now(), through add_all()

    https://docs.sqlalchemy.org/en/21/core/defaults.html#client-invoked-sql-expressions
    """
    session.add_all([BySql(**row) for row in rows])


@insert_defaults.lane
async def insert_python(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """default=function, through insert() with rows

    https://docs.sqlalchemy.org/en/21/core/defaults.html#python-executed-functions
    """
    await session.execute(insert(ByPython), rows)


@insert_defaults.lane
async def insert_server(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """server_default=func.now(), through insert() with rows

    https://docs.sqlalchemy.org/en/21/core/defaults.html#server-invoked-ddl-explicit-default-expressions
    """
    await session.execute(insert(ByServer), rows)


@insert_defaults.lane
async def insert_sql(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """default=func.now(), through insert() with rows

    https://docs.sqlalchemy.org/en/21/core/defaults.html#client-invoked-sql-expressions
    """
    await session.execute(insert(BySql), rows)
