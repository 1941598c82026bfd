"""Insert indexes: new people in four tables that differ in their indexes alone.

The same rows, by Core's executemany. Each slice starts from empty tables, so that indexes are small
and in memory: those of a table that outgrew it cost more. A lane fills one table, and the state is
that of all four.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, insert, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from ormbench.scenario import Data, Scenario, State

from .models import EPOCH

INDEXES = MetaData()


def people(name: str, *, email: bool = True, specialty: bool = False, key: bool = False) -> Table:
    """A table with an index on its e-mail addresses, which makes them unique, and on what is said.

    Its primary key has an index in any case; one on the *key* is a second.
    """
    return Table(
        name,
        INDEXES,
        Column("id", Integer, primary_key=True, index=key),
        Column("name", String(80), nullable=False),
        Column("email", String(120), nullable=False, unique=email),
        Column("specialty", String(40), nullable=False, index=specialty),
        Column("created_at", DateTime, nullable=False),
    )


PLAIN = people("plain")
INDEXED = people("indexed", specialty=True)
REDUNDANT = people("redundant", key=True)
BARE = people("bare", email=False)
COLUMNS = ("name", "email", "specialty", "created_at")
INTO_BARE, INTO_PLAIN = insert(BARE), insert(PLAIN)
INTO_INDEXED, INTO_REDUNDANT = insert(INDEXED), insert(REDUNDANT)
CREATED = union_all(
    *(select(*(table.c[name] for name in COLUMNS)) for table in INDEXES.sorted_tables)
).subquery()


def row(number: int) -> dict[str, Any]:
    """New person *number*, without a key."""
    return {
        "name": f"nadia {number:010d}",
        "email": f"nadia.{number:010d}@example.org",
        "specialty": f"specialty-{number % 100:05d}",
        "created_at": EPOCH + timedelta(seconds=number),
    }


def args(turn: int, batch: int = 100) -> dict[str, Any]:
    """Rows that no other turn brings."""
    return {"rows": [row(number) for number in range(turn * batch, (turn + 1) * batch)]}


def created(turns: Sequence[int], _table_rows: int, batch: int = 100) -> Iterator[tuple[Any, ...]]:
    """All rows of *turns*, once, in the order of their e-mail addresses."""
    for turn in sorted(turns):
        yield from (tuple(one.values()) for one in args(turn, batch)["rows"])


insert_indexes = Scenario(
    Data(INDEXES, lambda _table_rows: ()),
    args,
    state=State(select(CREATED).order_by(CREATED.c.email), created, starts="empty"),
)


@insert_indexes.lane
async def plain(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """unique e-mail addresses

    https://docs.sqlalchemy.org/en/21/core/constraints.html#unique-constraint
    """
    await connection.execute(INTO_PLAIN, rows)


@insert_indexes.lane
async def indexed(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """unique e-mail addresses, and an index on the specialty

    https://docs.sqlalchemy.org/en/21/core/constraints.html#indexes
    """
    await connection.execute(INTO_INDEXED, rows)


@insert_indexes.lane
async def redundant(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """unique e-mail addresses, and index=True on the primary key, which makes a second one

    https://docs.sqlalchemy.org/en/21/core/constraints.html#indexes
    """
    await connection.execute(INTO_REDUNDANT, rows)


@insert_indexes.lane
async def bare(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """no index but the primary key's

    https://docs.sqlalchemy.org/en/21/core/constraints.html#indexes
    """
    await connection.execute(INTO_BARE, rows)
