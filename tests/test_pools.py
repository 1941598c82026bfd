"""Pools on real servers: each word means what it says, through each driver, async or not."""

import asyncio
import time
from pathlib import Path

import psycopg
import pytest
from mysql_log import connected, listening
from real_targets import marked, required, server_address
from sqlalchemy import Double, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.lanes.retry import POOL_TIMEOUT
from ormbench.load.arm import Arm
from ormbench.loader import Loaded
from ormbench.scenario import Scenario
from ormbench.targets.target import TARGETS

ASYNCPG = "postgresql+asyncpg"
MS = 1_000_000
NAP = 0.02  # seconds
LENDING = [name for name in TARGETS if not TARGETS[name].driver.not_lent]
LENDING = [name for name in LENDING if TARGETS[name].driver.pool]
LIMITED = [name for name in LENDING if TARGETS[name].driver.pool_waits == "limited"]
POOLED = [name for name in TARGETS if TARGETS[name].driver.pool]
FAMILY = [name for name in TARGETS if TARGETS[name].server != "PostgreSQL"]
QUICK = (ASYNCPG,)
QUICK_POOLS = (ASYNCPG, "postgresql+psycopg_sync")

SLEEPS = {"PostgreSQL": func.pg_sleep, "MySQL": func.sleep, "MariaDB": func.sleep}
NAPS = {
    product: select(sleep(bindparam("seconds", type_=Double))) for product, sleep in SLEEPS.items()
}
IDS = {"PostgreSQL": select(func.pg_backend_pid())}
IDS |= dict.fromkeys(("MySQL", "MariaDB"), select(func.connection_id()))


def scenario_of(product):
    """Lanes that sleep on the server, or say which connection they had."""
    nap, who = NAPS[product], IDS[product]
    scenario = Scenario(args=lambda turn: {"seconds": NAP}, name="pools")  # noqa: ARG005

    @scenario.lane
    async def core(connection, seconds):
        """sleeps on the server"""
        await connection.execute(nap, {"seconds": seconds})

    @scenario.lane
    async def orm(session, seconds):
        """sleeps on the server"""
        await session.execute(nap, {"seconds": seconds})

    @scenario.lane
    async def raw(driver, seconds):
        """sleeps on the server"""
        await driver.fetch_one(nap, seconds)

    @scenario.lane
    async def raw_held(driver, seconds):
        """sleeps on the server"""
        await driver.fetch_one(nap, seconds)

    @scenario.lane
    async def who_core(connection):
        """the server's id of its connection"""
        return (await connection.execute(who)).scalar_one()

    @scenario.lane
    async def who_raw(driver):
        """the server's id of its connection"""
        return (await driver.fetch_one(who))[0]

    @scenario.lane
    async def both(sessions):
        """the server's ids of the connections of two sessions at once"""
        async with sessions() as one, sessions() as other:
            return (await one.execute(who)).scalar_one(), (await other.execute(who)).scalar_one()

    @scenario.lane
    async def fails(connection):
        """what the server does not know"""
        await connection.execute(text("SELECT no_such_column"))

    for lane, body in (("core", core), ("orm", orm), ("raw", raw), ("raw_held", raw_held)):
        blocking(scenario, lane, body, nap)
    scenario.twin(who_core)(who_core_twin(who))
    scenario.twin(who_raw)(who_raw_twin(who))
    scenario.twin(both)(both_twin(who))
    return Loaded("pools", scenario, Path("pools.py"), "Pools.")


def blocking(scenario, lane, body, nap):
    """The twin of a lane that sleeps: its statement is not the module's, so none follows."""
    if lane in {"raw", "raw_held"}:

        def twin(driver, seconds):
            driver.fetch_one(nap, seconds)

    elif lane == "orm":

        def twin(session, seconds):
            session.execute(nap, {"seconds": seconds})

    else:

        def twin(connection, seconds):
            connection.execute(nap, {"seconds": seconds})

    scenario.twin(body)(twin)


def who_core_twin(who):
    def twin(connection):
        return connection.execute(who).scalar_one()

    return twin


