"""An arm of several processes on a real server: asked as one, it does each turn once."""

import os
import secrets
import signal
import time
from contextlib import contextmanager
from dataclasses import asdict, replace

import pytest
from command import lives, wait_for
from real_targets import marked
from sqlalchemy import text
from test_event_loops import Silent

from ormbench.cell import Cell, Group
from ormbench.errors import WorkerError
from ormbench.load.calibration import SliceSize
from ormbench.load.histogram import Histogram
from ormbench.loader import load, shipped
from ormbench.run import block, shares
from ormbench.run.arm import EndedError
from ormbench.run.context import Context, Site
from ormbench.run.crew import Crew
from ormbench.run.routes import Routes
from ormbench.run.team import Team
from ormbench.run.worker import ask_each
from ormbench.servers.url import UrlServer
from ormbench.truth.tables import Tables

MS = 1_000_000
ROWS, ROUNDS, WATCHDOG = 500, 2, 0.6
ASYNC, SYNC = "postgresql+asyncpg", "postgresql+psycopg_sync"
WRITING = ("bulk_create", "update_email")
SCRATCH = '''
"""Lanes whose turns differ, and a query that takes its time."""

import asyncio

from sqlalchemy import Integer, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.scenario import Data, Scenario


class Base(DeclarativeBase):
    pass


class Nothing(Base):
    __tablename__ = "nothing"
    id: Mapped[int] = mapped_column(primary_key=True)


shared = Scenario(Data(Base.metadata, lambda table_rows: []), lambda turn: {"turn": turn})


@shared.lane
async def asks(connection, turn):
    """one query"""
    await connection.execute(text("SELECT 1"))


@shared.lane
async def takes(connection, turn):
    """20 ms in the server"""
    await connection.execute(text("SELECT pg_sleep(0.02)"))


@shared.lane
async def refuses(connection, turn):
    """an odd turn is an error"""
    if turn % 2:
        raise ValueError("an odd turn\\nof all things")


@shared.lane
async def hangs(connection, turn):
    """an odd turn does not end"""
    if turn % 2:
        await asyncio.sleep(600)
'''


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    file = tmp_path_factory.mktemp("shared") / "shared.py"
    file.write_text(SCRATCH)
    return load(file)[0]


@pytest.fixture(scope="module")
def site(server, shared):
    tables = Tables(server.address, ROWS, f"team{os.getpid()}")
    try:
        tables.prepare([shared, *(shipped()[name] for name in WRITING)])
        yield Site(server, tables)
    finally:
        tables.close()


def starting(site, shared):
    """The first message of each worker."""
    addresses = {"PostgreSQL": asdict(site.server.address)}
    what = {"addresses": addresses, "table_rows": ROWS, "timeout": WATCHDOG}
    return {"files": [str(shared.path)], **what}


@pytest.fixture(scope="module")
def crew(site, shared):
    """Workers that live through what lanes do wrong."""
    with Crew(1, WATCHDOG, starting(site, shared)) as one:
        yield one


def lane(name="asks", *, clients=4, processes=2, target=ASYNC, **axes):
    given = {"scenario": "shared", "lane": name, "target": target, "placement": "free"}
    return Cell(**given, clients=clients, processes=processes, **axes)


@contextmanager
def opened(crew, site, shared, cell):
    """The team of an arm that is open; closed afterwards."""
    workers = crew.for_cells([cell])[cell.loop]
    team = Team(cell, workers)
    schema = site.tables.schema(shared, 0)
    try:
        team.ask("open", {"arm": 0, "cell": asdict(cell), "schema": schema})
        yield team
    finally:
        team.ask("drop", {"arm": 0})


def sliced(team, operations=8, first=100):
    what = {"arm": 0, "first": first, "settling": 0, "operations": operations, "seed": 5}
    return team.ask("slice", what)


def measured(site, *cells, sizes=None, scenarios=None):
    """The trials of one block of a group of *cells*, as a run has them."""
    loaded = scenarios or {name: shipped()[name] for name in WRITING}
    with Routes() as routes:
        given = ({"PostgreSQL": site}, loaded, (Group("team", cells),), 1, ROUNDS, 7, ROWS, 30.0)
        context = Context(*given, Silent(), sizes=sizes or {}, routes=routes)
        return block.measure(context, 0).trials


def writing(scenario="bulk_create", *, target=ASYNC, **axes):
    given = {"scenario": scenario, "lane": "core", "target": target, "placement": "free"}
    return Cell(**given, clients=4, **axes)


SIZE = {"team": SliceSize(operations=19, settling=5, rounds=ROUNDS)}


# Turns


