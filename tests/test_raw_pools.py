"""Raw pools on real servers: what one operation sends, and what it leaves behind."""

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from mysql_log import connected, listening, rows
from real_targets import marked, required, server_address
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    func,
    insert,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import create_async_engine

from ormbench.targets.raw import RawSettings
from ormbench.targets.target import TARGETS

SCHEMA = "raw_pools"
METADATA = MetaData()
notes = Table(
    "notes",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("100%", String(40)),
    Column("size", BigInteger),
)
COLUMNS = ("id", "100%", "size")
ADD = insert(notes)
BY_ID = select(notes).where(notes.c.id == bindparam("key"))
ALL = select(notes.c.id).order_by(notes.c.id)
CHANGE = update(notes).values(size=bindparam("n")).where(notes.c.id == bindparam("key"))
WORDS = select(literal("5%"), literal(7) % bindparam("n"), bindparam("word", type_=String))

HOLDINGS = ("held", "pool", "shipped-pool")
POSTGRESQL = [name for name, target in TARGETS.items() if target.server == "PostgreSQL"]
FAMILY = [name for name, target in TARGETS.items() if target.server != "PostgreSQL"]
SYNC = [name for name, target in TARGETS.items() if not target.driver.is_async]


def control(address):
    """A connection beside those of the pool: it sees what was committed."""
    if address.product == "PostgreSQL":
        return psycopg.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            dbname=address.database,
            options=f"-c search_path={SCHEMA}",
            autocommit=True,
        )
    return connected(address)


@pytest.fixture
def target(request):
    return required(request.param)


@pytest.fixture
def address(request, target):
    """A schema with the empty table, where the target finds it."""
    address = server_address(request, target)
    cascade = " CASCADE" if target.server == "PostgreSQL" else ""
    with control(address) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA}{cascade}")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        made = target.within(address, SCHEMA)
        engine = engine_of(target, made)
        if target.driver.is_async:
            asyncio.run(created(engine))
        else:
            METADATA.create_all(engine)
            engine.dispose()
        yield made
        cursor.execute(f"DROP SCHEMA {SCHEMA}{cascade}")


def engine_of(target, address):
    create = create_async_engine if target.driver.is_async else create_engine
    return create(address.url(target.drivername), connect_args=target.driver.connect_args(SCHEMA))


async def created(engine):
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    await engine.dispose()


def pool_of(target, address, *, size=1, holding="pool", transaction="per-operation"):
    return target.driver.raw(
        RawSettings(address, target.statements(), SCHEMA, size, holding, transaction)
    )


async def done(value):
    return await value if inspect.isawaitable(value) else value


def run(pool, story):
    """Open *pool*, run the coroutine function *story* with its `do(body, *values)`, close it."""
    operations = {}  # a body is bound once, as an arm does it: idle connections are its own

    def do(body, *values):
        if body not in operations:
            operations[body] = pool.bind(body)
        return done(operations[body](values))

    async def all_of_it():
        await done(pool.open())
        try:
            return await story(do)
        finally:
            await done(pool.close())

    return asyncio.run(all_of_it())


# Bodies: plain functions, whose answer an async pool awaits.


def by_id(driver, key):
    return driver.fetch_one(BY_ID, key)


def add(driver, row):
    return driver.execute_many(ADD, [row], COLUMNS)


def add_all(driver, many):
    return driver.execute_many(ADD, many, COLUMNS)


def connection_id(driver):
    return driver.fetch_one(CONNECTION_ID)


CONNECTION_ID = select(func.connection_id())
BACKEND = select(func.pg_backend_pid())


def stored(address):
    with control(address) as connection, connection.cursor() as cursor:
        table = "notes" if address.product == "PostgreSQL" else f"{SCHEMA}.notes"
        cursor.execute(f"SELECT id FROM {table} ORDER BY id")
        return [one for (one,) in cursor.fetchall()]


every_target = pytest.mark.parametrize("target", marked(TARGETS), indirect=True)
every_holding = pytest.mark.parametrize("holding", HOLDINGS)
each_transaction = pytest.mark.parametrize("transaction", ["per-operation", "autocommit"])


@every_target
@every_holding
@each_transaction
def test_what_an_operation_wrote_is_there_for_others(target, address, holding, transaction):
    async def story(do):
        await do(add, (1, "a", 2**40))
        seen = stored(address)
        return seen, tuple(await do(by_id, 1)), await do(by_id, 2)

    pool = pool_of(target, address, holding=holding, transaction=transaction)
    assert run(pool, story) == ([1], (1, "a", 2**40), None)