def who_raw_twin(who):
    def twin(driver):
        return driver.fetch_one(who)[0]

    return twin


def both_twin(who):
    def twin(sessions):
        with sessions() as one, sessions() as other:
            return one.execute(who).scalar_one(), other.execute(who).scalar_one()

    return twin


class Opened:
    """An arm of one of these lanes, whose clients run whatever turns they are told."""

    def __init__(self, arm):
        self.arm, self.bound = arm, arm.bound

    async def run(self, operations):
        """What a slice of so many operations answers."""
        return await self.arm.slice(0, 0, operations, seed=1)

    async def each(self, times):
        """What that many operations answer, one after the other."""
        return [(await self.arm.clients.once(()))[0] for _ in range(times)]

    async def waits(self, operations):
        """The checkout waits of so many operations, in ns."""
        with self.bound.waits() as found:
            await self.run(operations)
        return found

    async def ids(self):
        """The server's ids of the connections that answer when all are asked."""
        product = TARGETS[self.arm.cell.target].server
        who = "SELECT pg_backend_pid()" if product == "PostgreSQL" else "SELECT CONNECTION_ID()"
        return [rows[0][0][0] for rows in await self.bound.ask([who])]


@pytest.fixture
def story(request):
    """Runs a coroutine function on an arm that is open; the test asks for a target by name."""

    def run(target, told, lane="core", **axes):
        known = required(target)
        address = server_address(request, known)
        cell = Cell(scenario="pools", lane=lane, target=target, placement="free", **axes)
        schema = "public" if known.server == "PostgreSQL" else address.database

        async def all_of_it():
            loaded = scenario_of(known.server)
            bound = await bind(loaded, cell, address, schema)
            arm = Arm(loaded, cell, bound, 1, timeout=20)
            try:
                return await told(Opened(arm))
            finally:
                bound.quiet()
                await arm.close()

        return asyncio.run(all_of_it())

    return run


@pytest.mark.parametrize("target", marked(TARGETS, QUICK))
@pytest.mark.parametrize(
    ("word", "clients", "opened"),
    [
        (None, 3, 3),
        ("fitted:ping", 3, 3),
        ("5+10", 12, 5),
        ("5+10", 3, 3),
        ("20+0:lifo:ping:timeout=2:recycle=60:reset=none", 2, 2),
        ("static", 1, 1),
    ],
)
def test_what_stays_and_is_needed_is_open_before_the_first_operation(
    target, word, clients, opened, story
):
    async def told(there):
        ids = await there.ids()
        return there.bound.opened(), len(set(ids)), there.bound.opened(), len(ids)

    assert story(target, told, pool=word, clients=clients) == (opened,) * 4


@pytest.mark.parametrize("target", marked(TARGETS, QUICK))
def test_a_nullpool_connects_for_each_operation_and_has_nobody_to_ask(target, story):
    async def told(there):
        before = there.bound.opened()
        answer = await there.run(6)
        return before, answer["new"], await there.ids(), there.bound.opened() - before

    assert story(target, told, pool="nullpool", clients=2) == (1, 6, [], 6)


@pytest.mark.parametrize("target", marked(TARGETS, QUICK))
def test_overflow_connections_come_and_go_and_those_that_stay_can_be_asked(target, story):
    async def told(there):
        answer = await there.run(24)
        opened = there.bound.opened()
        return answer["new"], await there.ids(), there.bound.opened() - opened

    new, ids, by_asking = story(target, told, pool="1+3", clients=4)
    assert new >= 3
    assert (len(ids), by_asking) == (1, 0)


@pytest.mark.parametrize("target", marked(TARGETS, QUICK))
def test_a_static_pool_hands_out_its_one_connection_to_whoever_asks(target, story):
    async def told(there):
        ((one, other),) = await there.each(1)
        return one == other, there.bound.opened()

    assert story(target, told, "both", pool="static") == (True, 1)
    assert story(target, told, "both", pool="2+0") == (False, 2)


