"""Inserts: some new developers in one transaction, one of them or ten thousand.

An application has rows and wants them stored; from how many rows on does it pay to do that in
another way? Each lane is a strategy. Each slice starts from an empty table, each turn brings e-mail
addresses of its own. All lanes begin with the rows, and what a strategy makes of them, entities,
lists of one column, a file, it makes on the clock; bare drivers are given tuples.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ARRAY, bindparam, func, insert, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker

from ormbench.scenario import Defect, Scenario, State

from .bulk_create import COLUMNS, CREATE, STATE, positional
from .bulk_create import row as new_row
from .models import DEVELOPERS, Developer, developers

Rows = list[dict[str, Any]]
Tuples = list[tuple[Any, ...]]

ENTITIES = insert(Developer).returning(Developer, sort_by_parameter_order=True)
KEYS = CREATE.returning(developers.c.id, sort_by_parameter_order=True)
PAGES = {"insertmanyvalues_page_size": 100}
ONE = CREATE.values({name: bindparam(name) for name in COLUMNS}).inline()  # asks for no key
TEXT = sql(
    "INSERT INTO developers (name, email, specialty, created_at) "
    "VALUES (:name, :email, :specialty, :created_at)"
)
LISTS = [bindparam(name, type_=ARRAY(developers.c[name].type)) for name in COLUMNS]
UNNEST = insert(developers).from_select(
    COLUMNS, select(func.unnest(*LISTS).table_valued(*COLUMNS).render_derived())
)


def args(turn: int, batch: int = 100) -> dict[str, Any]:
    """Rows that no other turn brings, and the first of as many keys that no other turn has."""
    first = turn * batch
    return {
        "rows": [new_row(number) for number in range(first, first + batch)],
        "first_key": first + 1,
    }


def created(turns: Sequence[int], _table_rows: int, batch: int = 100) -> Iterator[tuple[Any, ...]]:
    """All rows of *turns*, in the order of their e-mail addresses."""
    for turn in sorted(turns):
        yield from positional(args(turn, batch))["rows"]


insert_rows = Scenario(DEVELOPERS, args, state=State(STATE, created, starts="empty"))


@insert_rows.lane
async def each_commit(sessions: async_sessionmaker[AsyncSession], rows: Rows) -> None:
    """a session and a commit for each row: a row is stored, whatever becomes of the next

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#framing-out-a-begin-commit-rollback-block
    """
    for row in rows:
        async with sessions.begin() as session:
            session.add(Developer(**row))


@insert_rows.lane
async def each_flush(session: AsyncSession, rows: Rows) -> None:
    """add() and flush() for each row, one commit

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#flushing
    """
    for row in rows:
        session.add(Developer(**row))
        await session.flush()


@insert_rows.lane
async def add_all(session: AsyncSession, rows: Rows) -> None:
    """entities through the unit of work, which fetches the keys that the server makes

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#adding-new-or-existing-items
    """
    session.add_all([Developer(**row) for row in rows])


@insert_rows.lane
async def add_all_keys(session: AsyncSession, rows: Rows, first_key: int) -> None:
    """the same with entities that bring their keys

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#adding-new-or-existing-items
    """
    session.add_all([Developer(id=key, **row) for key, row in enumerate(rows, first_key)])


@insert_rows.lane
async def bulk_objects(session: AsyncSession, rows: Rows) -> None:
    """bulk_save_objects(), the legacy call with entities

    https://docs.sqlalchemy.org/en/21/orm/session_api.html#sqlalchemy.orm.Session.bulk_save_objects
    """
    await session.run_sync(lambda one: one.bulk_save_objects([Developer(**row) for row in rows]))


@insert_rows.lane
async def bulk_mappings(session: AsyncSession, rows: Rows) -> None:
    """bulk_insert_mappings(), the legacy call with rows

    https://docs.sqlalchemy.org/en/21/orm/session_api.html#sqlalchemy.orm.Session.bulk_insert_mappings
    """
    await session.run_sync(lambda one: one.bulk_insert_mappings(Developer, rows))


@insert_rows.lane
async def orm_insert(session: AsyncSession, rows: Rows) -> None:
    """insert(Developer) with a list of rows: no entities

    https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#orm-bulk-insert-statements
    """
    await session.execute(insert(Developer), rows)


@insert_rows.lane(needs=("INSERT RETURNING",))
async def orm_returning(session: AsyncSession, rows: Rows) -> None:
    """insert(Developer) with a list of rows, and the entities back, in their order

    https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#getting-new-objects-with-returning
    """
    (await session.scalars(ENTITIES, rows)).all()


@insert_rows.lane
async def core_each(connection: AsyncConnection, rows: Rows) -> None:
    """Core's insert(), one execute() for each row

    https://docs.sqlalchemy.org/en/21/tutorial/data_insert.html
    """
    for row in rows:
        await connection.execute(CREATE, row)


@insert_rows.lane
async def core(connection: AsyncConnection, rows: Rows) -> None:
    """Core's insert() with a list of rows

    https://docs.sqlalchemy.org/en/21/tutorial/data_insert.html
    """
    await connection.execute(CREATE, rows)


@insert_rows.lane(needs=("INSERT RETURNING",))
async def core_returning(connection: AsyncConnection, rows: Rows) -> None:
    """Core's insert() with a list of rows, and the keys back, in their order

    https://docs.sqlalchemy.org/en/21/core/connections.html#correlating-returning-rows-to-parameter-sets
    """
    (await connection.scalars(KEYS, rows)).all()


@insert_rows.lane(needs=("INSERT RETURNING",))
async def core_pages(connection: AsyncConnection, rows: Rows) -> None:
    """the same in statements of a hundred rows, where the default is a thousand

    https://docs.sqlalchemy.org/en/21/core/connections.html#controlling-the-batch-size
    """
    (await connection.scalars(KEYS, rows, execution_options=PAGES)).all()


@insert_rows.lane(
    known={
        "postgresql+asyncpg": Defect(
            "a statement has 32,767 parameters at most, here 8,191 rows, "
            "https://github.com/MagicStack/asyncpg/issues/127",
            error="number of query arguments cannot exceed",
        )
    }
)
async def core_values(connection: AsyncConnection, rows: Rows) -> None:
    """insert().values() of all rows: a statement that is compiled anew for each list

    https://docs.sqlalchemy.org/en/21/core/dml.html#sqlalchemy.sql.expression.Insert.values
    """
    await connection.execute(CREATE.values(rows))


@insert_rows.lane(needs=("arrays",))
async def unnest(connection: AsyncConnection, rows: Rows) -> None:
    """one INSERT .. SELECT from arrays, one for each column

    https://www.postgresql.org/docs/current/functions-array.html
    """
    lists = {name: [row[name] for row in rows] for name in COLUMNS}
    await connection.execute(UNNEST, lists)


@insert_rows.lane
async def text(connection: AsyncConnection, rows: Rows) -> None:
    """a statement as text, with a list of rows

    https://docs.sqlalchemy.org/en/21/tutorial/dbapi_transactions.html#sending-multiple-parameters
    """
    await connection.execute(TEXT, rows)


@insert_rows.lane(prepare=positional)
async def raw(driver: Any, rows: Tuples) -> None:
    """the driver's executemany(), on the statement that Core compiles"""
    await driver.execute_many(CREATE, rows, COLUMNS)


