"""The scenarios about sessions, pools and cold starts: what their lanes send, hold and show."""

import asyncio
import os
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from real_targets import marked, required, server_address
from sqlalchemy import func, select
from sqlalchemy.exc import MissingGreenlet

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.load.arm import Arm
from ormbench.loader import Loaded, shipped
from ormbench.run.routes import Routes
from ormbench.scenario import Scenario
from ormbench.targets.target import TARGETS
from ormbench.truth.tables import Tables

TABLE_ROWS = 300
SHIPPED = shipped()
ASYNC, SYNC = "postgresql+asyncpg", "postgresql+psycopg_sync"
QUICK = (ASYNC, "postgresql+psycopg")
NAMES = ("outside_call", "session_scope", "rollback_on_error", "after_commit", "autoflush", "cold")


@pytest.fixture(scope="module")
def routes():
    with Routes() as found:
        yield found


def tables_on(address):
    tables = Tables(address, TABLE_ROWS, f"sessions{os.getpid()}")
    try:
        tables.prepare(SHIPPED[name] for name in (*NAMES, "pool_pressure"))
        yield tables
    finally:
        tables.close()


@pytest.fixture(scope="module")
def postgresql_tables(server):
    yield from tables_on(server.address)


@pytest.fixture(scope="module")
def mysql_tables(mysql_server):
    yield from tables_on(mysql_server.address)


@pytest.fixture(scope="module")
def mariadb_tables(mariadb_server):
    yield from tables_on(mariadb_server.address)


@pytest.fixture
def opened(request):
    """Opens the arm of a lane, by default of a shipped scenario, straight to its server."""

    @asynccontextmanager
    async def open_(name, target=ASYNC, loaded=None, address=None, **axes):
        product = required(target).server
        tables = request.getfixturevalue(f"{product.lower()}_tables")
        scenario, lane = name.split("/")
        one = loaded or SHIPPED[scenario]
        tables.reset(one, 0)
        cell = Cell(scenario=scenario, lane=lane, target=target, **axes)
        where = address or server_address(request, TARGETS[target])
        arm = Arm(one, cell, await bind(one, cell, where, tables.schema(one, 0)), TABLE_ROWS, 30)
        try:
            yield arm
        finally:
            await arm.close()

    return open_


def module_of(name):
    """Where a lane was written."""
    scenario, lane = name.split("/")
    return sys.modules[SHIPPED[scenario].scenario.lanes[lane].body.__module__]


# What they send

SENT = {  # by PostgreSQL's wire; a statement that fails has no name there
    "outside_call/held": {"BEGIN": 1, "SELECT": 1, "UPDATE": 1, "COMMIT": 1},
    "outside_call/released": {"BEGIN": 2, "SELECT": 1, "UPDATE": 1, "COMMIT": 2},
    "session_scope/per_request": {"BEGIN": 1, "SELECT": 3, "COMMIT": 1},
    "session_scope/per_call": {"BEGIN": 3, "SELECT": 3, "COMMIT": 3},
    "session_scope/gathered": {"BEGIN": 3, "SELECT": 3, "COMMIT": 3},
    "rollback_on_error/flush_fails": {"BEGIN": 1, "ROLLBACK": 1},
    "rollback_on_error/savepoint": {"BEGIN": 1, "SAVEPOINT": 1, "ROLLBACK": 1, "COMMIT": 1},
    "rollback_on_error/checks_first": {"BEGIN": 1, "SELECT": 1, "COMMIT": 1},
    "after_commit/kept": {"BEGIN": 1, "SELECT": 1, "UPDATE": 1, "COMMIT": 1},
    "after_commit/refreshed": {"BEGIN": 2, "SELECT": 2, "UPDATE": 1, "COMMIT": 1, "ROLLBACK": 1},
    "autoflush/on": {"BEGIN": 1, "SELECT": 6, "UPDATE": 3, "COMMIT": 1},
    "autoflush/off": {"BEGIN": 1, "SELECT": 6, "UPDATE": 3, "COMMIT": 1},
}


async def counted(opened, routes, address, name, target):
    """The tally of one operation, after others on the same connections; and its arm's count."""
    route = routes.counting(address)
    try:
        async with opened(name, target, address=route.address) as arm:
            await arm.prove([0])
            await arm.turns(1, 7)
            before = arm.bound.opened()
            route.take()
            await arm.turns(8, 1)
            return route.take(), arm.bound.opened() - before
    finally:
        route.close()