@pytest.mark.parametrize("target", marked(TARGETS, QUICK))
def test_as_many_as_clients_open_none_in_use(target, story):
    async def told(there):
        before = set(await there.ids())
        answer = await there.run(24)
        return answer["new"], before == set(await there.ids()), len(before)

    assert story(target, told, pool="4+0", clients=4) == (0, True, 4)


@pytest.mark.parametrize("target", marked(TARGETS, QUICK))
def test_last_in_first_out_keeps_to_one_connection_and_the_other_goes_round(target, story):
    async def told(there):
        return len(set(await there.each(8)))

    assert story(target, told, "who_core", pool="4+0:lifo", clients=4) == 1
    assert story(target, told, "who_core", pool="4+0", clients=4) == 4


@pytest.mark.parametrize("target", marked(TARGETS, QUICK))
@pytest.mark.parametrize("word", ["2+0:recycle=0", "static:recycle=0"])
def test_recycling_after_no_time_replaces_the_connection_at_each_checkout(target, word, story):
    async def told(there):
        before = there.bound.opened()
        return len(set(await there.each(4))), there.bound.opened() - before

    assert story(target, told, "who_core", pool=word) == (4, 4)


def control(request):
    """A connection to PostgreSQL beside those of the pool."""
    address = request.getfixturevalue("server").address
    return psycopg.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        dbname=address.database,
        autocommit=True,
    )


def ended(target, number, request):
    """End a connection from outside, and wait until the server has."""
    if TARGETS[target].server == "PostgreSQL":
        with control(request) as session:
            session.execute("SELECT pg_terminate_backend(%s, 10000)", [number])
        return
    with connected(server_address(request, TARGETS[target])) as session:
        session.cursor().execute(f"KILL {number}")
    time.sleep(0.2)


@pytest.mark.parametrize("target", marked(TARGETS, QUICK))
@pytest.mark.parametrize("kind", ["1+0", "static", "fitted"])
def test_a_ping_replaces_a_connection_that_the_server_closed(target, kind, story, request):
    async def told(there):
        (first,) = await there.each(1)
        await asyncio.to_thread(ended, target, first, request)
        (second,) = await there.each(1)
        return first != second

    assert story(target, told, "who_core", pool=f"{kind}:ping") is True
    with pytest.raises(DBAPIError):
        story(target, told, "who_core", pool=kind)


@pytest.mark.servers
@pytest.mark.parametrize("target", FAMILY)
@pytest.mark.parametrize("kind", ["1+0", "static", "fitted"])
def test_without_a_reset_no_rollback_follows_the_commit(target, kind, story, request):
    address = server_address(request, TARGETS[target])

    async def told(there):
        (number,) = await there.each(1)
        with connected(address) as control, listening(control, number) as heard:
            await there.each(2)
        return heard.count("COMMIT"), heard.count("ROLLBACK")

    assert story(target, told, "who_core", pool=kind) == (2, 2)
    assert story(target, told, "who_core", pool=f"{kind}:reset=none") == (2, 0)


@pytest.mark.parametrize("target", marked(LENDING, QUICK_POOLS))
def test_the_drivers_own_pool_lends_to_sqlalchemy_and_gets_each_connection_back(target, story):
    async def told(there):
        before = set(await there.ids())
        answer = await there.run(18)
        return there.bound.opened(), len(before), answer["new"], before == set(await there.ids())

    for lane in ("core", "orm"):
        assert story(target, told, lane, pool="driver:size=3", clients=6) == (3, 3, 0, True)
    assert story(target, told, pool="driver", clients=2) == (2, 2, 0, True)


@pytest.mark.parametrize("target", marked(LENDING, QUICK_POOLS))
@pytest.mark.parametrize("transaction", ["per-operation", "autocommit"])
def test_a_lent_connection_comes_back_from_an_operation_that_failed(target, transaction, story):
    async def told(there):
        before = await there.ids()
        for _ in range(3):
            with pytest.raises(DBAPIError):
                await there.each(1)
        return before == await there.ids(), there.bound.opened()

    axes = {"pool": "driver:size=1", "transaction": transaction}
    assert story(target, told, "fails", **axes) == (True, 1)


