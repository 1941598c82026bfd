"""The axis `cache`: the statements that a connection keeps prepared, as server and wire see it."""

import time
from collections import Counter

import pytest
from command import SMALL, call, only_run
from mysql_log import connected, rows
from real_targets import marked, required, server_address
from sized_lanes import ENDS, FOLDER, Stand, shipped
from sqlalchemy import literal, select, text

from ormbench.cell import Cell
from ormbench.lanes.engine import CountedEngine, CountedSyncEngine, engine_settings
from ormbench.plan.runnable import why_not
from ormbench.results.folder import read
from ormbench.servers.supply import EVERYTHING
from ormbench.targets.raw import RawSettings
from ormbench.targets.target import TARGETS
from ormbench.truth.counters import disagreement
from ormbench.wire.tally import Tally

ASYNCPG = "postgresql+asyncpg"
CACHED = [name for name, one in TARGETS.items() if one.driver.cache is not None]
ASYNCMY = ["mysql+asyncmy", "mariadb+asyncmy"]
SCENARIOS = (
    "update_rows",
    "delete_rows",
    "bulk_create",
    "update_email",
    "find_by_specialty",
    "get_by_id",
)
OFTEN = 7  # psycopg prepares a statement when it runs for the sixth time
FIVE = [select(literal(1).label(f"column_{n}")) for n in range(5) for _ in range(OFTEN)]
KEPT = {  # how many a connection holds, of a server without others
    "PostgreSQL": "SELECT count(*) FROM pg_prepared_statements "
    "WHERE strpos(statement, 'colu' || 'mn') > 0",
    **dict.fromkeys(("MySQL", "MariaDB"), "SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'"),
}
ROWS = 50  # a transcript keeps 200 lines
PATIENCE = 10  # seconds


@pytest.fixture(scope="module")
def stand(request):
    with Stand(request, *SCENARIOS, table_rows=1_000) as found:
        yield found


def a_cell(name, lane="core", **axes):
    return Cell(scenario="get_by_id", lane=lane, target=name, placement="free", **axes)


# How many are kept


def forgotten(request, target):
    """Wait until the server has forgotten what connections that are closed had prepared."""
    address = server_address(request, target)
    if target.server == "PostgreSQL":
        return address
    until = time.monotonic() + PATIENCE
    with connected(address) as control:
        while number([[rows(control, KEPT[target.server])]]) and time.monotonic() < until:
            time.sleep(0.01)
    return address


async def kept_by_sqlalchemy(request, name, cache):
    """How many of five statements SQLAlchemy's connection has prepared when all have run often."""
    target = required(name)
    make = CountedEngine if target.driver.is_async else CountedSyncEngine
    counted = make(a_cell(name, cache=cache), forgotten(request, target), "")

    def run(connection):
        for statement in FIVE:
            connection.execute(statement).all()
        connection.commit()

    try:
        await counted.open()
        if target.driver.is_async:
            async with counted.engine.connect() as connection:
                await connection.run_sync(run)
        else:
            with counted.engine.connect() as connection:
                run(connection)
        return number(await counted.ask([KEPT[target.server]]))
    finally:
        await counted.close()


def number(answers):
    return int(answers[0][0][0][-1])


async def kept_by_itself(request, name, cache, holding):
    """The same of the bare driver's connection."""
    target = required(name)
    address = target.within(forgotten(request, target), "")
    given = (address, target.statements(), "public", 1, holding, "per-operation")
    pool = target.driver.raw(RawSettings(*given, cache=cache))

    async def body(driver):
        for statement in FIVE:
            await driver.fetch_all(statement)

    def sync_body(driver):
        for statement in FIVE:
            driver.fetch_all(statement)

    if not target.driver.is_async:
        pool.open()
        pool.bind(sync_body)(())
        kept = number(pool.ask([KEPT[target.server]]))
        pool.close()
        return kept
    await pool.open()
    await pool.bind(body)(())
    kept = number(await pool.ask([KEPT[target.server]]))
    await pool.close()
    return kept


@pytest.mark.parametrize("cache", [None, 0, 2, 50])
@pytest.mark.parametrize("name", marked(CACHED))
async def test_a_connection_keeps_no_more_statements_than_it_is_told(request, name, cache):
    kept = {
        "SQLAlchemy": await kept_by_sqlalchemy(request, name, cache),
        **{way: await kept_by_itself(request, name, cache, way) for way in ("held", "pool")},
    }
    family = name in ASYNCMY  # whose server cannot say which: SQLAlchemy has some of its own
    wanted = {
        None: [0] if family else [5],
        0: [0],
        2: [1, 2, 3],  # asyncpg: the question is one; psycopg: one is forgotten with the next
        50: range(5, 12) if family else [5],
    }
    assert all(count in wanted[cache] for count in kept.values()), kept


