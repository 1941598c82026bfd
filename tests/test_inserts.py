"""The strategies of `inserts`: each leaves the same rows, by as many round trips as is said."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from command import SMALL, call, only_run
from real_targets import QUICK, marked, required, server_address
from sized_lanes import ENDS, FOLDER, ONE_EACH, SIZES, Stand, shipped
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    bindparam,
    create_engine,
    select,
    update,
)

from ormbench.errors import UsageError
from ormbench.loader import shipped as all_shipped
from ormbench.plan.file import read as read_plan
from ormbench.plan.file import shipped_plans
from ormbench.plan.plan import make
from ormbench.results.folder import read
from ormbench.targets import tab_lines
from ormbench.targets.raw import RawSettings
from ormbench.targets.target import TARGETS

LANES = shipped("insert_rows").scenario.lanes
FILE = FOLDER / "insert_rows.py"
BROKEN = {f"{server}+asyncmy/load_data" for server in ("mysql", "mariadb")}
BY_ROW = ("each_commit", "each_flush", "core_each")
FAMILY = ("MySQL", "MariaDB")


@pytest.fixture(scope="module")
def stand(request):
    with Stand(request, "insert_rows") as one:
        yield one


def lanes_on(name):
    """The lanes that a target has, but for those that are known to fail there."""
    able = TARGETS[name].abilities
    has = [lane for lane, one in LANES.items() if able.issuperset(one.needs)]
    return [lane for lane in has if f"{name}/{lane}" not in BROKEN]


# Every lane leaves the rows


@pytest.mark.parametrize("batch", SIZES)
@pytest.mark.parametrize("target", ONE_EACH)
async def test_every_lane_leaves_the_rows_of_its_turns(stand, target, batch):
    large = batch > 10
    turns = [3] if large else [3, 4, 700]
    wrong = {
        lane: difference
        for lane in lanes_on(target)
        if not (large and lane in BY_ROW)  # which are loops, and take seconds
        if (difference := await stand.proven(f"insert_rows/{lane}", target, batch, turns))
    }
    assert wrong == {}


def test_each_lane_is_on_some_target_and_needs_nothing_that_its_twin_lacks():
    able = {lane for target in TARGETS for lane in lanes_on(target)}
    assert able == set(LANES)
    assert all(lane.twin() for lane in LANES.values())


# Round trips


EXECUTEMANY = {
    *("add_all_keys", "bulk_objects", "bulk_mappings", "orm_insert", "core", "text", "raw"),
    "pipeline",
}
MOST = 6  # a pipeline of psycopg reads what has come meanwhile, and then goes on
PIPELINES = {"psycopg", "psycopg_sync"}
BULK = {"copy", "copy_binary", "load_data"}  # the server says that it is ready for the rows


def trips(lane, rows, target):
    """Round trips for the rows of an operation, the least and the most of them."""
    name, many = target.driver.name, lane in EXECUTEMANY
    by_row = {*BY_ROW, *({"add_all"} if target.server == "MySQL" else ())}
    by_row |= {"text", "raw"} if name == "psycopg2" else set()
    least = most = 1
    if lane in by_row:
        least = most = rows * (3 if lane == "each_commit" else 1)
    elif lane == "core_pages":
        least = most = -(-rows // 100)
    elif lane in BULK:
        least, most = (1 if name == "asyncpg" else 2), 2  # asyncpg does not wait for it
    elif many and rows == 1_000:
        least = 2 if name == "mysqldb" else 1  # which sends at most 64 KiB at once
        most = MOST if name in PIPELINES else least
    return least, most


@pytest.mark.parametrize("rows", [10, pytest.param(1_000, marks=pytest.mark.servers)])
@pytest.mark.parametrize("name", marked(TARGETS, ()))
async def test_a_strategy_sends_as_many_round_trips_as_is_known_of_it(stand, name, rows):
    target, wrong = TARGETS[name], {}
    for lane in lanes_on(name):
        least, most = trips(lane, rows, target)
        if rows > 10 and least >= rows:
            continue
        counted = await stand.trips(f"insert_rows/{lane}", name, rows)
        if lane == "each_commit":
            counted += ENDS  # they are among the three of each row
        elif target.server in FAMILY and LANES[lane].receives == "driver":
            counted += 1  # no ROLLBACK when a bare driver's connection goes back
        if not least <= counted <= most:
            wrong[lane] = counted
    assert wrong == {}


@pytest.mark.servers
@pytest.mark.parametrize("driver", ["aiomysql", "asyncmy", "pymysql", "mysqldb"])
async def test_on_mysql_add_all_is_a_round_trip_for_each_key_that_the_server_makes(stand, driver):
    """By simulation this was known; here MySQL itself is counted, and MariaDB beside it."""
    on = {
        f"{lane} on {server}": await stand.trips(f"insert_rows/{lane}", f"{server}+{driver}", 100)
        for server in ("mysql", "mariadb")
        for lane in ("add_all", "add_all_keys")
    }
    assert on == {
        "add_all on mysql": 100,
        "add_all_keys on mysql": 1,
        "add_all on mariadb": 1,
        "add_all_keys on mariadb": 1,
    }


# What a driver breaks


@pytest.mark.servers
@pytest.mark.parametrize("server", ["mysql", "mariadb"])
def test_where_a_driver_breaks_a_strategy_its_words_stand_there_and_others_are_measured(
    server, tmp_path, monkeypatch, capsys, request
):
    """Its connection is of no use after that, and ends quickly; a cell beside it has its own."""
    required(f"{server}+asyncmy")
    request.getfixturevalue(f"{server}_address")
    monkeypatch.chdir(tmp_path)
    words = ["--lane", "core,load_data", "--target", f"{server}+asyncmy", "--batch", "10"]
    ended = call(capsys, "run", FILE, *words, *SMALL)
    assert ended.code == 3, ended.err
    (block,) = read(only_run(tmp_path / "results" / "local")).blocks
    found = {one.cell: one for one in block.trials}
    broken = found[f"insert_rows/load_data/{server}+asyncmy/batch=10"]
    assert broken.status == "ERROR"
    assert "expected str, got bytes" in broken.reason
    assert "https://github.com/long2ice/asyncmy/issues/88" in broken.reason
    measured = found[f"insert_rows/core/{server}+asyncmy/batch=10"]
    assert (measured.status, measured.unverified) == ("OK", "")


# What the bare drivers offer


def test_lines_say_what_a_tab_a_backslash_and_nothing_are():
    born = datetime(2024, 1, 1, 12, tzinfo=UTC).replace(tzinfo=None)
    given = [("a\tb", "c\\d", None, 7), ("two\nlines\r", "", True, born)]
    assert tab_lines.lines(given) == (
        "a\\tb\tc\\\\d\t\\N\t7\ntwo\\nlines\\r\t\t1\t2024-01-01 12:00:00\n"
    )


@pytest.mark.parametrize("odd", ["", '"q"', "a\tb", "c\\d", "two\nlines", "\r", r"\N", None, True])
def test_lines_are_the_same_whether_all_values_are_plain_or_one_is_special(odd):
    plain = [("é", 7, 1.5, date(2024, 1, 1)), ("b", 8, 0.0, date(2024, 1, 2))]
    of_each = [tab_lines.lines([row]) for row in (*plain, (odd, 9, 2.5, "c"))]
    assert of_each[0] == "é\t7\t1.5\t2024-01-01\n"
    assert tab_lines.lines([(odd,)]) == of_each[2].partition("\t")[0] + "\n"
    assert tab_lines.lines([*plain, (odd, 9, 2.5, "c")]) == "".join(of_each)
    assert of_each[2].count("\n") == 1


def test_the_file_of_rows_is_gone_when_they_are_in():
    with tab_lines.file_of([("é", 1)]) as path:
        assert Path(path).read_bytes() == "é\t1\n".encode()
    assert not Path(path).exists()


odd = Table(
    "odd rows",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("text", String(40)),
    Column("flag", Boolean),
    Column("day", Date),
    Column("at", DateTime),
    Column("sum", Numeric(10, 2)),
)
NAMES = [column.name for column in odd.columns]
DAY = date(2024, 2, 29)
AT = datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC).replace(tzinfo=None)
ODD = [
    (1, "tab\t, line\n, return\r, back\\slash, \\N", True, DAY, AT, Decimal("1.25")),
    (2, "", False, None, None, Decimal("-3.00")),
    (70_000, None, None, DAY, AT, None),
]
SCHEMA = "odd_rows"
CONTROL = {"PostgreSQL": "psycopg_sync", "MySQL": "pymysql", "MariaDB": "pymysql"}
WAYS = {"COPY": "copy", "binary COPY": "copy_binary", "LOAD DATA": "load_data"}
ABLE = [
    (name, ability)
    for ability in WAYS
    for name in TARGETS
    if ability in TARGETS[name].driver.abilities and f"{name}/{WAYS[ability]}" not in BROKEN
]


@pytest.fixture
def control(request):
    """A target, and a connection to its server in a schema with the empty table of odd rows."""

    def drop(connection, target):
        cascade = " CASCADE" if target.server == "PostgreSQL" else ""
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA}{cascade}")

    target = required(request.param)
    where = server_address(request, target)
    able = TARGETS[f"{target.server.lower()}+{CONTROL[target.server]}"]
    engine = create_engine(where.url(able.drivername), isolation_level="AUTOCOMMIT")
    made = odd.to_metadata(MetaData(), schema=SCHEMA)
    with engine.connect() as connection:
        drop(connection, target)
        connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
        made.create(connection)
        yield target, target.within(where, SCHEMA), connection, made
        drop(connection, target)
    engine.dispose()


async def by_itself(target, address, body, sync_body, *, loads_files=True):
    """Run the body on a bare driver, or the other where it blocks."""
    settings = RawSettings(
        address, target.statements(), SCHEMA, 1, "pool", "per-operation", loads_files=loads_files
    )
    pool = target.driver.raw(settings)
    if target.driver.is_async:
        await pool.open()
        try:
            await pool.bind(body)(())
        finally:
            await pool.close()
        return
    pool.open()
    try:
        pool.bind(sync_body)(())
    finally:
        pool.close()


@pytest.mark.parametrize(
    ("control", "ability"),
    [pytest.param(*pair, marks=() if pair[0] in QUICK else pytest.mark.servers) for pair in ABLE],
    indirect=["control"],
)
async def test_a_bare_driver_brings_in_what_python_holds_unchanged(control, ability):
    target, address, connection, made = control
    way = WAYS[ability]

    async def body(driver):
        await getattr(driver, way)(odd, NAMES, ODD)

    await by_itself(target, address, body, lambda driver: getattr(driver, way)(odd, NAMES, ODD))
    assert [tuple(row) for row in connection.execute(select(made).order_by(made.c.id))] == ODD


CHANGE = update(odd).values(text=bindparam("to")).where(odd.c.id == bindparam("key"))


@pytest.mark.parametrize("control", marked(TARGETS), indirect=True)
async def test_executemany_of_a_bare_driver_takes_an_update(control):
    target, address, connection, made = control
    connection.execute(made.insert(), [{"id": key, "text": "old"} for key in (1, 2, 3)])
    given, names = [("one", 1), ("two", 2)], ("to", "key")

    async def body(driver):
        await driver.execute_many(CHANGE, given, names)

    await by_itself(target, address, body, lambda driver: driver.execute_many(CHANGE, given, names))
    found = connection.execute(select(made.c.text).order_by(made.c.id)).scalars().all()
    assert found == ["one", "two", "old"]


def test_parameters_in_an_order_that_core_does_not_send_are_refused():
    statements = TARGETS["postgresql+asyncpg"].statements()
    with pytest.raises(UsageError, match=r"got columns key, to; Core sends to, key: give rows"):
        statements.many(CHANGE, ("key", "to"))


def test_an_update_that_holds_a_value_of_its_own_is_refused():
    fixed = update(odd).values(text="same").where(odd.c.id == bindparam("key"))
    with pytest.raises(UsageError, match=r"got columns key; Core sends text, key"):
        TARGETS["mysql+aiomysql"].statements().many(fixed, ("key",))


@pytest.mark.servers
@pytest.mark.parametrize("control", ["mariadb+aiomysql", "mariadb+pymysql"], indirect=True)
async def test_a_lane_that_loads_no_files_lets_no_server_ask_for_one(control):
    """A server that says so may ask for any file of the client, whatever the statement was."""
    target, address, _connection, _made = control

    async def body(driver):
        await driver.load_data(odd, NAMES, ODD)

    with pytest.raises(Exception, match=r"local_infile option is false|not allowed"):
        await by_itself(
            target,
            address,
            body,
            lambda driver: driver.load_data(odd, NAMES, ODD),
            loads_files=False,
        )


# The plan


def test_the_plan_has_every_strategy_and_about_two_hundred_cells_with_every_driver():
    plan = make(read_plan(shipped_plans()["inserts"]), all_shipped())
    ours = {cell.lane for cell in plan.cells if cell.scenario == "insert_rows"}
    assert ours == set(LANES)
    assert len(plan.cells) <= 205
