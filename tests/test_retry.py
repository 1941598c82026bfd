"""What a server ends is made again: real conflicts, through each driver's own exception."""

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from random import Random

import pymysql
import pytest
from conflicts import LOADED, WITHOUT_AUDIT, Control, bound_lane, half_way, lanes_of, once
from real_targets import marked, required
from sqlalchemy.exc import DBAPIError, NoResultFound

from ormbench.lanes.outcomes import Outcomes
from ormbench.lanes.retry import Guard, conflict, guarded, guarded_sync
from ormbench.policy import CONFLICTS, POLICY, Policy
from ormbench.run.context import Site
from ormbench.scenario import BrokenInvariantError
from ormbench.targets.target import TARGETS
from ormbench.truth.tables import Tables

NOTHING = {"aborted": {}, "failed": {}, "broken": 0}
QUICK = ("postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2")
POSTGRESQL = [name for name in TARGETS if TARGETS[name].server == "PostgreSQL"]
FAMILY = [name for name in TARGETS if TARGETS[name].server != "PostgreSQL"]
MARIADB = [name for name in TARGETS if TARGETS[name].server == "MariaDB"]


def site_on(running):
    tables = Tables(running.address, 1, f"retry{os.getpid()}")
    try:
        tables.prepare([LOADED])
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


@pytest.fixture
def control(site):
    one = Control(site)
    yield one
    one.close()


def aborted(kind, times=1):
    return {**NOTHING, "aborted": {kind: times}}


async def met(name, lane, site, isolation, then, meeting):
    """What was counted of one operation that met *meeting*; another one after it meets nobody."""
    bound = await bound_lane(name, lane, site, isolation)
    try:
        await once(bound, 1, "")
        bound.outcomes.take()
        with meeting:
            await once(bound, 1, then)
        found = bound.outcomes.take()
        await once(bound, 1, "")
        assert bound.outcomes.take() == NOTHING
        assert bound.opened() == 1, "the conflict cost a connection"
    finally:
        await bound.close()
    return found


@pytest.mark.parametrize("name", marked(POSTGRESQL, QUICK))
async def test_a_row_that_has_changed_since_the_snapshot_is_a_serialization_failure(
    name, site, control
):
    for lane in lanes_of(TARGETS[name]):
        control.put_back()
        meeting = half_way(lambda: control.add(1, 10))
        found = await met(name, lane, site, "repeatable-read", "write", meeting)
        assert (lane, found) == (lane, aborted("serialization failure"))
        assert control.numbers() == [13, 0]


@pytest.mark.parametrize("name", marked(POSTGRESQL, QUICK))
async def test_a_commit_that_fails_is_made_again(name, site, control):
    for lane in lanes_of(TARGETS[name]):
        control.put_back()
        found = await met(name, lane, site, "serializable", "commit", half_way(control.skewed))
        assert (lane, found) == (lane, aborted("serialization failure"))
        assert control.numbers() == [3, 10]


@pytest.mark.parametrize("name", marked(POSTGRESQL, ("postgresql+asyncpg",)))
async def test_a_deadlock_of_postgresql_is_made_again(name, site, control):
    """After deadlock_timeout, a second: so two lanes, of which only raw lets the server add."""
    for lane, left in (("orm", None), ("raw", [13, 11])):
        control.put_back()
        found = await met(name, lane, site, "read-committed", "lock", control.deadlock())
        assert (lane, found) == (lane, aborted("deadlock"))
        assert left in (None, control.numbers())


@pytest.mark.servers
@pytest.mark.parametrize("name", FAMILY)
async def test_a_deadlock_of_mysql_and_mariadb_is_made_again(name, site, control):
    for lane in lanes_of(TARGETS[name]):
        control.put_back()
        found = await met(name, lane, site, "repeatable-read", "lock", control.deadlock())
        assert (lane, found) == (lane, aborted("deadlock"))
        assert lane == "orm" or control.numbers() == [13, 11]  # the ORM writes what it has read


@contextmanager
def setting(control, name, value):
    """What new connections find set, for a while."""
    with control.begun() as connection:
        before = connection.exec_driver_sql(f"SELECT @@GLOBAL.{name}").scalar_one()
        connection.exec_driver_sql(f"SET GLOBAL {name} = {value}")
    try:
        yield
    finally:
        with control.begun() as connection:
            connection.exec_driver_sql(f"SET GLOBAL {name} = {before}")


@pytest.mark.servers
@pytest.mark.parametrize("name", ["mysql+aiomysql", "mariadb+pymysql"])  # five seconds each
async def test_a_lock_that_is_not_had_in_time_is_asked_for_again_in_another_transaction(
    name, site, control
):
    """The server undoes the one statement alone; what came before it is undone by the lane."""
    for lane in ("core", "raw"):
        control.put_back()
        free = threading.Event()
        timer = threading.Timer(2.5, free.set)
        with setting(control, "innodb_lock_wait_timeout", 1):
            timer.start()
            meeting = control.held(20, free)
            found = await met(name, lane, site, "repeatable-read", "lock", meeting)
        timer.join()
        assert set(found.pop("aborted")) == {"lock wait time-out"}, lane
        assert found == {"failed": {}, "broken": 0}
        assert control.numbers() == [3, 11]


