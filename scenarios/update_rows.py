"""Updates: some developers get another specialty in one transaction, one of them or ten thousand.

From how many rows on does it pay to change them in another way? All rows of an operation are
neighbours and get one value, so that a single UPDATE .. BETWEEN can do what others do with a
statement or a parameter for each row; most applications have a value for each row, and no such
statement. Each turn brings a value that no other brings, and goes on to the next rows.

What is changed is an indexed column. Of one without an index PostgreSQL may leave the indexes
alone, but only where the row's page has room: the same update would cost less the more have been.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, column, select, text, update, values
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Defect, Scenario, State

from .models import DEVELOPERS, Developer, developer, developers

Rows = list[dict[str, Any]]

CHANGE = (
    update(developers)
    .values(specialty=bindparam("given"))
    .where(developers.c.id == bindparam("key"))
)
NEIGHBOURS = developers.c.id.between(bindparam("first"), bindparam("last"))
ENTITIES = select(Developer).where(NEIGHBOURS)
CHANGE_ALL = update(developers).values(specialty=bindparam("given")).where(NEIGHBOURS)
CHANGED = CHANGE_ALL.returning(developers)
LIST = values(
    column("key", developers.c.id.type), column("given", developers.c.specialty.type), name="list"
)
FROM_JSON = text(
    "UPDATE developers JOIN JSON_TABLE(:rows, '$[*]' COLUMNS "
    "(`key` INTEGER PATH '$.key', given VARCHAR(40) PATH '$.given')) AS list "
    "ON developers.id = list.`key` SET developers.specialty = list.given"
)
STATE = select(developers).order_by(developers.c.id)
ENDLESS = 1_000_000_000  # turns: an updated row can be updated again


def window(turn: int, table_rows: int, batch: int) -> range:
    """The keys of a turn: the table in parts of *batch* rows, of which each turn takes the next."""
    parts = max(1, table_rows // batch)
    first = 1 + turn % parts * batch
    return range(first, first + batch)


def args(turn: int, table_rows: int, batch: int = 100) -> dict[str, Any]:
    """Keys from *first* to *last*, and what all of them get; the same by row."""
    keys, given = window(turn, table_rows, batch), f"specialty-t{turn:010d}"
    rows = [{"key": key, "given": given} for key in keys]
    return {"first": keys[0], "last": keys[-1], "given": given, "rows": rows}


def by_column(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The rows as the ORM takes them: named by attribute."""
    return {"rows": [{"id": row["key"], "specialty": row["given"]} for row in inputs["rows"]]}


def positional(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The rows as a driver takes them: tuples, in the order of the statement's parameters."""
    return {"rows": [(row["given"], row["key"]) for row in inputs["rows"]]}


def updated(turns: Sequence[int], table_rows: int, batch: int = 100) -> list[tuple[Any, ...]]:
    """The whole table after *turns*; of two turns with one key, the later one stands."""
    rows = {number: developer(number, table_rows) for number in range(1, table_rows + 1)}
    for turn in sorted(turns):
        given = args(turn, table_rows, batch)
        for row in given["rows"]:
            rows[row["key"]]["specialty"] = row["given"]
    return [tuple(row.values()) for row in rows.values()]


def lasts(table_rows: int, batch: int = 100) -> int:
    """Without end, where the table has the rows of one operation."""
    return ENDLESS if batch <= table_rows else 0


update_rows = Scenario(DEVELOPERS, args, state=State(STATE, updated, lasts=lasts))


@update_rows.lane
async def dirty_flush(session: AsyncSession, first: int, last: int, given: str) -> None:
    """read the entities with one SELECT, change them, let the commit flush them

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#flushing
    """
    for one in await session.scalars(ENTITIES, {"first": first, "last": last}):
        one.specialty = given


@update_rows.lane(prepare=by_column)
async def orm_by_key(session: AsyncSession, rows: Rows) -> None:
    """update(Developer) with a list of rows that hold their keys: no entities

    https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#orm-bulk-update-by-primary-key
    """
    await session.execute(update(Developer), rows)


@update_rows.lane
async def each(connection: AsyncConnection, rows: Rows) -> None:
    """Core's update(), one execute() for each row

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html
    """
    for row in rows:
        await connection.execute(CHANGE, row)


@update_rows.lane
async def core_many(connection: AsyncConnection, rows: Rows) -> None:
    """Core's update() with a list of rows

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html#the-update-sql-expression-construct
    """
    await connection.execute(CHANGE, rows)


@update_rows.lane(
    known={
        "*+asyncpg": Defect(
            "a statement has 32,767 parameters at most, here 16,383 rows, "
            "https://github.com/MagicStack/asyncpg/issues/127",
            error="number of query arguments cannot exceed",
        )
    }
)
async def from_values(connection: AsyncConnection, rows: Rows) -> None:
    """one UPDATE that lists all rows: FROM (VALUES ..), where there is none JOIN JSON_TABLE(..)

    https://docs.sqlalchemy.org/en/21/core/selectable.html#sqlalchemy.sql.expression.values
    """
    if connection.dialect.name == "postgresql":
        listed = LIST.data([(row["key"], row["given"]) for row in rows])
        change = update(developers).values(specialty=listed.c.given)
        await connection.execute(change.where(developers.c.id == listed.c.key))
    else:
        await connection.execute(FROM_JSON, {"rows": json.dumps(rows)})


@update_rows.lane(needs=("UPDATE RETURNING",))
async def returning(connection: AsyncConnection, first: int, last: int, given: str) -> None:
    """one UPDATE for all rows, and the rows back

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html#using-returning-with-update-delete
    """
    (await connection.execute(CHANGED, {"first": first, "last": last, "given": given})).all()


@update_rows.lane
async def set_based(connection: AsyncConnection, first: int, last: int, given: str) -> None:
    """one UPDATE for all rows

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html#the-update-sql-expression-construct
    """
    await connection.execute(CHANGE_ALL, {"first": first, "last": last, "given": given})


@update_rows.lane(prepare=positional)
async def raw(driver: Any, rows: list[tuple[Any, ...]]) -> None:
    """the driver's executemany(), on the statement that Core compiles"""
    await driver.execute_many(CHANGE, rows, ("given", "key"))