@pytest.mark.parametrize("name", SENT)
@pytest.mark.parametrize("target", marked([t for t in TARGETS if "postgresql" in t], [ASYNC]))
async def test_each_lane_sends_what_its_label_says(name, target, opened, routes, server):
    if name == "session_scope/gathered" and not TARGETS[target].driver.is_async:
        pytest.skip("it has no sync twin")
    taken, new = await counted(opened, routes, server.address, name, target)
    assert (taken.lost, new, taken.tally.connections) == ("", 0, 0)
    assert taken.tally.statements == SENT[name]


MYSQL_FAMILY = [name for name in TARGETS if "postgresql" not in name]
OF_MYSQL = ("SELECT", "UPDATE", "COMMIT", "SAVEPOINT")


@pytest.mark.servers
@pytest.mark.parametrize("name", SENT)
@pytest.mark.parametrize("target", MYSQL_FAMILY)
async def test_on_mysql_and_mariadb_too(name, target, opened, routes, request):
    """There is no BEGIN there, a failed INSERT has its name, and pools send ROLLBACK on return."""
    if name == "session_scope/gathered" and not TARGETS[target].driver.is_async:
        pytest.skip("it has no sync twin")
    address = server_address(request, required(target))
    taken, new = await counted(opened, routes, address, name, target)
    sent, expected = taken.tally.statements, SENT[name]
    assert (taken.lost, new) == ("", 0)
    assert {word: sent.get(word, 0) for word in OF_MYSQL} == {
        word: expected.get(word, 0) for word in OF_MYSQL
    }
    inserts = name in {"rollback_on_error/flush_fails", "rollback_on_error/savepoint"}
    assert sent.get("INSERT", 0) == inserts


def asked(taken):
    """How often the text of a statement on developers was sent; asyncpg sends it but once."""
    texts = [line.text for line in taken.transcript if line.kind in {"Parse", "COM_QUERY"}]
    return sum("FROM developers" in text for text in texts)


COLD = {  # connections of an operation; how often it asks for its row
    "warm": (0, 1),
    "nullpool": (1, 1),
    "engine": (1, 1),
    "second_query": (1, 2),
    "process": (1, 1),
}


@pytest.mark.parametrize("lane", COLD)
@pytest.mark.parametrize("target", marked([ASYNC, SYNC, "mysql+aiomysql", "mariadb+pymysql"], []))
async def test_a_cold_lane_connects_as_often_as_it_says(lane, target, opened, routes, request):
    address = server_address(request, required(target))
    taken, new = await counted(opened, routes, address, f"cold/{lane}", target)
    connections, questions = COLD[lane]
    assert taken.tally.connections == connections
    assert new == (0 if lane == "process" else connections)  # a process of its own counts none
    if target != ASYNC and lane != "warm":  # which has prepared it long ago
        assert asked(taken) == questions


@pytest.mark.parametrize("lane", ["warm", "nullpool", "engine", "second_query"])
async def test_what_a_new_engine_asks_of_the_server_is_more_than_a_connection(
    lane, opened, routes, server
):
    taken, _ = await counted(opened, routes, server.address, f"cold/{lane}", ASYNC)
    connecting, first = 2, 10  # round trips; what an engine's first connection adds to that
    trips = {"warm": 3, "nullpool": 3 + connecting, "engine": 3 + connecting + first}
    assert taken.tally.round_trips == {**trips, "second_query": trips["engine"] + 3}[lane]


# What they hold


@pytest.mark.parametrize(("lane", "failed"), [("held", 1), ("released", 0)])
@pytest.mark.parametrize("target", marked([ASYNC, SYNC], [ASYNC]))
async def test_only_the_lane_that_holds_its_connection_starves_another_client(
    lane, failed, target, opened, monkeypatch
):
    """One connection, two clients, and an answer from outside that takes longer than the pool."""
    axes = {"clients": 2, "pool": "1+0:timeout=0.3", "placement": "free"}
    async with opened(f"outside_call/{lane}", target, **axes) as arm:
        monkeypatch.setattr(module_of("outside_call/held"), "OUTSIDE_S", 0.7)
        done = await arm.slice(0, 0, 2, seed=1)
    assert sum(done["outcomes"]["failed"].values()) == failed