@pytest.mark.parametrize("name", TARGETS)
def test_a_cell_that_says_nothing_of_it_connects_as_ever(name, request):
    target = TARGETS[name]
    address = server_address(request, TARGETS[ASYNCPG])
    settings = engine_settings(a_cell(name), address, "one")
    assert settings["connect_args"] == target.driver.connect_args("one")
    assert "pool_events" not in settings


# Who has none


@pytest.mark.parametrize("name", TARGETS)
def test_a_driver_has_a_size_for_its_cache_where_it_has_one(name):
    driver = TARGETS[name].driver
    assert (driver.cache is not None) == ("statement cache" in driver.abilities)
    reason = why_not(a_cell(name, cache=10), shipped("get_by_id"), EVERYTHING)
    if name not in CACHED:
        assert reason == f"UNSUPPORTED: {driver.name} has no statement cache"
    else:
        assert reason is None or "is not installed" in reason


@pytest.mark.parametrize(("lane", "runs"), [("core", False), ("raw", True)])
def test_over_the_drivers_own_pool_sqlalchemy_has_no_cache_to_size(lane, runs):
    cell = a_cell(ASYNCPG, lane, cache=10, pool="driver:size=1")
    reason = why_not(cell, shipped("get_by_id"), EVERYTHING)
    assert (reason is None) == runs
    assert runs or "SQLAlchemy keeps no statement beyond a checkout" in reason


# What is sent


def kinds(taken):
    """How many messages of each kind the client sent, as far as the transcript keeps them."""
    sent = (line.kind for line in taken.transcript if line.side == "client")
    return Counter(kind.partition(" ")[0] for kind in sent)


async def test_without_a_cache_asyncpg_prepares_twice_each_time_and_names_nothing(stand):
    named = await stand.sent("update_rows/set_based", ASYNCPG, 10)
    none = await stand.sent("update_rows/set_based", ASYNCPG, 10, cache=0)
    assert (named.tally.prepared, named.tally.unprepared) == (1, 0)
    assert (none.tally.prepared, none.tally.unprepared) == (0, 1)
    assert (kinds(named)["Parse"], kinds(none)["Parse"]) == (0, 2)
    assert none.tally.round_trips - named.tally.round_trips == 1


@pytest.mark.servers
@pytest.mark.parametrize("name", ["postgresql+psycopg", "postgresql+psycopg_sync"])
async def test_without_a_cache_psycopg_sends_the_text_each_time(stand, name):
    named = await stand.sent("update_rows/set_based", name, 10)
    none = await stand.sent("update_rows/set_based", name, 10, cache=0)
    assert (named.tally.prepared, named.tally.unprepared, kinds(named)["Parse"]) == (1, 0, 0)
    assert (none.tally.prepared, none.tally.unprepared, kinds(none)["Parse"]) == (0, 1, 1)
    assert none.tally.round_trips == named.tally.round_trips


BY_ROW = {  # executemany() of no INSERT, and statements beside it
    "update_rows/core_many": 0,
    "update_rows/orm_by_key": 0,
    "update_rows/dirty_flush": 1,
    "update_rows/raw": 0,
    "delete_rows/core_many": 0,
    "delete_rows/session_delete": 1,
}


@pytest.mark.servers
@pytest.mark.parametrize("lane", BY_ROW)
async def test_on_mariadb_asyncmys_cache_makes_one_bulk_command_of_many_rows(stand, lane):
    beside = ENDS - lane.endswith("/raw") + BY_ROW[lane]
    plain = await stand.sent(lane, "mariadb+asyncmy", ROWS)
    bulk = await stand.sent(lane, "mariadb+asyncmy", ROWS, cache=128)
    assert (plain.tally.round_trips, bulk.tally.round_trips) == (ROWS + beside, 1 + beside)
    assert kinds(bulk)["COM_STMT_BULK_EXECUTE"] == 1
    assert kinds(plain).keys() == {"COM_QUERY"}
    word = "UPDATE" if lane.startswith("update_rows") else "DELETE"
    assert plain.tally.statements == bulk.tally.statements  # as its counters have them: by row
    assert plain.tally.rows[word] == bulk.tally.rows[word] == ROWS


