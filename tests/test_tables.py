"""Tables are made, put back and read alike on every product, and nothing else is touched."""

import enum
import os
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    create_engine,
    inspect,
    select,
    text,
)

from ormbench.errors import ServerError, UsageError
from ormbench.loader import Loaded, shipped
from ormbench.scenario import Data, Scenario, State
from ormbench.servers.server import Address
from ormbench.truth.tables import Tables

PRODUCTS = (
    "PostgreSQL",
    pytest.param("MySQL", marks=pytest.mark.servers),
    pytest.param("MariaDB", marks=pytest.mark.servers),
)
ROWS = 20
OURS = f"tt{os.getpid()}"  # a server may be shared


class Colour(enum.Enum):
    red = "red"
    blue = "blue"


SHOP = MetaData()
COLOUR = Enum(Colour, name="colour")
orders = Table(
    "ShopOrder",
    SHOP,
    Column("OrderId", Integer, primary_key=True),
    Column("buyer", String(40), unique=True, nullable=False),
    Column("net", Numeric(10, 2), nullable=False),
    Column("gross", Numeric(10, 2), Computed("net * 2")),
    Column("weight", Double, nullable=False),
    Column("paid", Boolean, nullable=False),
    Column("colour", COLOUR, nullable=False),
    Column("day", Date, nullable=False),
    Column("placed", DateTime, nullable=False),
    Column("note", Text),
    Column("seal", LargeBinary, nullable=False),
)
lines = Table(
    "order_line",
    SHOP,
    Column("order_id", Integer, ForeignKey(orders.c.OrderId), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("colour", COLOUR, nullable=False),
)
parts = Table(
    "part",
    SHOP,
    Column("id", Integer, primary_key=True),
    Column("order_id", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    ForeignKeyConstraint(["order_id", "line"], [lines.c.order_id, lines.c.number]),
)


def order(number):
    return {
        "OrderId": number,
        "buyer": f"buyer {number} ",
        "net": Decimal(number) / 4,
        "weight": number / 3,
        "paid": number % 2 == 0,
        "colour": Colour.red if number % 3 else Colour.blue,
        "day": date(2024, 1, 1 + number % 28),
        "placed": datetime(2024, 1, 1, 12, 0, number % 60),  # noqa: DTZ001 - as the column
        "note": None if number % 5 else "ünïcode",
        "seal": bytes([number % 256, 0, 255]),
    }


def as_row(number):
    given = {**order(number)}
    given["gross"] = given["net"] * 2
    return tuple(given[column.name] for column in orders.c)


def rows(table_rows):
    numbers = range(table_rows)  # from 0: a key that MySQL would replace
    yield orders, [order(number) for number in numbers]
    yield (
        lines,
        [
            {"order_id": one, "number": place, "colour": "red"}
            for one in numbers
            for place in (1, 2)
        ],
    )
    yield parts, [{"id": one + 1, "order_id": one, "line": 2} for one in numbers]


ALL = select(orders).order_by(orders.c.OrderId)


def scenario(starts="seeded", metadata=SHOP, seed=rows):
    state = State(
        ALL, lambda _turns, table_rows: [as_row(one) for one in range(table_rows)], starts
    )
    made = Scenario(Data(metadata, seed), state=state, name="shop")
    return Loaded("shop", made, Path("shop.py"), "")


@pytest.fixture
def address(request, product):
    if product == "PostgreSQL":
        return request.getfixturevalue("server").address
    return request.getfixturevalue(f"{product.lower()}_address")


@pytest.fixture
def engine(address):
    drivers = {"PostgreSQL": "psycopg", "MySQL": "pymysql", "MariaDB": "pymysql"}
    name = f"{address.product.lower()}+{drivers[address.product]}"
    made = create_engine(address.url(name), isolation_level="AUTOCOMMIT")
    yield made
    made.dispose()


def schemas(engine):
    with engine.connect() as connection:
        return set(inspect(connection).get_schema_names())


def within(engine, tables, loaded, place=0):
    """A connection in which names resolve in an arm's schema."""
    return tables._grammar.inside(engine, tables.schema(loaded, place))


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_reset_puts_every_kind_of_value_back(address, engine):
    loaded = scenario()
    tables = Tables(address, ROWS, f"{OURS}_reset")
    try:
        tables.prepare([loaded])
        for _ in range(2):
            tables.reset(loaded, 1)
            found = tables.state(loaded, 1, loaded.scenario.state)
            assert found == tables.expected(loaded.scenario.state, [])
            assert [type(one) for one in found[0]] == [type(one) for one in as_row(0)]
            with within(engine, tables, loaded, 1) as connection:
                connection.execute(parts.delete())
                connection.execute(lines.delete().where(lines.c.order_id == 3))
                connection.execute(orders.delete().where(orders.c.OrderId == 3))
                connection.execute(orders.update().values(note="spoiled "))
                connection.execute(orders.insert(), {**order(7), "OrderId": 900, "buyer": "x"})
    finally:
        assert tables.close() == []


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_next_key_comes_after_the_highest_after_each_reset(address, engine):
    loaded = scenario()
    tables = Tables(address, ROWS, f"{OURS}_keys")
    try:
        tables.prepare([loaded])
        for _ in range(2):
            tables.reset(loaded, 0)
            with within(engine, tables, loaded) as connection:
                given = {**order(1), "buyer": "new"}
                del given["OrderId"]
                key = connection.execute(orders.insert(), given).inserted_primary_key[0]
                assert key == ROWS
                made = connection.execute(parts.insert(), {"order_id": 1, "line": 1})
                assert made.inserted_primary_key[0] == ROWS + 1
    finally:
        tables.close()


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_arm_that_starts_empty_is_emptied_and_counts_from_1(address, engine):
    loaded = scenario("empty")
    tables = Tables(address, ROWS, f"{OURS}_empty")
    try:
        tables.prepare([loaded])
        for _ in range(2):
            tables.reset(loaded, 3)
            with within(engine, tables, loaded, 3) as connection:
                assert tables.state(loaded, 3, loaded.scenario.state) == []
                given = {**order(1), "buyer": "new"}
                del given["OrderId"]
                assert connection.execute(orders.insert(), given).inserted_primary_key[0] == 1
    finally:
        tables.close()


@pytest.mark.parametrize("product", PRODUCTS)
def test_foreign_keys_are_checked_again_after_a_reset(address):
    loaded = scenario()
    tables = Tables(address, ROWS, f"{OURS}_checks")
    try:
        tables.prepare([loaded])
        tables.reset(loaded, 0)
        with (  # on the connection that did the reset
            pytest.raises(Exception, match="foreign key"),
            within(tables._engine, tables, loaded) as connection,
        ):
            connection.execute(parts.insert(), {"order_id": 4000, "line": 1})
    finally:
        tables.close()


@pytest.mark.parametrize("product", PRODUCTS)
def test_arms_have_the_rows_that_the_planner_expects(address, engine):
    """MySQL would go on with the statistics of an empty table."""
    loaded = scenario()
    tables = Tables(address, 400, f"{OURS}_stats")
    estimates = {
        "PostgreSQL": "SELECT reltuples FROM pg_class WHERE oid = '\"ShopOrder\"'::regclass",
        "MySQL": "SELECT n_rows FROM mysql.innodb_table_stats WHERE database_name = database() "
        "AND table_name = 'ShopOrder'",
    }
    query = text(estimates["PostgreSQL" if address.product == "PostgreSQL" else "MySQL"])
    try:
        tables.prepare([loaded])
        tables.reset(loaded, 0)
        place = None if address.product == "PostgreSQL" else 0
        schema = tables._schema(loaded.scenario.data, place)
        with tables._grammar.inside(engine, schema) as connection:
            assert connection.scalar(query) == pytest.approx(400, rel=0.1)
    finally:
        tables.close()


@pytest.mark.parametrize("product", PRODUCTS)
def test_shipped_tables_are_made_and_dropped(address, engine):
    before = schemas(engine)
    tables = Tables(address, 300, f"{OURS}_shipped")
    try:
        tables.prepare(shipped().values())
        made = schemas(engine) - before
        assert made == tables._made
        assert made
        assert all(name.startswith(f"{OURS}_shipped_") for name in made)
    finally:
        assert tables.close() == []
    assert schemas(engine) == before


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_schema_that_is_there_already_is_refused_and_kept(address, engine):
    taken = f"{OURS}_taken_0_arm2"
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {taken}"))
    tables = Tables(address, ROWS, f"{OURS}_taken")
    try:
        with pytest.raises(UsageError, match=f"schema {taken} is there already.*--schema OTHER"):
            tables.prepare([scenario()])
        tables.close()
        assert {one for one in schemas(engine) if one.startswith(f"{OURS}_taken")} == {taken}
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {taken}"))


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("failure", [RuntimeError("no such row"), KeyboardInterrupt()])
def test_schemas_go_also_when_filling_them_fails(address, engine, failure):
    before = schemas(engine)

    def broken(table_rows):
        yield from list(rows(table_rows))[:1]
        raise failure

    tables = Tables(address, ROWS, f"{OURS}_broken")
    with pytest.raises((UsageError, KeyboardInterrupt)):
        tables.prepare([scenario(seed=broken)])
    assert schemas(engine) > before
    assert tables.close() == []
    assert schemas(engine) == before


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_schema_that_somebody_holds_is_named_as_left_behind(address, engine, monkeypatch):
    if address.product == "PostgreSQL":
        monkeypatch.setattr("ormbench.truth.postgresql.LOCK_TIMEOUT", "100ms")
    else:
        monkeypatch.setattr("ormbench.truth.mysql.LOCK_SECONDS", 1)
    loaded = scenario()
    tables = Tables(address, ROWS, f"{OURS}_held")
    try:
        tables.prepare([loaded])
        with within(engine, tables, loaded, 2) as connection:
            connection.exec_driver_sql("BEGIN")
            connection.execute(ALL)
            assert tables.close() == [f"{OURS}_held_0_arm2"]
            connection.exec_driver_sql("ROLLBACK")
    finally:
        assert tables.close() == []
    assert not [one for one in schemas(engine) if one.startswith(f"{OURS}_held")]


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_table_of_the_same_name_elsewhere_is_not_touched(address, engine):
    """The user's own ``part``, in the database or schema where the URL leads."""
    if address.product == "PostgreSQL":
        own, home = engine, address
    else:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {OURS}_users_own"))
        home = Address(
            address.product, address.host, 3306, address.user, f"{OURS}_users_own", address.password
        )
        own = create_engine(home.url(f"{address.product.lower()}+pymysql"))
    try:
        with own.begin() as connection:
            connection.execute(text("CREATE TABLE part (id INTEGER PRIMARY KEY, v INTEGER)"))
            connection.execute(text("INSERT INTO part VALUES (1, 42)"))
        tables, loaded = Tables(home, ROWS, f"{OURS}_beside"), scenario()
        try:
            tables.prepare([loaded])
            tables.reset(loaded, 0)
        finally:
            tables.close()
        with own.connect() as connection:
            assert connection.execute(text("SELECT id, v FROM part")).all() == [(1, 42)]
            if address.product == "PostgreSQL":
                statistics = "SELECT reltuples FROM pg_class WHERE oid = 'part'::regclass"
                assert connection.scalar(text(statistics)) == -1  # neither vacuumed nor analyzed
    finally:
        with own.begin() as connection:
            connection.execute(text("DROP TABLE part"))
            if address.product != "PostgreSQL":
                connection.execute(text(f"DROP DATABASE {OURS}_users_own"))
        own.dispose()


def test_models_that_name_a_schema_of_their_own_are_refused(server):
    for metadata, what in (
        (MetaData(schema="sales"), "table sales.t names the schema sales"),
        (MetaData(), "the type of t.kind names the schema sales"),
    ):
        kind = Enum("a", name="kind", schema=None if metadata.schema else "sales")
        Table("t", metadata, Column("id", Integer, primary_key=True), Column("kind", kind))
        tables = Tables(server.address, ROWS, f"{OURS}_named")
        with pytest.raises(UsageError, match=what):
            tables.prepare([scenario(metadata=metadata)])
        assert tables._made == set()
        tables.close()


def test_a_server_that_does_not_answer_is_one_line(tmp_path):
    tables = Tables(Address("PostgreSQL", str(tmp_path), 5432, "bench", "bench"), ROWS, OURS)
    with pytest.raises(ServerError, match="the server does not take the tables"):
        tables.prepare([scenario()])
    assert tables.close() == []