@pytest.mark.servers  # for its seconds
@pytest.mark.parametrize("target", marked([ASYNC, SYNC], quick=[ASYNC]))
def test_all_turns_of_a_slice_are_done_once_however_many_processes_share_them(site, target):
    """The state check of bulk_create and the server's own counters both see a turn too many."""
    cells = tuple(writing(target=target, processes=count) for count in (1, 2, 4))
    trials = measured(site, *cells, sizes=SIZE)
    assert [(one.status, one.reason, one.unverified) for one in trials] == [("OK", "", "")] * 3
    operations = 20  # what four processes share evenly
    for trial in trials:
        assert [one.operations for one in trial.slices] == [operations] * ROUNDS
        assert trial.turns == ROUNDS * (operations + 8)
        assert trial.counters["transactions"] == trial.turns
        assert Histogram.decode(trial.service).count == ROUNDS * operations
        assert (trial.new_connections, trial.response) == (0, "")
        assert trial.lag_p99_ns is not None
        assert Histogram.decode(trial.checkout).count == operations


@pytest.mark.parametrize(
    ("scenario", "status", "words"),
    [
        ("update_email", "INCORRECT", "after turns "),  # the other half was never done
        pytest.param(  # this half was done twice
            *("bulk_create", "ERROR", "UniqueViolationError: "), marks=pytest.mark.servers
        ),
    ],
)
def test_two_processes_with_the_same_turns_would_be_found_out(
    site, monkeypatch, scenario, status, words
):
    """The split is broken on purpose: all get what the first one gets."""
    split = shares.interleaved
    monkeypatch.setattr(shares, "interleaved", lambda *what: [split(*what)[0]] * 2)
    (trial,) = measured(site, writing(scenario, processes=2), sizes=SIZE)
    assert (trial.status, trial.slices) == (status, ())
    assert trial.reason.startswith(words), trial.reason


@pytest.mark.servers
def test_after_the_proof_of_the_first_process_nobody_listens_to_the_sql_of_any(crew, site, shared):
    cell = lane()
    with opened(crew, site, shared, cell) as team:
        assert team.ask("prove", {"arm": 0, "turns": [0, 1]})["sql"] == ["SELECT 1"]
        for worker in crew.for_cells([cell])["asyncio"]:
            again = worker.ask("quiet", arm=0)  # there is no listener left to take away
            assert "InvalidRequestError" in again["reason"]


def test_processes_begin_no_earlier_than_at_their_common_time(crew, site, shared):
    cell = lane()
    with opened(crew, site, shared, cell):
        workers = crew.for_cells([cell])[cell.loop]
        what = {"arm": 0, "first": 0, "settling": 0, "operations": 8}
        assert ask_each(workers, "settle", shares.interleaved(what, 2)) == [{}, {}]
        start = time.perf_counter_ns() + 60 * MS
        messages = [{"arm": 0, "start": start, "seed": 0}] * 2
        for answer in ask_each(workers, "begin", messages):
            assert answer["ended_ns"] - answer["wall_ns"] >= start


def test_clients_of_all_processes_are_served_at_the_same_time(crew, site, shared):
    with opened(crew, site, shared, lane("takes")) as team:
        found = sliced(team, operations=8)
    assert found["wall_ns"] >= 2 * 20 * MS  # each of four clients has two turns
    assert found["service_ns"] >= 8 * 20 * MS
    assert found["service_ns"] <= 4 * found["wall_ns"]


@pytest.mark.servers
@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
def test_an_open_loop_offers_its_rate_by_all_processes_together(crew, site, shared, arrivals):
    cell = lane(rate=200.0, arrivals=arrivals)
    with opened(crew, site, shared, cell) as team:
        found = sliced(team, operations=20)
        told = team.ask("trial", {"arm": 0})
    assert {Histogram.decode(told[name]).count for name in told} == {20}
    if arrivals == "constant":
        assert found["wall_ns"] >= 19 * 5 * MS  # the last turn is not due earlier


# Connections


def connections(site):
    """The sessions that the server has, by process number."""
    query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
    with site.tables.connected() as control:
        return {str(pid) for pid in control.scalars(text(query))}


@pytest.mark.servers
@pytest.mark.parametrize(("pool", "each"), [(None, 2), ("1+0", 1), ("fitted", 2)])
def test_the_server_holds_processes_times_pool_connections(crew, site, shared, pool, each):
    before = connections(site)
    with opened(crew, site, shared, lane(pool=pool)) as team:
        new = connections(site) - before
        (reading,) = team.ask("counters", {"arm": 0, "times": 1, "flush": False})["readings"]
        assert len(new) == 2 * each == lane(pool=pool).connections
        assert set(reading) == new


@pytest.mark.servers
def test_time_outs_of_each_process_s_own_pool_are_counted_together(crew, site, shared):
    with opened(crew, site, shared, lane("takes", pool="1+0:timeout=0.005")) as team:
        found = sliced(team, operations=8)
    (failed,) = found["outcomes"]["failed"].values()
    assert 2 <= failed < 8  # of two clients before one connection, one waits too long
    assert found["settling"]["failed"] == {}


