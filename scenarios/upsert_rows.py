"""Upserts: rows come in from another system, and half of them are known here already.

Those get a new specialty, the others become developers. All rows are complete and bring their keys:
the known ones are neighbours, further on in the table each turn, and the new ones nobody else's. Of
an odd number of rows, the odd one is known in odd turns and new in even ones. A table with fewer
rows than half an operation is known as a whole.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, exists, insert, select, update
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Defect, Scenario, State

from .models import DEVELOPERS, Developer, developer, developers

CONFLICT, DUPLICATE = postgresql.insert(developers), mysql.insert(developers)
UPSERT: dict[str, Any] = {  # by dialect
    "postgresql": CONFLICT.on_conflict_do_update(
        index_elements=["id"], set_={"specialty": CONFLICT.excluded.specialty}
    ),
    **dict.fromkeys(
        ("mysql", "mariadb"),
        DUPLICATE.on_duplicate_key_update(specialty=DUPLICATE.inserted.specialty),
    ),
}
KNOWN = select(Developer).where(Developer.id.in_(bindparam("keys", expanding=True)))
CHANGE = update(developers).where(developers.c.id == bindparam("key"))
NEW = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in developers.c}
ADD = insert(developers).from_select(
    list(NEW), select(*NEW.values()).where(~exists().where(developers.c.id == NEW["id"]))
)
STATE = select(developers).order_by(developers.c.id)
MOST_VALUES = {
    "*+asyncpg": Defect(
        "a statement takes 32,767 values, https://github.com/MagicStack/asyncpg/issues/127",
        error="number of query arguments cannot exceed",
    )
}
VALUES_ALONE = dict.fromkeys(
    ("*+asyncmy", "*+pymysql", "mariadb+*"),
    Defect(
        "executemany() fills VALUES alone, https://github.com/PyMySQL/PyMySQL/issues/554",
        error=("not all arguments converted", "format requires a mapping"),
    ),
)


def args(turn: int, table_rows: int, batch: int = 100) -> dict[str, Any]:
    """Rows that are known, then new ones, all with the specialty of this turn."""
    half = min((batch + 1) // 2, table_rows)
    known = min((batch + turn % 2) // 2, table_rows)
    first = 1 + turn % (table_rows // half) * half
    new = 1 + table_rows + turn * batch
    keys = [*range(first, first + known), *range(new, new + batch - known)]
    specialty = f"specialty-t{turn:010d}"
    rows = [developer(key, table_rows) | {"specialty": specialty} for key in keys]
    return {"rows": rows, "specialty": specialty}


def upserted(turns: Sequence[int], table_rows: int, batch: int = 100) -> list[tuple[Any, ...]]:
    """The whole table after *turns*; of two turns with one key, the later one stands."""
    rows = {number: developer(number, table_rows) for number in range(1, table_rows + 1)}
    for turn in sorted(turns):
        rows |= {row["id"]: row for row in args(turn, table_rows, batch)["rows"]}
    return [tuple(rows[key].values()) for key in sorted(rows)]


upsert_rows = Scenario(DEVELOPERS, args, state=State(STATE, upserted))


@upsert_rows.lane
async def merge(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """session.merge() of each row: it flushes the one before, and reads this one

    https://docs.sqlalchemy.org/en/21/orm/session_state_management.html#merging
    """
    for row in rows:
        await session.merge(Developer(**row))


@upsert_rows.lane
async def merge_no_autoflush(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """session.merge() of each row: it reads this one, and all are flushed at the end

    https://docs.sqlalchemy.org/en/21/orm/session_state_management.html#merging
    """
    with session.no_autoflush:
        for row in rows:
            await session.merge(Developer(**row))


@upsert_rows.lane
async def read_then_write(session: AsyncSession, rows: list[dict[str, Any]]) -> None:
    """one SELECT of those that are known, which are changed; add_all() of the others

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#flushing
    """
    found = await session.scalars(KNOWN, {"keys": [row["id"] for row in rows]})
    known = {one.id: one for one in found}
    for row in rows:
        if one := known.get(row["id"]):
            one.specialty = row["specialty"]
    session.add_all([Developer(**row) for row in rows if row["id"] not in known])


@upsert_rows.lane
async def core_insert_update(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """UPDATE of all rows, then INSERT .. SELECT .. WHERE NOT EXISTS of all: any database takes it

    https://docs.sqlalchemy.org/en/21/core/dml.html#sqlalchemy.sql.expression.Insert.from_select
    """
    changes = [{"key": row["id"], "specialty": row["specialty"]} for row in rows]
    await connection.execute(CHANGE, changes)
    await connection.execute(ADD, [{f"new_{name}": row[name] for name in row} for row in rows])


@upsert_rows.lane(known=MOST_VALUES)
async def dialect_values(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """ON CONFLICT or ON DUPLICATE KEY in one statement that lists all rows

    https://docs.sqlalchemy.org/en/21/dialects/postgresql.html#insert-on-conflict-upsert
    """
    await connection.execute(UPSERT[connection.dialect.name].values(rows))


@upsert_rows.lane(known=VALUES_ALONE)
async def dialect_literal(
    connection: AsyncConnection, rows: list[dict[str, Any]], specialty: str
) -> None:
    """ON CONFLICT or ON DUPLICATE KEY with rows, its new value given once instead of by each row

    https://docs.sqlalchemy.org/en/21/dialects/mysql.html#insert-on-duplicate-key-update-upsert
    """
    value = {"specialty": specialty}
    if connection.dialect.name == "postgresql":
        await connection.execute(
            CONFLICT.on_conflict_do_update(index_elements=["id"], set_=value), rows
        )
    else:
        await connection.execute(DUPLICATE.on_duplicate_key_update(value), rows)


@upsert_rows.lane
async def dialect_rows(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """ON CONFLICT or ON DUPLICATE KEY with rows

    https://docs.sqlalchemy.org/en/21/dialects/mysql.html#insert-on-duplicate-key-update-upsert
    """
    await connection.execute(UPSERT[connection.dialect.name], rows)