@every_target
@every_holding
def test_an_operation_that_fails_is_undone_and_its_connection_goes_on(target, address, holding):
    async def story(do):
        await do(add, (1, "a", 1))
        with pytest.raises(Exception, match=r"(?i)duplicate"):
            await do(add_all, [(2, "b", 2), (1, "again", 1)])
        await do(add, (3, "c", 3))
        return stored(address)

    assert run(pool_of(target, address, holding=holding), story) == [1, 3]


@pytest.mark.servers
@pytest.mark.parametrize("target", FAMILY, indirect=True)
def test_an_update_counts_the_rows_that_it_found(target, address):
    """As it does through SQLAlchemy: one that has the value already is among them."""

    async def story(do):
        await do(add, (1, "a", 7))
        return await do(lambda driver: driver.execute(CHANGE, 7, 1))

    assert run(pool_of(target, address), story) == 1


@every_target
@each_transaction
def test_percent_signs_and_any_character_come_through(target, address, transaction):
    word = "100 % €😀 %s '\"\\"

    async def story(do):
        row = await do(lambda driver: driver.fetch_one(WORDS, 4, word))
        await do(add_all, [(n, f"{n} % {word}", n) for n in range(3)])
        rows = await do(lambda driver: driver.fetch_all(select(notes).order_by(notes.c.id)))
        return tuple(row), [tuple(one) for one in rows]

    pool = pool_of(target, address, transaction=transaction)
    assert run(pool, story) == (
        ("5%", 3, word),
        [(n, f"{n} % {word}", n) for n in range(3)],
    )


@pytest.mark.servers
@pytest.mark.parametrize("target", [n for n in FAMILY if n not in SYNC], indirect=True)
def test_a_connection_that_the_drivers_pool_replaces_is_counted(target, address):
    """An idle one that the server closed: the operation succeeds, and has paid for a login."""

    async def story(do):
        (first,) = await do(connection_id)
        before = pool.opened
        with control(address) as other:
            other.cursor().execute(f"KILL {first}")
        await asyncio.sleep(0.2)
        (second,) = await do(connection_id)
        return before, pool.opened, first != second

    pool = pool_of(target, address)
    assert run(pool, story) == (1, 2, True)


@pytest.mark.servers
@pytest.mark.parametrize("target", FAMILY, indirect=True)
@pytest.mark.parametrize("holding", ["held", "pool"])
def test_the_server_takes_it_for_the_same_session_as_through_sqlalchemy(target, address, holding):
    names = ("autocommit", "sql_mode", "character_set_client", "collation_connection")
    asked = select(*(literal_column(f"@@{name}") for name in names))

    async def story(do):
        return tuple(await do(lambda driver: driver.fetch_one(asked)))

    raw = run(pool_of(target, address, holding=holding), story)
    assert raw == asyncio.run(done(session(target, engine_of(target, address), asked)))


def session(target, engine, asked):
    if target.driver.is_async:
        return session_of_async(engine, asked)
    with engine.connect() as connection:
        found = tuple(connection.execute(asked).one())
    engine.dispose()
    return found


async def session_of_async(engine, asked):
    async with engine.connect() as connection:
        found = tuple((await connection.execute(asked)).one())
    await engine.dispose()
    return found


@every_target
@pytest.mark.parametrize("holding", ["held", "pool"])
def test_all_connections_are_open_before_the_first_operation_and_no_other_follows(
    target, address, holding
):
    size = 3
    own_id = BACKEND if target.server == "PostgreSQL" else CONNECTION_ID
    together = asyncio.Barrier(size) if target.driver.is_async else threading.Barrier(size)

    async def async_body(driver):
        (number,) = await driver.fetch_one(own_id)
        await together.wait()
        return number

    def sync_body(driver):
        (number,) = driver.fetch_one(own_id)
        together.wait(10)
        return number

    async def story(do):
        body = async_body if target.driver.is_async else sync_body
        before = pool.opened
        if target.driver.is_async:
            rounds = [await asyncio.gather(*(do(body) for _ in range(size))) for _ in range(3)]
        else:
            operation = pool.bind(body)
            with ThreadPoolExecutor(size) as clients:
                rounds = [list(clients.map(operation, [()] * size)) for _ in range(3)]
        return before, [set(one) for one in rounds], pool.opened

    pool = pool_of(target, address, size=size, holding=holding)
    before, (first, *others), after = run(pool, story)
    assert before == after == size == len(first)
    assert others == [first, first]


@pytest.mark.parametrize("target", marked(SYNC), indirect=True)
@pytest.mark.parametrize("holding", ["held", "pool"])
def test_threads_never_share_a_connection(target, address, holding):
    """Were one shared, an answer would be another thread's, or the driver would lose its place."""
    pool = pool_of(target, address, size=4, holding=holding)
    pool.open()
    try:
        operation = pool.bind(lambda driver, n: driver.fetch_one(WORDS, 4, f"{n}"))
        with ThreadPoolExecutor(4) as clients:
            words = [row[2] for row in clients.map(operation, [(n,) for n in range(400)])]
    finally:
        pool.close()
    assert words == [f"{n}" for n in range(400)]