@pytest.mark.parametrize("target", marked(POOLED, QUICK_POOLS))
def test_a_raw_lane_has_the_drivers_pool_of_the_size_that_is_told(target, story):
    clients = 2 if TARGETS[target].driver.pool_waits == "never" else 6

    async def told(there):
        answer = await there.run(3 * clients)
        return there.bound.opened(), len(await there.ids()), answer["new"]

    assert story(target, told, "raw", pool="driver:size=3", clients=clients) == (3, 3, 0)
    assert story(target, told, "raw", pool="driver", clients=clients) == (clients, clients, 0)


@pytest.mark.parametrize("target", marked(TARGETS, QUICK))
@pytest.mark.parametrize("lane", ["core", "orm"])
def test_who_waits_too_long_for_a_queue_is_an_operation_without_a_result(target, lane, story):
    async def told(there):
        answer = await there.run(32)
        return answer["outcomes"]["failed"], there.arm.times.service.count

    failed, recorded = story(target, told, lane, pool=f"1+0:timeout={NAP / 2}", clients=8)
    assert set(failed) == {POOL_TIMEOUT}
    assert 7 <= failed[POOL_TIMEOUT] < recorded == 32


@pytest.mark.parametrize("target", marked(LIMITED, QUICK_POOLS))
@pytest.mark.parametrize("lane", ["core", "raw"])
@pytest.mark.parametrize("transaction", ["per-operation", "autocommit"])
def test_so_is_who_waits_too_long_for_the_drivers_own_pool(target, lane, transaction, story):
    async def told(there):
        answer = await there.run(32)
        return answer["outcomes"]["failed"], there.arm.times.service.count, await there.ids()

    axes = {"pool": f"driver:size=1:timeout={NAP / 2}", "clients": 8, "transaction": transaction}
    failed, recorded, ids = story(target, told, lane, **axes)
    assert set(failed) == {POOL_TIMEOUT}
    assert 7 <= failed[POOL_TIMEOUT] < recorded == 32
    assert len(ids) == 1


@pytest.mark.parametrize("target", marked(TARGETS, QUICK_POOLS))
@pytest.mark.parametrize("lane", ["core", "orm"])
def test_a_checkout_that_waits_for_another_client_is_timed(target, lane, story):
    async def told(there):
        alone = await there.waits(4)
        return alone, await there.waits(8)

    one = story(target, told, lane, pool="1+0", clients=4)
    assert [len(waits) for waits in one] == [4, 8]
    assert max(one[1]) >= NAP * 1_000 * MS
    four = story(target, told, lane, pool="4+0", clients=4)
    assert [len(waits) for waits in four] == [4, 8]


@pytest.mark.parametrize("target", marked(LENDING, QUICK_POOLS))
@pytest.mark.parametrize("lane", ["core", "raw"])
def test_so_is_one_that_waits_for_the_drivers_own_pool(target, lane, story):
    async def told(there):
        waits = await there.waits(8)
        with there.bound.waits() as after:
            pass
        await there.run(4)
        return waits, after

    waits, after = story(target, told, lane, pool="driver:size=1", clients=4)
    assert (len(waits), after) == (8, [])  # and nothing of the clock is left behind
    assert max(waits) >= NAP * 1_000 * MS


@pytest.mark.parametrize("target", marked(POOLED, QUICK_POOLS))
def test_held_connections_are_waited_for_by_nobody(target, story):
    async def told(there):
        return there.bound.waits

    assert story(target, told, "raw_held", clients=2) is None
    assert story(target, told, "raw", clients=2) is not None


def test_closing_an_arm_closes_each_connection_of_its_pool(story, request):
    async def told(there):
        await there.run(8)
        return await there.ids()

    for word in ("2+2", "driver:size=2", "static", "nullpool"):
        ids = story(ASYNCPG, told, pool=word, clients=1 if word == "static" else 4)
        assert not still_there(ids, request), word


def still_there(ids, request):
    """Those of the server's processes that have not ended after two seconds."""
    with control(request) as session:
        for _ in range(40):
            asked = "SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)"
            if not (found := session.execute(asked, [list(ids)]).fetchall()):
                break
            time.sleep(0.05)
    return found
