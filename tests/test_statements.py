"""What a raw lane sends is what Core sends: text and parameters, on a real server."""

import re
from datetime import datetime

import pytest
from mysql_log import connected
from real_targets import marked, required, server_address
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import create_async_engine

from ormbench.errors import UsageError
from ormbench.targets.target import TARGETS

METADATA = MetaData()
pets = Table(
    "pets",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(40)),
    Column("email", String(40)),
    Column("born", DateTime),
)
aged = Table(
    "aged", METADATA, Column("id", Integer, primary_key=True), Column("age", Integer, default=7)
)
BORN = datetime(2024, 1, 1)  # noqa: DTZ001 - the column has no time zone
SCHEMA = "statements"

by_id = select(pets).where(pets.c.id == bindparam("key"))
page = select(pets).where(pets.c.name == bindparam("name")).order_by(pets.c.id).limit(100)
twice = (
    select(pets.c.id)
    .where(or_(pets.c.name == bindparam("word"), pets.c.email == bindparam("word")))
    .where(pets.c.id > bindparam("after"))
    .limit(7)
)
constant_first = select(pets.c.id).where(pets.c.id > 5).where(pets.c.name == bindparam("name"))
percent = select(pets.c.id).where(pets.c.id % 3 == bindparam("left"), pets.c.name.like("a%"))
change = update(pets).values(email=bindparam("address")).where(pets.c.id == bindparam("key"))
born = select(pets.c.id).where(pets.c.born >= bindparam("since"))
add = insert(pets)
count = select(func.count()).select_from(pets)

CASES = {
    "one parameter": (by_id, {"key": 3}),
    "a LIMIT that the statement holds": (page, {"name": "bello"}),
    "a parameter that is named twice": (twice, {"word": "bello", "after": 2}),
    "a constant before the parameter": (constant_first, {"name": "bello"}),
    "percent signs": (percent, {"left": 1}),
    "an UPDATE": (change, {"address": "b@example.org", "key": 3}),
    "a timestamp": (born, {"since": BORN}),
    "no parameter": (count, {}),
}


@pytest.fixture(params=marked(TARGETS))
def target(request):
    return required(request.param)


@pytest.fixture
def statements(target):
    return target.statements()


@pytest.fixture
def address(request, target):
    """Where tables may be made; MySQL and MariaDB cannot roll that back, so it is thrown away."""
    where = server_address(request, target)
    if target.server == "PostgreSQL":
        yield where
        return
    with connected(where) as control, control.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {SCHEMA}")
        try:
            yield target.within(where, SCHEMA)
        finally:
            cursor.execute(f"DROP DATABASE {SCHEMA}")


async def core_sends(address, target, statement, values):
    """Text and parameters that Core hands to the driver, on a table that does not stay."""
    heard = []

    def hear(_connection, _cursor, text, parameters, _context, _many):
        heard.append((text, parameters))

    def work(connection):
        METADATA.create_all(connection, checkfirst=False)
        event.listen(connection.engine, "before_cursor_execute", hear)
        connection.execute(statement, values)
        connection.rollback()

    await within(address, target, work)
    ((text, parameters),) = heard
    return positional(text, parameters)


async def within(address, target, work):
    """Run *work* with a connection of the target's engine, blocking or not."""
    url = address.url(target.drivername)
    if not target.driver.is_async:
        engine = create_engine(url)
        with engine.connect() as connection:
            work(connection)
        engine.dispose()
        return
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(work)
    finally:
        await engine.dispose()


def positional(text, parameters):
    """psycopg's named placeholders as `%s`, in the order in which they stand."""
    names = re.findall(r"%\((\w+)\)s", text)
    if isinstance(parameters, list):
        return re.sub(r"%\(\w+\)s", "%s", text), [positional(text, one)[1] for one in parameters]
    values = tuple(parameters[name] for name in names) if names else tuple(parameters)
    return re.sub(r"%\(\w+\)s", "%s", text), values


@pytest.mark.parametrize("case", CASES)
async def test_text_and_parameters_are_those_of_core(case, address, target, statements):
    statement, values = CASES[case]
    sql, bind = statements[statement]
    given = tuple(values.values())
    sent = sql, bind(given) if bind else given
    assert sent == await core_sends(address, target, statement, values)


async def test_an_insert_of_many_rows_is_that_of_core(address, target, statements):
    if target.driver.name == "psycopg2":
        pytest.skip("Core makes one statement of many here: see the defects of its row")
    rows = [{"name": f"n{n}", "email": f"e{n}", "born": BORN} for n in range(3)]
    text, parameters = await core_sends(address, target, add, rows)
    assert statements.many(add, ("name", "email", "born")) == text
    assert [tuple(row.values()) for row in rows] == parameters


def test_an_insert_of_many_rows_asks_for_no_keys(statements):
    assert "RETURNING" not in statements.many(add, ("name", "email", "born"))


def test_rows_in_an_order_that_core_would_not_keep_are_refused(statements):
    """Core follows the table: without this, e-mail addresses would land among the names."""
    with pytest.raises(UsageError, match=r"got columns email, name; Core inserts name, email"):
        statements.many(add, ("email", "name"))


def test_a_default_that_python_would_make_is_named(statements):
    with pytest.raises(UsageError, match=r"Core inserts id, age"):
        statements.many(insert(aged), ("id",))


def test_a_list_whose_length_is_part_of_the_text_is_refused(statements):
    with pytest.raises(UsageError, match="keys is an IN list"):
        statements[select(pets).where(pets.c.id.in_(bindparam("keys", expanding=True)))]


def test_a_statement_is_compiled_once(statements):
    assert statements[by_id] is statements[by_id]
    for _ in range(3):
        statements.many(add, ("name", "email"))
    assert len(statements.texts) == 2


def test_a_lane_that_builds_its_statement_in_each_call_is_told_so(statements):
    """It would compile on the clock, and keep each one."""

    def call():
        return statements[select(pets).where(pets.c.id == bindparam("key"))]

    for _ in range(100):
        call()
    with pytest.raises(UsageError, match="make it a constant of the module"):
        call()
    assert len(statements) == 100


def test_what_is_no_statement_is_refused(statements):
    with pytest.raises(TypeError, match="is not a statement"):
        statements[pets.c.id.type]