@pytest.mark.parametrize("target", POSTGRESQL, indirect=True)
@pytest.mark.parametrize("holding", ["held", "pool"])
@each_transaction
def test_postgresql_hears_the_statement_and_a_commit_last(target, address, holding, transaction):
    """No pool sends anything after it; in autocommit the statement itself is the last."""

    async def story(do):
        (backend,) = await do(lambda driver: driver.fetch_one(BACKEND))
        with control(address) as connection:
            return connection.execute(
                "SELECT query, state FROM pg_stat_activity WHERE pid = %s", [backend]
            ).fetchone()

    pool = pool_of(target, address, holding=holding, transaction=transaction)
    query, state = run(pool, story)
    last = "SELECT pg_backend_pid()" if transaction == "autocommit" else "COMMIT"
    assert (query.strip(";").startswith(last), state) == (True, "idle"), query


@pytest.mark.servers
@pytest.mark.parametrize("target", FAMILY, indirect=True)
@every_holding
@each_transaction
def test_mysql_and_mariadb_hear_the_statement_and_a_commit_and_nothing_else(
    target, address, holding, transaction
):
    """Neither a BEGIN before nor a reset after it, whatever the pool."""

    async def story(do):
        (number,) = await do(connection_id)
        with connected(address) as connection, listening(connection, number) as heard:
            for key in (1, 2):
                await do(by_id, key)
        return heard

    pool = pool_of(target, address, holding=holding, transaction=transaction)
    sql = target.statements()[BY_ID].sql
    commit = [] if transaction == "autocommit" else ["COMMIT"]
    assert run(pool, story) == [sql % 1, *commit, sql % 2, *commit]


@pytest.mark.servers
@pytest.mark.parametrize("target", FAMILY, indirect=True)
def test_a_hundred_rows_are_one_statement_and_the_one_that_core_sends(target, address):
    hundred = [(n, f"word {n}", n) for n in range(100)]

    async def story(do):
        (number,) = await do(connection_id)
        with connected(address) as connection, listening(connection, number) as heard:
            await do(add_all, hundred)
        return heard

    raw = run(pool_of(target, address), story)
    with connected(address) as connection:
        rows(connection, f"TRUNCATE {SCHEMA}.notes")
    core = core_heard(target, address, [dict(zip(COLUMNS, row, strict=True)) for row in hundred])
    assert len(raw) == 2
    assert raw == core[:2]
    assert core[2:] == ["ROLLBACK"]  # SQLAlchemy's pool, on return


def core_heard(target, address, many):
    """What the server hears of one Core transaction."""
    engine = engine_of(target, address)

    async def in_async():
        async with engine.connect() as connection:
            (number,) = (await connection.execute(CONNECTION_ID)).one()
        with connected(address) as control_, listening(control_, number) as heard:
            async with engine.begin() as connection:
                await connection.execute(ADD, many)
        await engine.dispose()
        return heard

    def in_sync():
        with engine.connect() as connection:
            (number,) = connection.execute(CONNECTION_ID).one()
        with (
            connected(address) as control_,
            listening(control_, number) as heard,
            engine.begin() as connection,
        ):
            connection.execute(ADD, many)
        engine.dispose()
        return heard

    return asyncio.run(in_async()) if target.driver.is_async else in_sync()


@pytest.mark.servers
@pytest.mark.parametrize("target", FAMILY, indirect=True)
@pytest.mark.parametrize("holding", ["held", "pool"])
def test_where_a_connection_breaks_its_first_error_is_told(target, address, holding):
    """Not that of the rollback which follows, and cannot succeed."""

    async def story(do):
        (number,) = await do(connection_id)
        with connected(address) as connection:
            rows(connection, f"KILL {number}")
        with pytest.raises(Exception, match=r"(?i)lost|gone away|killed|disconnected|4031|2013"):
            await do(by_id, 1)

    run(pool_of(target, address, holding=holding), story)


@pytest.mark.servers
@pytest.mark.parametrize("target", FAMILY, indirect=True)
def test_a_wrong_password_is_an_error_that_does_not_show_it(target, address):
    pool = pool_of(target, replace(address, password="s3cret%s"))

    async def story(do):
        return await do(by_id, 1)

    with pytest.raises(Exception, match=r"(?i)access denied") as error:
        run(pool, story)
    assert "s3cret" not in str(error.value)