@pytest.mark.servers
@pytest.mark.parametrize("name", MARIADB)
async def test_a_record_that_has_changed_is_told_by_mariadb_where_snapshots_are_isolated(
    name, site, control
):
    for lane in lanes_of(TARGETS[name]):
        control.put_back()
        with setting(control, "innodb_snapshot_isolation", 1):
            meeting = half_way(lambda: control.add(1, 10))
            found = await met(name, lane, site, "repeatable-read", "write", meeting)
        assert (lane, found) == (lane, aborted("record has changed"))
        assert control.numbers() == [13, 0]


@pytest.mark.parametrize("name", ["postgresql+asyncpg", "postgresql+psycopg2"])
async def test_an_operation_that_gives_up_has_failed_and_left_nothing(name, site, control):
    policy = Policy(attempts=3)
    bound = await bound_lane(name, "core", site, "repeatable-read", WITHOUT_AUDIT)
    guard = Guard(bound.outcomes, retries=True, pool=False, policy=policy)
    around = guarded_sync if bound.runs == "threads" else guarded
    tried = replace(bound, operation=around(bound.operation, guard))
    control.put_back()
    try:
        with half_way(*[lambda: control.add(1, 10)] * 3):
            assert await once(tried, 1, "write") is None
    finally:
        await bound.close()
    kind = "serialization failure"
    assert bound.outcomes.take() == {**aborted(kind, 3), "failed": {"gave up after 3 attempts": 1}}
    assert bound.outcomes.take() == NOTHING
    assert control.numbers() == [30, 0]


@pytest.mark.parametrize("name", ["postgresql+asyncpg"])
async def test_an_error_of_another_kind_is_raised_and_not_counted(name, site):
    bound = await bound_lane(name, "core", site, None)
    try:
        with pytest.raises(DBAPIError):
            await once(bound, "not a number", "")
        with pytest.raises(NoResultFound):
            await once(bound, 1_000, "")
        assert bound.outcomes.take() == NOTHING
    finally:
        await bound.close()


@pytest.mark.parametrize(
    "error", [KeyError(1213), ValueError("40001"), RuntimeError(1020, "x"), TimeoutError()]
)
def test_a_number_alone_makes_no_conflict(error):
    assert conflict(error) is None


def test_a_conflict_is_found_behind_what_was_raised_from_it():
    deadlock = pymysql.err.OperationalError(1213, "Deadlock found")
    outer = RuntimeError("the service failed")
    outer.__cause__ = DBAPIError("UPDATE", {}, deadlock)
    assert conflict(outer) == "deadlock"


@pytest.mark.parametrize("name", ["postgresql+asyncpg", "postgresql+psycopg2"])
async def test_a_cell_that_is_not_about_failing_has_nothing_around_its_operations(name, site):
    for lane in lanes_of(TARGETS[name]):
        bare = await bound_lane(name, lane, site, "serializable", WITHOUT_AUDIT)
        audited = await bound_lane(name, lane, site, None)
        await bare.close()
        await audited.close()
        assert "guarded" not in bare.operation.__qualname__
        assert "guarded" in audited.operation.__qualname__


def test_a_broken_invariant_is_counted_where_there_is_an_audit_and_raised_elsewhere():
    outcomes = Outcomes()

    def operation(_values):
        raise BrokenInvariantError("a pair holds 3, not 2")

    assert guarded_sync(operation, Guard(outcomes, retries=True, pool=False))(()) is None
    assert outcomes.take() == {**NOTHING, "broken": 1}
    with pytest.raises(BrokenInvariantError):
        guarded_sync(operation, Guard(outcomes, retries=False, pool=True))(())
    assert outcomes.take() == NOTHING


def test_threads_that_count_at_once_lose_no_count():
    outcomes, many = Outcomes(), 300

    def count():
        for number in range(many):
            outcomes.abort(f"why {number}")
            outcomes.fail(f"why {number}")
            outcomes.break_off()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    found = outcomes.take()
    assert found["broken"] == 4 * many
    assert set(found["aborted"].values()) == set(found["failed"].values()) == {4}


# The policy


def test_a_pause_is_random_and_doubles_up_to_the_longest():
    policy, random = Policy(first_pause=0.001, longest_pause=0.004), Random(7)
    for attempt, most in ((1, 0.001), (2, 0.002), (3, 0.004), (4, 0.004), (1_000, 0.004)):
        pauses = [policy.pause(attempt, random) for _ in range(200)]
        assert most / 2 < max(pauses) <= most
        assert min(pauses) < most / 4


def test_the_policy_is_stated_in_words_with_every_code():
    assert POLICY.words.endswith(
        ": up to 50 attempts, a random pause of at most 0.5 ms that doubles to 20 ms; "
        "the whole unit of work again, from checkout on"
    )
    assert all(str(code) in POLICY.words for code in CONFLICTS)
    assert "up to 7 attempts" in Policy(attempts=7).words


def test_the_policy_can_be_read_without_a_driver():
    asked = "import sys, ormbench.policy; print([m for m in sys.modules if 'sqlalchemy' in m])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