@insert_rows.lane(prepare=positional, needs=("pipeline",))
async def pipeline(driver: Any, rows: Tuples) -> None:
    """psycopg's pipeline: an execute() for each row, and nobody waits for an answer

    https://www.psycopg.org/psycopg3/docs/advanced/pipeline.html
    """
    async with driver.pipeline():
        for row in rows:
            await driver.execute(ONE, *row)


@insert_rows.lane(prepare=positional, needs=("COPY",))
async def copy(driver: Any, rows: Tuples) -> None:
    """COPY as text, which server and client have to read and to write

    https://www.psycopg.org/psycopg3/docs/basic/copy.html
    """
    await driver.copy(developers, COLUMNS, rows)


@insert_rows.lane(prepare=positional, needs=("binary COPY",))
async def copy_binary(driver: Any, rows: Tuples) -> None:
    """COPY in PostgreSQL's binary format, asyncpg's copy_records_to_table()

    https://magicstack.github.io/asyncpg/current/api/index.html#asyncpg.connection.Connection.copy_records_to_table
    """
    await driver.copy_binary(developers, COLUMNS, rows)


@insert_rows.lane(
    prepare=positional,
    needs=("LOAD DATA",),
    known={
        "*+asyncmy": Defect(
            "LOAD DATA LOCAL still fails in 0.2.18, and the connection with it, "
            "https://github.com/long2ice/asyncmy/issues/88",
            error="Argument 'filename' has incorrect type",
        )
    },
)
async def load_data(driver: Any, rows: Tuples) -> None:
    """LOAD DATA LOCAL INFILE; writing the file is part of it, as it is for who has rows

    https://dev.mysql.com/doc/refman/8.4/en/load-data.html
    """
    await driver.load_data(developers, COLUMNS, rows)