@contextmanager
def limited(site, most):
    """The server, for a role that may have *most* connections."""
    name = f"few_{secrets.token_hex(3)}"
    with site.tables.connected() as control:
        control.execute(text(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT {most}"))
    try:
        address = replace(site.server.address, user=name)
        yield UrlServer(address, site.server.version, most, {})
    finally:
        with site.tables.connected() as control:
            control.execute(text(f"DROP ROLE {name}"))


TOO_MANY = "TooManyConnectionsError: too many connections for role"


@pytest.mark.servers
def test_a_server_s_limit_is_for_all_processes_and_its_words_are_the_cell_s_reason(site, shared):
    """Each pool of two fits below the limit of three; both together do not."""
    with limited(site, 3) as server:
        cells = (lane(pool="2+0"), lane(pool="2+0", processes=1))
        trials = measured(Site(server, site.tables), *cells, scenarios={"shared": shared})
        user = server.address.user
    assert (trials[0].status, trials[0].slices) == ("ERROR", ())
    assert trials[0].reason == f'{TOO_MANY} "{user}"'


@pytest.mark.servers
@pytest.mark.parametrize("target", marked([ASYNC, "postgresql+psycopg", SYNC], quick=[ASYNC]))
def test_processes_that_could_connect_give_their_connections_back_where_one_could_not(
    crew, site, shared, target
):
    before = connections(site)
    with limited(site, 3) as server:
        cell = lane(pool="2+0", target=target)
        team = Team(cell, crew.for_cells([cell])[cell.loop])
        what = {"arm": 0, "cell": asdict(cell), "schema": site.tables.schema(shared, 0)}
        what["address"] = asdict(server.address)
        with pytest.raises(EndedError, match=r"^[^\n]*too many connections for role[^\n]*$"):
            team.ask("open", what)
        wait_for(lambda: len(connections(site) - before) < 2)
        with pytest.raises(EndedError, match="KeyError"):
            team.ask_first("turns", {"arm": 0, "first": 0, "count": 1})


# Ends


@pytest.mark.servers
@pytest.mark.parametrize(
    ("name", "status", "words"),
    [("refuses", "ERROR", "ValueError: an odd turn"), ("hangs", "TIMEOUT", "not done after 0.6 s")],
)
def test_what_goes_wrong_in_one_process_ends_the_arm_in_its_words_and_both_live_on(
    crew, site, shared, name, status, words
):
    """Of each two turns, the second is the second process's."""
    with opened(crew, site, shared, lane(name)) as team:
        with pytest.raises(EndedError) as caught:
            sliced(team)
        assert (caught.value.status, caught.value.reason) == (status, words)
    with opened(crew, site, shared, lane()) as team:
        assert sliced(team)["service_ns"] > 0
        assert Histogram.decode(team.ask("trial", {"arm": 0})["service"]).count == 8


@pytest.fixture
def mortal(site, shared):
    """Workers that nobody else uses."""
    with Crew(1, WATCHDOG, starting(site, shared)) as one:
        yield one


@pytest.mark.parametrize("do", ["slice", "counters"])
def test_a_process_that_dies_is_told_whatever_the_others_answer(mortal, site, shared, do):
    cell = lane()
    workers = mortal.for_cells([cell])["asyncio"]
    what = {"arm": 0, "first": 0, "settling": 0, "operations": 8, "seed": 0}
    what |= {"times": 1, "flush": False}
    team = Team(cell, workers)
    team.ask("open", {"arm": 0, "cell": asdict(cell), "schema": site.tables.schema(shared, 0)})
    os.kill(workers[1].pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match="the worker ended with code -9: it said nothing"):
        team.ask(do, what)


def test_a_crew_starts_workers_when_they_are_needed_first_and_ends_all(site, shared):
    with Crew(1, WATCHDOG, starting(site, shared)) as crew:
        crew.begin(["asyncio"])
        (first,) = crew.for_cells([lane(clients=1, processes=1)])["asyncio"]
        both = crew.for_cells([lane(clients=1, processes=1), lane()])["asyncio"]
        (again,) = crew.for_cells([lane(clients=1, processes=1)])["asyncio"]
        pids = [worker.pid for worker in both]
        assert pids[0] == first.pid == again.pid
        assert len(set(pids)) == 2
        assert all(map(lives, pids))
    assert not any(map(lives, pids))


def test_a_block_that_is_given_up_leaves_no_process(site, shared):
    pids = []

    def given_up():
        with Crew(1, WATCHDOG, starting(site, shared)) as crew:
            pids.extend(worker.pid for worker in crew.for_cells([lane()])["asyncio"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        given_up()
    assert len(pids) == 2
    assert not any(map(lives, pids))
