"""Operations that meet on the same rows: what each level lets them lose, on real servers."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from real_targets import marked, required
from sqlalchemy import func, select

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.load.arm import Arm
from ormbench.loader import Loaded, shipped
from ormbench.run.arm import ArmState, EndedError
from ormbench.run.audit import judged, outcome
from ormbench.run.context import Site
from ormbench.scenario import Audit, Scenario
from ormbench.targets.target import TARGETS
from ormbench.truth.tables import Tables

SHIPPED = {
    name: one
    for name, one in shipped().items()
    if name in {"hot_row", "disjoint_rows", "transfer", "read_mostly", "on_call"}
}
HOT = SHIPPED["hot_row"]
ROWS = 500
CLIENTS, OPERATIONS, TRIES = 8, 100, 5
QUICK = ("postgresql+asyncpg",)
POSTGRESQL = marked([name for name in TARGETS if TARGETS[name].server == "PostgreSQL"], QUICK)
FAMILY = marked(["mysql+asyncmy", "mysql+mysqldb", "mariadb+aiomysql", "mariadb+pymysql"])
SOME = marked(  # a driver that awaits and one that blocks, of all products
    [
        "postgresql+asyncpg",
        "postgresql+psycopg2",
        "mysql+aiomysql",
        "mariadb+pymysql",
    ],
    QUICK,
)


def site_on(running):
    tables = Tables(running.address, ROWS, f"contended{os.getpid()}")
    try:
        tables.prepare(SHIPPED.values())
        yield Site(running, tables)
    finally:
        assert tables.close() == []


@pytest.fixture(scope="module")
def postgresql_site(server):
    yield from site_on(server)


@pytest.fixture(scope="module")
def mysql_site(mysql_server):
    yield from site_on(mysql_server)


@pytest.fixture(scope="module")
def mariadb_site(mariadb_server):
    yield from site_on(mariadb_server)


@pytest.fixture
def site(request, name):
    return request.getfixturevalue(f"{required(name).server.lower()}_site")


class Told:
    """What became of one slice."""

    def __init__(self, told, state):
        self.failed, self.aborted, self.broken, self.lost = told
        self.aborts, self.failures = dict(state.aborts), dict(state.failures)


async def contended(site, loaded, lane, name, isolation, clients=CLIENTS, **axes):
    """A slice of a hundred operations by eight clients from the seeded state, and its audit."""
    cell = Cell(
        scenario=loaded.name,
        lane=lane,
        target=name,
        clients=clients,
        isolation=isolation,
        placement="free",
        **axes,
    )
    schema = site.tables.schema(loaded, 0)
    site.tables.reset(loaded, 0)
    bound = await bind(loaded, cell, site.server.address, schema)
    bound.quiet()
    arm = Arm(loaded, cell, bound, ROWS, timeout=60)
    try:
        answer = await arm.slice(0, 0, OPERATIONS, 1)
    finally:
        await arm.close()
    state = ArmState(0, cell, loaded, 0, schema, site)
    told = Told(outcome(state, range(OPERATIONS), answer), state)
    assert told.aborted == sum(told.aborts.values())
    return told


async def worst(what, *given):
    """The slice with the most of *what*, of a few: chance may spare one."""
    slices = []
    for _ in range(TRIES):
        slices.append(await contended(*given))
        if getattr(slices[-1], what):
            break
    return slices[-1]


# What each product's levels let be lost


@pytest.mark.parametrize("name", POSTGRESQL)
async def test_postgresql_loses_updates_at_read_committed_and_from_repeatable_read_on_none(
    name, site
):
    for lane in ("orm", "core", "raw"):
        loose = await worst("lost", site, HOT, lane, name, "read-committed")
        assert (lane, loose.lost > 0, loose.aborts, loose.failed) == (lane, True, {}, 0)
        for level in ("repeatable-read", "serializable"):
            tight = await worst("aborted", site, HOT, lane, name, level)
            assert (lane, tight.lost, tight.failed, tight.broken) == (lane, 0, 0, 0)
            assert set(tight.aborts) == {"serialization failure"}


@pytest.mark.parametrize("name", FAMILY)
async def test_mysql_and_mariadb_lose_updates_at_repeatable_read_too_and_none_at_serializable(
    name, site
):
    for lane in ("orm", "core", "raw"):
        for level in ("read-committed", "repeatable-read"):
            loose = await worst("lost", site, HOT, lane, name, level)
            assert (lane, loose.lost > 0, loose.aborts, loose.failed) == (lane, True, {}, 0)
        tight = await worst("aborted", site, HOT, lane, name, "serializable")
        assert (lane, tight.lost, tight.failed, tight.broken) == (lane, 0, 0, 0)
        assert set(tight.aborts) == {"deadlock"}


@pytest.mark.servers
@pytest.mark.parametrize("name", SOME)
async def test_a_locked_row_and_a_server_that_adds_lose_nothing_at_any_level(name, site):
    for lane in ("core_locked", "core_atomic"):
        for level in ("read-committed", "repeatable-read", "serializable"):
            told = await contended(site, HOT, lane, name, level)
            assert (lane, level, told.lost, told.failed) == (lane, level, 0, 0)
    told = await contended(site, HOT, "core_locked", name, "read-committed")
    assert told.aborted == 0


@pytest.mark.servers
@pytest.mark.parametrize("name", SOME)
async def test_rows_that_nobody_shares_lose_nothing_even_at_read_committed(name, site):
    told = await contended(site, SHIPPED["disjoint_rows"], "orm", name, "read-committed")
    assert (told.lost, told.failed, told.aborted, told.broken) == (0, 0, 0, 0)


@pytest.mark.servers
@pytest.mark.parametrize("name", SOME)
async def test_readers_see_half_a_move_at_read_committed_and_never_from_repeatable_read_on(
    name, site
):
    loaded = SHIPPED["read_mostly"]
    seen = 0  # by whichever lane: such a read is rare
    for lane in ("orm", "core", "raw"):
        for _ in range(3):
            loose = await worst("broken", site, loaded, lane, name, "read-committed")
            assert (lane, loose.lost) == (lane, 0)
            seen += loose.broken
            if seen:
                break
        for level in ("repeatable-read", "serializable"):
            tight = await contended(site, loaded, lane, name, level)
            assert (lane, level, tight.broken, tight.failed) == (lane, level, 0, 0)
    assert seen > 0


@pytest.mark.servers
@pytest.mark.parametrize("name", SOME)
async def test_a_transfer_keeps_its_sum_at_serializable_and_not_at_read_committed(name, site):
    loaded = SHIPPED["transfer"]
    for lane in ("orm", "core_ordered"):
        loose = await worst("broken", site, loaded, lane, name, "read-committed")
        assert (lane, loose.broken, loose.lost > 0) == (lane, 1, True)
        assert loose.aborts == {}, "flushes go in the order of keys"
        tight = await contended(site, loaded, lane, name, "serializable")
        assert (lane, tight.broken, tight.lost, tight.failed) == (lane, 0, 0, 0)


@pytest.mark.servers
@pytest.mark.parametrize("name", SOME)
async def test_transfers_in_opposite_directions_meet_in_deadlocks(name, site):
    for lane in ("core", "raw"):
        told = await worst("aborted", site, SHIPPED["transfer"], lane, name, "read-committed")
        assert (lane, set(told.aborts)) == (lane, {"deadlock"})


@pytest.mark.servers
@pytest.mark.parametrize("name", SOME)
async def test_only_serializable_keeps_a_rule_over_two_rows_of_which_each_writes_one(name, site):
    loaded = SHIPPED["on_call"]
    for lane in ("orm", "core", "raw"):
        loose = await worst("broken", site, loaded, lane, name, "repeatable-read")
        assert (lane, loose.broken > 0, loose.lost) == (lane, True, 0)
        tight = await worst("aborted", site, loaded, lane, name, "serializable")
        assert (lane, tight.broken, tight.failed) == (lane, 0, 0)


# Lanes that are wrong only where others are


def hot(body):
    """hot_row, done by *body* alone."""
    scenario = Scenario(
        HOT.scenario.data,
        HOT.scenario.args,
        state=HOT.scenario.state,
        audit=HOT.scenario.audit,
        name="hot_row",
    )
    scenario.lane(body)
    return Loaded("hot_row", scenario, Path(__file__), "")


accounts = HOT.scenario.data.metadata.tables["accounts"]
READ = select(accounts)
postgresql = pytest.mark.parametrize("name", ["postgresql+asyncpg"])


@postgresql
async def test_a_lane_that_swallows_the_conflict_is_seen_to_lose_updates(name, site):
    async def swallows(sessions, key):
        """drops what could not be serialized, and tells nobody"""
        try:
            async with sessions.begin() as session:
                found = (await session.execute(READ.where(accounts.c.id == key))).one()
                change = accounts.update().where(accounts.c.id == key)
                await session.execute(change.values(balance=found.balance + 1))
        except Exception:  # noqa: BLE001 - that is what is wrong with it
            pass

    told = await worst("lost", site, hot(swallows), "swallows", name, "serializable")
    assert told.lost > 0
    assert told.aborted == told.failed == 0


@postgresql
async def test_a_lane_that_commits_before_it_fails_is_seen_to_have_written_too_much(name, site):
    committed = []

    async def twice(sessions, key):
        """commits one half, and has the whole made again where the other half conflicts"""
        change = accounts.update().where(accounts.c.id == key)
        async with sessions.begin() as session:
            await session.execute(change.values(balance=accounts.c.balance + 1))
        committed.append(key)
        async with sessions.begin() as session:
            found = (await session.execute(READ.where(accounts.c.id == key))).one()
            await session.execute(change.values(balance=found.balance))

    for _ in range(TRIES):
        committed.clear()
        told = await contended(site, hot(twice), "twice", name, "serializable")
        assert (told.broken, told.lost) == (len(committed) - OPERATIONS, 0)
        if told.broken:
            return
    pytest.fail("no second half has ever met a conflict")


@postgresql
async def test_operations_that_give_up_are_failed_and_their_updates_not_lost(
    name, site, monkeypatch
):
    policy = "ormbench.lanes.binding.Guard"
    module = __import__("ormbench.lanes.retry", fromlist=["Guard"])
    once = replace(module.POLICY, attempts=1)
    monkeypatch.setattr(policy, lambda *given: module.Guard(*given, policy=once))
    told = await worst("failed", site, HOT, "core", name, "serializable")
    assert told.failed > 0
    assert told.failures == {"gave up after 1 attempts": told.failed}
    assert told.aborted == told.failed
    assert (told.lost, told.broken) == (0, 0)


# The arithmetic of an audit


def audit(broken=None, updates=1):
    return Audit(
        select(func.count()), lambda rows, turns, _: len(turns) - rows[0][0], broken, updates
    )


@pytest.mark.parametrize(
    ("there", "without", "updates", "expected"),
    [
        (10, 0, 1, (0, 0)),
        (7, 0, 1, (0, 3)),
        (7, 2, 1, (0, 1)),
        (7, 3, 1, (0, 0)),
        (7, 5, 1, (0, 0)),
        (7, 1, 2, (0, 1)),
        (12, 0, 1, (2, 0)),
        (12, 3, 1, (2, 0)),
    ],
    ids=[
        "all there",
        "three lost",
        "two gave up",
        "all three gave up",
        "never negative",
        "two updates each",
        "two that nobody made",
        "nor do those that failed hide them",
    ],
)
def test_lost_are_updates_of_operations_that_have_a_result(there, without, updates, expected):
    assert judged(audit(updates=updates), [(there,)], range(10), 500, without) == expected


@pytest.mark.parametrize(("said", "times"), [(True, 1), (False, 0), (3, 3)])
def test_a_broken_end_state_counts_as_often_as_the_audit_says(said, times):
    assert judged(audit(lambda *_: said), [(10,)], range(10), 500, 0) == (times, 0)
    assert judged(Audit(select(func.count())), [], range(10), 500, 0) == (0, 0)


@postgresql
def test_an_audit_that_fails_ends_the_arm_with_its_words(name, site):
    wrong = replace(HOT.scenario.audit, lost=lambda *_: 1 // 0)
    loaded = Loaded("hot_row", replace(HOT.scenario, audit=wrong), Path(__file__), "")
    cell = Cell(scenario="hot_row", lane="core", target=name)
    state = ArmState(0, cell, loaded, 0, site.tables.schema(loaded, 0), site)
    nothing = {"aborted": {}, "failed": {}, "broken": 0}
    with pytest.raises(EndedError, match="its audit: ZeroDivisionError") as ended:
        outcome(state, range(3), {"outcomes": nothing, "settling": nothing})
    assert ended.value.status == "ERROR"


# Equal work


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("scenario", sorted(SHIPPED))
async def test_orm_core_and_raw_send_the_same_statements(scenario, name, site):
    loaded, sent = SHIPPED[scenario], {}
    for lane in ("orm", "core", "raw"):
        cell = Cell(scenario=scenario, lane=lane, target=name, isolation="serializable")
        schema = site.tables.schema(loaded, 0)
        site.tables.reset(loaded, 0)
        bound = await bind(loaded, cell, site.server.address, schema)
        arm = Arm(loaded, cell, bound, ROWS, timeout=60)
        try:
            await arm.turns(0, 2)  # of read_mostly a move and a read
            told = list(bound.statements)
        finally:
            await arm.close()
        sent[lane] = {re.sub(r"%\(\w+\)s", "%s", text) for text in told}
    assert sent["orm"] == sent["core"] == sent["raw"]
    assert len(sent["core"]) == 2
