"""The server closes what a pool leaves idle: what users meet then, and what a ping saves them."""

import os

import pytest
from real_targets import required
from sqlalchemy import text

from ormbench.cell import Cell, Group
from ormbench.lanes.binding import bind
from ormbench.load import idle as trial_of
from ormbench.load.arm import Arm, WrongAnswerError
from ormbench.load.calibration import SliceSize
from ormbench.loader import load, shipped
from ormbench.run import block, idle
from ormbench.run.context import Context, Site
from ormbench.run.routes import Routes
from ormbench.truth.tables import Tables

TABLE_ROWS = 500
SIZE = SliceSize(operations=5, settling=3, rounds=1)
LOADED = {name: shipped()[name] for name in ("after_idle", "get_by_id")}
ASYNCPG = "postgresql+asyncpg"
LOST = {  # what a user without a ping reads, by driver
    "asyncpg": "connection is closed",
    "psycopg": "terminating connection due to idle-session timeout",
    "psycopg_sync": "terminating connection due to idle-session timeout",
    "psycopg2": "server closed the connection unexpectedly",
    "aiomysql": "(2013, 'Lost connection to MySQL server during query')",
    "asyncmy": "(2006, 'MySQL server has gone away')",
    "pymysql": '(2006, "MySQL server has gone away',
    "mysqldb": "(2006, 'Server has gone away')",
}


class Said:
    """Progress that keeps what it is told."""

    def __init__(self):
        self.lines = []

    def block(self, number, blocks): ...
    def group(self, name): ...
    def group_done(self): ...

    def say(self, line):
        self.lines.append(line)


@pytest.fixture
def site(request):
    """Target -> where its server and tables are, for this test."""
    made = []

    def find(target):
        product = required(target).server
        name = "server" if product == "PostgreSQL" else f"{product.lower()}_server"
        server = request.getfixturevalue(name)
        made.append(Tables(server.address, TABLE_ROWS, f"idle{os.getpid()}"))
        made[-1].prepare(LOADED.values())
        return Site(server, made[-1])

    yield find
    for tables in made:
        tables.close()


def measured(there, *cells):
    """The trials of one short block of one group, and what the user was told."""
    group, said = Group("one", cells), Said()
    sites, sizes = {there.server.address.product: there}, {"one": SIZE}
    with Routes() as routes:
        given = (sites, LOADED, (group,), 1, SIZE.rounds, 7, TABLE_ROWS, 30.0, said)
        done = block.measure(Context(*given, sizes=sizes, routes=routes), 0)
    return [next(one for one in done.trials if one.arm == arm) for arm in range(len(cells))], said


def cells(target, *pools, lane="core", clients=1):
    how = {"scenario": "after_idle", "lane": lane, "target": target}
    return [Cell(**how, clients=clients, placement="free", pool=pool) for pool in pools]


def test_an_idle_connection_is_lost_with_an_error_and_a_ping_or_a_new_one_saves_it(site):
    pools = (None, "fitted:ping", "fitted:recycle=1", "nullpool")
    (plain, *careful), said = measured(site(ASYNCPG), *cells(ASYNCPG, *pools))
    assert [one.status for one in (plain, *careful)] == ["OK"] * 4
    lost = {words: count for words, count in plain.idle.items() if words != "answered"}
    assert sum(lost.values()) >= 1
    assert all(LOST["asyncpg"] in words for words in lost)
    assert [one.idle for one in careful] == [{"answered": 5}] * 3
    assert said.lines == []


@pytest.mark.servers
@pytest.mark.parametrize(
    "target",
    [f"postgresql+{one}" for one in list(LOST)[:4]]
    + [f"{product}+{one}" for product in ("mysql", "mariadb") for one in list(LOST)[4:]],
)
def test_each_driver_has_words_of_its_own_for_it(target, site):
    pools = (None, "fitted:ping", "fitted:recycle=3600")
    trials, said = measured(site(target), *cells(target, *pools, lane="orm", clients=3))
    plain, pinged, late = (dict(one.idle) for one in trials)
    assert pinged == {"answered": 9}
    for met in (plain, late):  # a recycle that is longer than the server's limit saves nothing
        assert met.pop("answered") + sum(met.values()) == 9
        assert met
        assert all(LOST[target.partition("+")[2]] in words for words in met)
    assert said.lines == []


def test_no_connection_of_another_scenario_is_closed(site):
    cell = Cell(scenario="get_by_id", lane="core", target=ASYNCPG)
    [trial], _ = measured(site(ASYNCPG), cell)
    assert (trial.status, trial.idle) == ("OK", {})


def test_what_the_server_does_not_close_in_time_is_told_of_and_not_used(site, monkeypatch):
    monkeypatch.setattr(idle, "LIMIT_SECONDS", 2)
    monkeypatch.setattr(idle, "GRACE_SECONDS", -1.9)
    (first, second), said = measured(site(ASYNCPG), *cells(ASYNCPG, None, "fitted:ping"))
    assert [(one.status, one.idle) for one in (first, second)] == [("OK", {})] * 2
    assert [line.partition(": ")[2] for line in said.lines] == [
        "the server keeps 1 idle connections open"
    ] * 2


async def test_the_limit_is_that_of_every_pooled_connection(site):
    there, (cell,) = site(ASYNCPG), cells(ASYNCPG, None, clients=3)
    arm = await opened(cell, there)
    try:
        limited = set(await trial_of.limit(arm, 1))
        with there.tables.connected() as control:
            asked = "SELECT pid FROM pg_stat_activity"
            living = {pid for (pid,) in control.execute(text(asked))}
    finally:
        await arm.close()
    assert len(limited) == 3
    assert limited <= living


async def opened(cell, there):
    loaded, tables = LOADED[cell.scenario], there.tables
    bound = await bind(loaded, cell, there.server.address, tables.schema(loaded, 0))
    return Arm(loaded, cell, bound, TABLE_ROWS, timeout=30)


FLAKY = '''"""Flaky: fails on even turns, and is wrong on turn 7."""

from ormbench.scenario import Scenario

flaky = Scenario(args=lambda turn: {"turn": turn}, answer=lambda turn: turn)


@flaky.lane
async def only(turn):
    """one of three"""
    if turn % 2 == 0:
        raise ConnectionError(f"lost {object()}\\nand more of it")
    return 0 if turn == 7 else turn
'''


@pytest.fixture
async def flaky(tmp_path):
    file = tmp_path / "flaky.py"
    file.write_text(FLAKY)
    (loaded,) = load(file)
    cell = Cell(scenario="flaky", lane="only", target="none")
    arm = Arm(loaded, cell, await bind(loaded, cell, None, ""), TABLE_ROWS, timeout=30)
    yield arm
    await arm.close()


async def test_errors_are_counted_by_their_first_line_without_what_differs_each_time(flaky):
    met = await trial_of.operate(flaky, 0, 6)
    assert met == {"ConnectionError: lost <object object at 0x...>": 3, "answered": 3}


async def test_a_wrong_answer_after_the_error_is_found_out(flaky):
    with pytest.raises(WrongAnswerError, match="turn 7"):
        await trial_of.operate(flaky, 6, 2)
