"""What the rows say of drivers, held against real servers through SQLAlchemy and by themselves."""

import asyncio
import io
from dataclasses import replace

import pytest
from mysql_log import connected, rows
from real_targets import marked, required, server_address
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    bindparam,
    create_engine,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from ormbench.cli.listing import KINDS
from ormbench.targets.raw import RawSettings
from ormbench.targets.target import TARGETS

LEVELS = ("AUTOCOMMIT", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
NAMES = list(TARGETS)
POSTGRESQL = [name for name in NAMES if TARGETS[name].server == "PostgreSQL"]
FAMILY = [name for name in NAMES if TARGETS[name].server != "PostgreSQL"]
SCHEMA = "drivers"
items = Table("items", MetaData(), Column("id", Integer, primary_key=True), Column("v", Integer))
FIFTY = [{"id": n, "v": n} for n in range(1, 51)]


def able(ability):
    """The targets whose row lists *ability*."""
    return [name for name in NAMES if ability in TARGETS[name].driver.abilities]


@pytest.fixture
def target(request):
    return required(request.param)


@pytest.fixture
def address(request, target):
    """Where the empty table is."""
    where = server_address(request, target)
    drop = f"DROP SCHEMA IF EXISTS {SCHEMA}" + CASCADE.get(target.server, "")
    control = TARGETS[f"{target.server.lower()}+{CONTROL[target.server]}"]
    engine = create_engine(where.url(control.drivername), isolation_level="AUTOCOMMIT")
    made = target.within(where, SCHEMA)
    with engine.connect() as connection:
        connection.execute(text(drop))
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        items.to_metadata(MetaData(), schema=SCHEMA).create(connection)
        yield made
        connection.execute(text(drop))
    engine.dispose()


CASCADE = {"PostgreSQL": " CASCADE"}
CONTROL = {"PostgreSQL": "psycopg_sync", "MySQL": "pymysql", "MariaDB": "pymysql"}


def through_sqlalchemy(target, address, work, *, connect_args=None, **options):
    """*work*, given a (sync) connection in a transaction, on an engine as a run makes it."""
    options["connect_args"] = target.driver.connect_args(SCHEMA) | (connect_args or {})
    url = address.url(target.drivername)

    async def in_async():
        engine = create_async_engine(url, **options)
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(work)
        finally:
            await engine.dispose()

    if target.driver.is_async:
        return asyncio.run(in_async())
    engine = create_engine(url, **options)
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


def by_itself(target, address, work):
    """*work*, given the driver's own connection in the way of the raw lane."""

    async def body(driver):
        return await work(driver.connection)

    def sync_body(driver):
        return asyncio.run(work(driver.connection))

    settings = RawSettings(address, target.statements(), SCHEMA, 1, "held", "per-operation")
    pool = target.driver.raw(settings)

    async def in_async():
        await pool.open()
        try:
            return await pool.bind(body)(())
        finally:
            await pool.close()

    if target.driver.is_async:
        return asyncio.run(in_async())
    pool.open()
    try:
        return pool.bind(sync_body)(())
    finally:
        pool.close()


every_target = pytest.mark.parametrize("target", marked(NAMES), indirect=True)
of_the_family = pytest.mark.parametrize("target", FAMILY, indirect=True)


@every_target
@pytest.mark.parametrize("level", LEVELS)
def test_sqlalchemy_takes_the_isolation_levels_of_the_row_and_refuses_others(
    target, address, level
):
    def look(connection):
        if target.server == "PostgreSQL":
            shown = connection.execute(text("SHOW transaction_isolation")).scalar_one()
            numbers = [connection.execute(text("SELECT txid_current()")).scalar_one() for _ in "ab"]
            return shown.upper(), len(set(numbers)) == 2
        name = "transaction_isolation" if target.server == "MySQL" else "tx_isolation"
        shown, alone = connection.execute(text(f"SELECT @@{name}, @@autocommit")).one()
        return shown.replace("-", " "), bool(alone)

    if level not in target.driver.isolation_levels:
        with pytest.raises(ArgumentError, match="Invalid value"):
            through_sqlalchemy(target, address, look, isolation_level=level)
        return
    shown, autocommit = through_sqlalchemy(target, address, look, isolation_level=level)
    assert autocommit == (level == "AUTOCOMMIT")
    assert autocommit or shown == level


@every_target
@pytest.mark.parametrize("kind", ["INSERT", "UPDATE", "DELETE"])
def test_returning_works_where_the_target_says_so_and_only_there(target, address, kind):
    statement = {
        "INSERT": insert(items).values(id=2, v=2).returning(items.c.id),
        "UPDATE": update(items).values(v=3).returning(items.c.id),
        "DELETE": delete(items).returning(items.c.id),
    }[kind]

    def work(connection):
        connection.execute(insert(items).values(id=1, v=1))
        return connection.execute(statement).all()

    if f"{kind} RETURNING" in target.abilities:
        assert through_sqlalchemy(target, address, work) == [(2 if kind == "INSERT" else 1,)]
        return
    with pytest.raises(DBAPIError, match="1064"):
        through_sqlalchemy(target, address, work)


@pytest.mark.parametrize("target", marked(able("server-side cursor")), indirect=True)
def test_a_server_side_cursor_leaves_the_rows_at_the_server(target, address):
    """While it is open, PostgreSQL has a cursor, MySQL and MariaDB are still sending."""
    megabytes = text("SELECT a.id, repeat('x', 4000) FROM items AS a, items AS b")

    def stream(connection):
        number = connection.execute(text(OWN_ID[target.server])).scalar_one()
        connection.execute(insert(items), FIFTY)
        result = connection.execution_options(stream_results=True).execute(megabytes)
        first = result.fetchone()
        seen = still_open(target, address, connection, number)
        result.close()
        return tuple(first), seen

    first, seen = through_sqlalchemy(target, address, stream)
    assert (len(first), seen) == (2, True)


OWN_ID = {
    "PostgreSQL": "SELECT pg_backend_pid()",
    "MySQL": "SELECT connection_id()",
    "MariaDB": "SELECT connection_id()",
}


def still_open(target, address, connection, number):
    if target.server == "PostgreSQL":
        return connection.execute(text("SELECT count(*) FROM pg_cursors")).scalar_one() > 1
    sql = "SELECT COMMAND FROM information_schema.PROCESSLIST WHERE ID = %s"
    with connected(address) as control:
        return rows(control, sql, number) == (("Query",),)


@pytest.mark.parametrize("target", marked(able("statement cache")), indirect=True)
def test_a_statement_cache_lets_the_server_see_prepared_statements(target, address):
    again = select(items).where(items.c.id == bindparam("key"))
    counted = {
        "PostgreSQL": "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%items%'",
        "MySQL": "SHOW SESSION STATUS LIKE 'Com_stmt_execute'",
        "MariaDB": "SHOW SESSION STATUS LIKE 'Com_stmt_execute'",
    }[target.server]

    def work(connection):
        for key in range(7):
            connection.execute(again, {"key": key}).all()
        return int(connection.execute(text(counted)).one()[-1])

    switched_on = {"stmt_cache_size": 10} if target.driver.name == "asyncmy" else None
    assert through_sqlalchemy(target, address, work, connect_args=switched_on) >= 1


@pytest.mark.parametrize("target", able("COPY"), indirect=True)
def test_copy_brings_rows_in(target, address):
    async def work(connection):
        many = [(n, n) for n in range(5)]
        if hasattr(connection.cursor(), "copy_expert"):
            lines = io.StringIO("".join(f"{a}\t{b}\n" for a, b in many))
            connection.cursor().copy_expert("COPY items FROM STDIN", lines)
        elif target.driver.is_async:
            async with connection.cursor().copy("COPY items FROM STDIN") as copy:
                for row in many:
                    await copy.write_row(row)
        else:
            with connection.cursor().copy("COPY items FROM STDIN") as copy:
                for row in many:
                    copy.write_row(row)
        return len(many)

    assert by_itself(target, address, work) == stored(target, address) == 5


def stored(target, address):
    return through_sqlalchemy(
        target, address, lambda connection: len(connection.execute(select(items)).all())
    )


@pytest.mark.parametrize("target", able("pipeline"), indirect=True)
def test_a_pipeline_sends_a_statement_before_the_answer_to_the_last(target, address):
    async def work(connection):
        if target.driver.is_async:
            async with connection.pipeline():
                cursors = [await connection.execute("SELECT %s::int", [n]) for n in range(3)]
                early = [cursor.statusmessage for cursor in cursors]
            return early, [(await cursor.fetchone())[0] for cursor in cursors]
        with connection.pipeline():
            cursors = [connection.execute("SELECT %s::int", [n]) for n in range(3)]
            early = [cursor.statusmessage for cursor in cursors]
        return early, [cursor.fetchone()[0] for cursor in cursors]

    assert by_itself(target, address, work) == ([None, None, None], [0, 1, 2])


def load(target, address, path):
    path.write_text("".join(f"{n}\t{n}\n" for n in range(1, 21)))
    sql = f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE items (id, v)"
    return through_sqlalchemy(
        target,
        address,
        lambda connection: connection.exec_driver_sql(sql).rowcount,
        connect_args={"local_infile": True},
    )


@pytest.mark.servers
@of_the_family
def test_load_data_brings_rows_in_where_the_row_says_so(target, address, tmp_path):
    """And where it is known to fail, asyncmy still does: its row can change when this does."""
    assert "LOAD DATA" in target.driver.abilities
    if not known(target, "LOAD DATA LOCAL fails"):
        assert load(target, address, tmp_path / "rows.tsv") == stored(target, address) == 20
        return
    with pytest.raises(DBAPIError, match="Packet sequence number wrong"):
        load(target, address, tmp_path / "rows.tsv")


# Defects that a row names: a test fails when a driver no longer has one.


def statements_of(target, address, statement, many):
    """How many statements the server counted for one execute() with *many* rows."""
    questions = text("SHOW SESSION STATUS LIKE 'Questions'")

    def work(connection):
        before = int(connection.execute(questions).one()[1])
        connection.execute(statement, many)
        return int(connection.execute(questions).one()[1]) - before - 1

    return through_sqlalchemy(target, address, work)


def known(target, word):
    return any(word in defect for defect in target.driver.defects)


@pytest.mark.servers
@of_the_family
def test_text_without_spaces_around_values_is_sent_row_by_row_where_it_is_known(target, address):
    close = text("INSERT INTO items(id, v) VALUES(:id, :v)")
    sent = statements_of(target, address, close, FIFTY)
    assert sent == (50 if known(target, "spaces around VALUES") else 1)


@pytest.mark.servers
@of_the_family
def test_an_upsert_is_sent_row_by_row_where_it_is_known(target, address):
    upsert = mysql_insert(items)
    upsert = upsert.on_duplicate_key_update(v=upsert.inserted.v)
    sent = statements_of(target, address, upsert, FIFTY)
    row_by_row = target.server == "MySQL" and known(target, "AS new")
    assert sent == (50 if row_by_row else 1)


@pytest.mark.servers
@of_the_family
def test_an_upsert_of_a_constant_is_an_error_where_it_is_known(target, address):
    upsert = mysql_insert(items).on_duplicate_key_update(v=5)
    if target.server == "MySQL" and known(target, "on MariaDB on_duplicate"):
        assert statements_of(target, address, upsert, FIFTY) == 50
        return
    assert known(target, "of a constant")
    with pytest.raises((TypeError, DBAPIError), match=r"not all arguments|requires a mapping"):
        statements_of(target, address, upsert, FIFTY)


@pytest.mark.parametrize("target", ["postgresql+psycopg2"], indirect=True)
def test_executemany_of_psycopg2_is_sent_row_by_row_and_core_makes_one_statement(target, address):
    """As its row says; seen in the last statement that the server got."""
    assert known(target, "row by row")
    last = text("SELECT query FROM pg_stat_activity WHERE query LIKE 'INSERT INTO items%'")

    def look():
        engine = create_engine(address.url("postgresql+psycopg"))
        with engine.connect() as connection:
            found = connection.execute(last).scalar_one()
        engine.dispose()
        return found.replace(" ", "").count("),(") + 1

    async def raw(connection):
        many = [(row["id"], row["v"]) for row in FIFTY]
        connection.cursor().executemany("INSERT INTO items (id, v) VALUES (%s, %s)", many)
        seen = look()
        connection.rollback()
        return seen

    def core(connection):
        connection.execute(insert(items), FIFTY)
        return look()

    assert by_itself(target, address, raw) == 1
    assert through_sqlalchemy(target, address, core) == 50


def test_a_driver_that_is_not_there_says_what_to_install():
    target = TARGETS["mysql+mysqldb"]
    gone = replace(target, driver=replace(target.driver, module="no_such_module"))
    assert "mysqlclient is not installed: pip install mysqlclient" in gone.missing()
    assert TARGETS["postgresql+asyncpg"].missing() is None


def test_every_target_has_the_raw_lane_that_others_are_held_against():
    assert [name for name in NAMES if "raw" in TARGETS[name].unsupported] == []


def test_the_listing_fits_a_hundred_columns_and_names_every_target():
    lines = [f"  {line}" for line in KINDS["targets"]()]
    assert max(map(len, lines)) <= 100
    assert [line.split(":")[0].strip() for line in lines if line[2] != " "] == NAMES


CIPHER = {
    "PostgreSQL": "SELECT 'ssl', CASE WHEN ssl THEN cipher ELSE '' END "
    "FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    "MySQL": "SHOW STATUS LIKE 'Ssl_cipher'",
    "MariaDB": "SHOW STATUS LIKE 'Ssl_cipher'",
}


@every_target
def test_no_driver_encrypts_where_the_others_do_not(target, address):
    asked = text(CIPHER[target.server])
    engine_s = through_sqlalchemy(
        target, address, lambda connection: connection.execute(asked).one()
    )
    assert tuple(engine_s) == (engine_s[0], "")
    settings = RawSettings(address, target.statements(), SCHEMA, 1, "held", "per-operation")
    pool = target.driver.raw(settings)

    async def raw_s():
        for step in (pool.open, lambda: pool.bind(lambda driver: driver.fetch_one(asked))(())):
            found = step()
            found = (
                await found if asyncio.iscoroutine(found) or hasattr(found, "__await__") else found
            )
        await closed if (closed := pool.close()) is not None else None
        return tuple(found)

    assert asyncio.run(raw_s())[1] == ""