@pytest.mark.parametrize("pool", [None, "3+0"])
async def test_gathered_sessions_take_as_many_connections_as_the_pool_gives(pool, opened):
    async with opened("session_scope/gathered", pool=pool) as arm:
        assert (await arm.prove([0, 1]))["checked"] == 2
        assert arm.bound.opened() == (3 if pool else 1)


@pytest.mark.parametrize("lane", ["orm", "core", "raw"])
@pytest.mark.parametrize("target", marked(TARGETS, QUICK))
async def test_pool_pressure_keeps_its_connection_for_five_milliseconds(lane, target, opened):
    async with opened(f"pool_pressure/{lane}", target) as arm:
        await arm.prove([0])
        took = await arm.turns(1, 3)
    assert took >= 3 * 5_000_000


# What they show


def in_place_of(name, lane):
    """The scenario *name*, with the lane *lane* alone."""
    given = SHIPPED[name].scenario
    other = Scenario(given.data, given.args, state=given.state, name=name)
    other.lane(lane)
    return Loaded(name, other, None, "")


async def expired(sessions, key, address):
    """reads an attribute after the commit, as an application that knows no better"""
    async with sessions(expire_on_commit=True) as session:
        found = (await session.scalars(module_of("after_commit/kept").ENTITY, {"key": key})).one()
        found.email = address
        await session.commit()
        return found.email


async def test_an_expired_entity_cannot_be_read_in_asyncio(opened):
    async with opened("after_commit/expired", loaded=in_place_of("after_commit", expired)) as arm:
        with pytest.raises(MissingGreenlet):
            await arm.turns(0, 1)


def pending(autoflush):
    async def pends(sessions, changes):
        """adds a row, then counts those of its name"""
        module = module_of("autoflush/on")
        row = module.developer(TABLE_ROWS + 1, TABLE_ROWS) | {"name": changes[0][1]}
        async with sessions(autoflush=autoflush) as session:
            session.add(module.Developer(**row))
            those = select(func.count()).where(module.Developer.name == row["name"])
            return await session.scalar(those)

    return pends


@pytest.mark.parametrize(("on", "rows"), [(True, 1), (False, 0)])
async def test_without_autoflush_a_pending_row_is_not_seen(on, rows, opened):
    loaded = in_place_of("autoflush", pending(on))
    async with opened("autoflush/pends", loaded=loaded) as arm:
        assert (await arm.prove([0]))["sample"] == str(rows)


# A process of its own

PASSWORD = "sesame-5f3a"  # nothing opens with it: the embedded server asks for none


def children():
    """The processes of this one, each as (command line, environment)."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            try:
                proc = Path("/proc", pid)
                found.append(((proc / "cmdline").read_bytes(), (proc / "environ").read_bytes()))
            except OSError:
                continue  # it has just ended
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_a_cold_process_is_told_its_password_where_nobody_else_reads_it(
    opened, server, monkeypatch
):
    where, told, seen = replace(server.address, password=PASSWORD), [], []
    module = module_of("cold/process")
    tell = module.told
    monkeypatch.setattr(module, "told", lambda *given: told.append(tell(*given)) or told[-1])
    async with opened("cold/process", address=where) as arm:
        running = asyncio.create_task(arm.prove([0]))
        while not running.done():
            seen += [one for one in children() if b"create_async_engine" in one[0]]
            await asyncio.sleep(0.01)
        assert (await running)["checked"] == 1
    assert seen
    assert PASSWORD.encode() in told[0]  # it has one
    assert not any(PASSWORD.encode() in part for one in seen for part in one)


@pytest.mark.parametrize("target", marked([ASYNC, SYNC], [ASYNC]))
async def test_a_cold_process_that_fails_says_why(target, opened, server):
    nowhere = replace(server.address, port=1)
    async with opened("cold/process", target, address=nowhere) as arm:
        with pytest.raises(RuntimeError, match=r"Error") as caught:
            await arm.turns(0, 1)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_a_cold_process_does_not_outlive_a_lane_that_is_ended(opened, monkeypatch):
    monkeypatch.setattr(module_of("cold/process"), "AWAITS", "import time; time.sleep(77)")
    async with opened("cold/process") as arm:
        running = asyncio.create_task(arm.turns(0, 1))
        await _until(lambda: sleeping() == 1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await _until(lambda: sleeping() == 0)


def sleeping():
    return sum(b"time.sleep(77)" in command for command, _ in children())


async def _until(holds):
    until = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < until
        await asyncio.sleep(0.005)