@pytest.mark.servers
@pytest.mark.parametrize("lane", BY_ROW)
async def test_on_mysql_asyncmys_cache_makes_prepared_statements_and_no_fewer(stand, lane):
    plain = await stand.sent(lane, "mysql+asyncmy", ROWS)
    cached = await stand.sent(lane, "mysql+asyncmy", ROWS, cache=128)
    assert cached.tally.round_trips == plain.tally.round_trips
    assert kinds(cached)["COM_STMT_EXECUTE"] == ROWS + BY_ROW[lane]
    assert kinds(cached)["COM_STMT_PREPARE"] == 0  # that was the first time
    assert cached.tally.sent < plain.tally.sent  # a number in the place of the text


@pytest.mark.servers
@pytest.mark.parametrize(
    ("name", "kind"),
    [("mysql+asyncmy", "COM_QUERY"), ("mariadb+asyncmy", "COM_STMT_BULK_EXECUTE")],
)
async def test_rows_that_are_inserted_take_one_round_trip_with_and_without_it(stand, name, kind):
    plain = await stand.sent("bulk_create/core", name, None)
    cached = await stand.sent("bulk_create/core", name, None, cache=128)
    assert (plain.tally.round_trips, cached.tally.round_trips) == (1 + ENDS, 1 + ENDS)
    ends = 2 * (kind == "COM_QUERY")
    assert (kinds(plain)["COM_QUERY"], kinds(cached)[kind]) == (3, 1 + ends)


# What is answered, and what is left


@pytest.mark.servers
@pytest.mark.parametrize("name", ASYNCMY)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_answers_and_states_are_the_same_in_binary_form(stand, name, scenario):
    lanes = shipped(scenario).scenario.lanes
    able = TARGETS[name].abilities
    wrong = {}
    for lane in (one.name for one in lanes.values() if able.issuperset(one.needs)):
        cell = f"{scenario}/{lane}"
        if shipped(scenario).scenario.state is None:
            await stand.sent(cell, name, None, cache=128)  # raises where an answer is wrong
        elif difference := await stand.proven(cell, name, None, [3, 4, 700], cache=128):
            wrong[lane] = difference
    assert wrong == {}


@pytest.mark.servers
@pytest.mark.parametrize("name", ASYNCMY)
@pytest.mark.parametrize(("cache", "seen"), [(0, 0.1), (128, 0.10000000149011612)])
async def test_a_float_is_another_number_in_binary_form(request, name, cache, seen):
    """Which the row of asyncmy says; no scenario has one."""
    target = required(name)
    counted = CountedEngine(a_cell(name, cache=cache), server_address(request, target), "")
    tenth = text("SELECT CAST(:tenth AS FLOAT)")
    try:
        async with counted.engine.connect() as connection:
            assert (await connection.execute(tenth, {"tenth": 0.1})).scalar_one() == seen
    finally:
        await counted.close()
    assert any("FLOAT" in defect for defect in target.driver.defects)


# What the server counts


@pytest.mark.parametrize(
    ("updates", "anew", "words"),
    [
        (400, 0, None),
        (404, 4, None),
        (405, 4, "the server counted 405 Com_update, its count pass promises 400"),
        (404, 0, "the server counted 404 Com_update, its count pass promises 400"),
        (399, 4, "the server counted 399 Com_update, its count pass promises 400"),
    ],
)
def test_what_mysql_prepares_anew_it_counts_twice_and_no_more(updates, anew, words):
    operation = Tally(questions=102, statements={"UPDATE": 100, "COMMIT": 1, "ROLLBACK": 1})
    counted = {"Questions": 408, "Com_update": updates, "Com_commit": 4, "Com_rollback": 4}
    said = disagreement("MySQL", [operation], 4, counted | {"Com_stmt_reprepare": anew})
    assert said is words is None or said.startswith(words)


@pytest.mark.servers
@pytest.mark.parametrize("server", ["mysql", "mariadb"])
def test_prepared_statements_are_proven_though_each_slice_empties_their_table(
    server, tmp_path, monkeypatch, capsys, request
):
    required(f"{server}+asyncmy")
    request.getfixturevalue(f"{server}_address")
    monkeypatch.chdir(tmp_path)
    words = ["--lane", "core_many,dirty_flush", "--target", f"{server}+asyncmy", "--batch", "10"]
    ended = call(capsys, "run", FOLDER / "update_rows.py", *words, "--cache", "128", *SMALL)
    assert ended.code == 3, ended.err  # one block is no evidence
    (block,) = read(only_run(tmp_path / "results" / "local")).blocks
    found = [one for one in block.trials if one.cell.startswith("update_rows/")]
    assert {one.cell.split("/")[1] for one in found} == {"core_many", "dirty_flush"}
    assert {(one.status, one.unverified) for one in found} == {("OK", "")}
