"""The event loop is an axis: a worker each, slices in turn, and lanes that block one on purpose."""

import asyncio
import os
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import pytest

from ormbench.cell import Cell, Contrast, Group
from ormbench.cli import main
from ormbench.errors import UsageError
from ormbench.load.probe import Probe
from ormbench.load.timer import Timer
from ormbench.load.worker import loop_factory
from ormbench.loader import load, shipped
from ormbench.plan.axes import AXES
from ormbench.plan.comparison import Comparison, expand
from ormbench.plan.runnable import why_not
from ormbench.results.environment import capture
from ormbench.run import block
from ormbench.run.context import Context, Site
from ormbench.run.routes import Routes
from ormbench.run.worker import WorkerProcess
from ormbench.servers.placement import allowed_cpus
from ormbench.servers.supply import EVERYTHING
from ormbench.truth.tables import Tables

MS = 1_000_000
ASYNC, SYNC = "postgresql+asyncpg", "postgresql+psycopg_sync"

SCRATCH = '''
"""A query that takes its time, and lanes that tell where they run."""

import asyncio
import os
import threading

from sqlalchemy import Integer, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.scenario import Data, Scenario


class Base(DeclarativeBase):
    pass


class Nothing(Base):
    __tablename__ = "nothing"
    id: Mapped[int] = mapped_column(primary_key=True)


scratch = Scenario(Data(Base.metadata, lambda table_rows: []))


@scratch.lane
async def core(connection):
    """20 ms in the server"""
    await connection.execute(text("SELECT pg_sleep(0.02)"))


@scratch.lane
async def tells(connection):
    """its event loop, its cores, its hash seed"""
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    return loop, sorted(os.sched_getaffinity(0)), os.environ["PYTHONHASHSEED"]


@scratch.twin(tells)
def tells_in_a_thread(connection):
    name = threading.current_thread().name
    return name, sorted(os.sched_getaffinity(0)), os.environ["PYTHONHASHSEED"]


@scratch.lane
async def gathers(session):
    """at the same time"""
    await asyncio.gather(session.connection())
'''


class Silent:
    """Progress that nobody looks at."""

    def block(self, number, blocks): ...
    def group(self, name): ...
    def group_done(self): ...
    def say(self, text): ...


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    file = tmp_path_factory.mktemp("scratch") / "scratch.py"
    file.write_text(SCRATCH)
    return load(file)[0]


@pytest.fixture(scope="module")
def site(server, scratch):
    tables = Tables(server.address, 500, f"loops{os.getpid()}")
    try:
        tables.prepare([scratch, shipped()["get_by_id"]])
        yield Site(server, tables)
    finally:
        tables.close()


def measured(site, *groups):
    """The first block of *groups*, measured as a run does it."""
    names = {cell.scenario for group in groups for cell in group.cells}
    files = shipped()
    loaded = {name: files[name] for name in names if name in files}
    with Routes() as routes:
        sites = {site.server.product: site}
        given = Context(sites, loaded, groups, 1, 2, 7, 500, 30.0, Silent(), routes=routes)
        return block.measure(given, 0)


# uvloop


@pytest.mark.parametrize("name", ["asyncio", "uvloop"])
def test_timer_and_probe_work_on_every_loop(name):
    async def look():
        timer, loop = Timer(), asyncio.get_running_loop()
        due = time.perf_counter_ns() + 5 * MS
        await timer.until(due)
        late = time.perf_counter_ns() - due
        timer.close()
        async with Probe() as probe:
            await asyncio.sleep(0.02)
        return type(loop).__module__.partition(".")[0], late, len(probe._late)

    with asyncio.Runner(loop_factory=loop_factory(name)) as runner:
        module, late, ticks = runner.run(look())
    assert module == name
    assert 0 <= late < 50 * MS
    assert ticks >= 15


@pytest.mark.servers  # for its seconds
def test_arms_on_asyncio_and_uvloop_are_compared_within_one_group(site):
    cells = tuple(
        Cell(
            scenario="get_by_id", lane="core", target=ASYNC, loop=loop, clients=2, placement="free"
        )
        for loop in ("asyncio", "uvloop", "asyncio")
    )
    contrasts = (Contrast(1, 0, "axis"), Contrast(2, 0, "aa"))
    done = measured(site, Group("loops", cells, contrasts))
    assert [(trial.status, trial.reason) for trial in done.trials] == [("OK", "")] * 3
    assert [trial.cell for trial in done.trials] == [cell.id for cell in cells]
    assert cells[1].id.endswith("/loop=uvloop")
    rounds = Counter((one.round, one.place) for trial in done.trials for one in trial.slices)
    places = range(3)
    assert rounds == Counter({(number, place): 1 for number in range(2) for place in places})
    assert len({one.operations for trial in done.trials for one in trial.slices}) == 1
    assert all(trial.lag_p99_ns is not None for trial in done.trials)


@pytest.fixture(scope="module")
def workers(site, scratch):
    """A worker on each loop, as a block has them."""
    with ExitStack() as stack:
        made = {}
        for loop in ("asyncio", "uvloop"):
            made[loop] = stack.enter_context(WorkerProcess(hash_seed=123, timeout=10, loop=loop))
            addresses = {"PostgreSQL": asdict(site.server.address)}
            what = {"addresses": addresses, "table_rows": 500, "timeout": 10}
            made[loop].demand("start", files=[str(scratch.path)], **what)
        yield made


@pytest.fixture
def opened(workers, site, scratch):
    """Opens a lane in the worker of a loop; closed after the test."""

    def open_in(loop, lane, target, **axes):
        cell = Cell(scenario="scratch", lane=lane, target=target, loop=loop, **axes)
        schema = site.tables.schema(scratch, 0)
        workers[loop].demand("open", arm=0, cell=asdict(cell), schema=schema)
        return workers[loop]

    yield open_in
    for worker in workers.values():
        worker.demand("close")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_worker_has_the_loop_and_the_hash_seed_that_it_was_started_with(loop, opened):
    sample = opened(loop, "tells", ASYNC).demand("prove", arm=0, turns=[0])["sample"]
    assert sample.startswith(f"('{loop}', ")
    assert sample.endswith(", '123')")


def test_threads_that_live_already_move_to_the_cores_of_their_worker(opened):
    everywhere, last = sorted(allowed_cpus()), max(allowed_cpus())
    worker = opened("asyncio", "tells", SYNC)
    worker.demand("warm", arm=0, first=0)
    worker.demand("place", cpus=[last])
    sample = worker.demand("prove", arm=0, turns=[100])["sample"]
    worker.demand("place", cpus=everywhere)
    assert sample == f"('client-0', [{last}], '123')"


def test_an_idle_worker_uses_no_cpu_time(opened):
    idle = opened("uvloop", "core", ASYNC)
    idle.demand("lag", arm=0, first=0, operations=1)
    before = cpu_ticks(idle.pid)
    opened("asyncio", "core", SYNC).demand(
        "slice", arm=0, first=9, settling=0, operations=20, seed=0
    )
    assert cpu_ticks(idle.pid) - before <= 1


def cpu_ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


# What blocks the loop


def test_lanes_on_the_event_loop_run_and_show_how_late_it_is(opened):
    late = {}
    for lane, target in (("core", SYNC), ("core_on_loop", SYNC), ("core", ASYNC)):
        worker = opened("asyncio", lane, target, clients=4, placement="free")
        worker.demand("prove", arm=0, turns=[0, 1])
        found = worker.demand("slice", arm=0, first=10, settling=4, operations=8, seed=0)
        late[lane, target] = worker.demand("lag", arm=0, first=30, operations=8)["lag_p99_ns"]
        worker.demand("close")
        assert found["new"] == 0  # all four connections were open
        assert 2 < found["service_ns"] / found["wall_ns"] <= 4  # all clients are served
    assert late["core_on_loop", SYNC] > 4 * 20 * MS
    assert late["core", SYNC] < late["core_on_loop", SYNC] / 2
    assert late["core", ASYNC] < late["core_on_loop", SYNC] / 2


@pytest.mark.servers  # for its seconds
@pytest.mark.parametrize(
    ("target", "fixture"),
    [
        (SYNC, "server"),
        ("mysql+pymysql", "mysql_server"),
        ("mariadb+pymysql", "mariadb_server"),
    ],
)
def test_threads_and_lanes_on_the_event_loop_stand_beside_each_other(target, fixture, request):
    running = request.getfixturevalue(fixture)
    lanes = ("raw", "orm_on_loop", "core_on_loop", "raw_on_loop")
    cells = tuple(
        Cell(scenario="get_by_id", lane=lane, target=target, clients=4, placement="free")
        for lane in lanes
    )
    tables = Tables(running.address, 500, f"beside{os.getpid()}")
    try:
        tables.prepare([shipped()["get_by_id"]])
        site = Site(running, tables)
        done = measured(site, Group("beside", cells))
    finally:
        tables.close()
    assert [(trial.status, trial.reason) for trial in done.trials] == [("OK", "")] * 4
    assert [proof.answers_checked for proof in done.proofs] == [5] * 4
    assert [trial.new_connections for trial in done.trials] == [0] * 4


def lanes_of(groups):
    return {cell.lane for group in groups for cell in group.cells}


def axes(**given):
    return {name: [given.get(name, axis.default)] for name, axis in AXES.items()}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", set()),
        ("core*", set()),
        ("*loop", set()),
        ("core_on_loop", {"core_on_loop"}),
        ("c*_on_loop", {"core_on_loop"}),
    ],
)
def test_a_lane_on_the_event_loop_is_measured_only_where_its_name_says_so(pattern, expected):
    loaded = {"get_by_id": shipped()["get_by_id"]}
    wanted = Comparison(axes(scenario="get_by_id", lane=pattern, target=SYNC))
    if pattern == "*loop":
        with pytest.raises(UsageError, match="unknown lane"):
            expand(wanted, loaded)
        return
    groups = expand(wanted, loaded).groups
    assert {lane for lane in lanes_of(groups) if lane.endswith("_on_loop")} == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"lane": "core_on_loop", "target": ASYNC},
            "UNSUPPORTED: asyncpg is async and does not block the event loop",
        ),
        (
            {"loop": "uvloop"},
            "UNSUPPORTED: psycopg_sync runs in threads, where no uvloop takes part",
        ),
        ({"loop": "uvloop", "lane": "core_on_loop"}, None),
        ({"loop": "uvloop", "target": ASYNC}, None),
        ({"lane": "raw_on_loop"}, None),
        ({}, None),
    ],
)
def test_a_cell_that_makes_no_sense_is_left_out_with_the_reason(change, reason):
    cell = Cell(**{"scenario": "get_by_id", "lane": "core", "target": SYNC, **change})
    assert why_not(cell, shipped()["get_by_id"], EVERYTHING) == reason


def test_a_lane_without_a_twin_is_unsupported_where_the_driver_blocks_and_nowhere_else(scratch):
    cell = {"scenario": "scratch", "lane": "gathers"}
    reason = why_not(Cell(**cell, target=SYNC), scratch, EVERYTHING)
    line = 1 + SCRATCH[: SCRATCH.index("await asyncio.gather")].count("\n")
    assert reason == (
        f"UNSUPPORTED: lane gathers has no sync twin: line {line} uses asyncio.gather; "
        "write one below @scratch.twin(gathers)"
    )
    assert why_not(Cell(**cell, target=ASYNC), scratch, EVERYTHING) is None


def test_without_uvloop_its_cells_say_what_to_install(monkeypatch):
    find = "ormbench.plan.runnable.importlib.util.find_spec"
    monkeypatch.setattr(find, lambda name: None if name == "uvloop" else object())
    cell = Cell(scenario="get_by_id", lane="core", target=ASYNC, loop="uvloop")
    reason = why_not(cell, shipped()["get_by_id"], EVERYTHING)
    assert reason == "UNSUPPORTED: uvloop is not installed: pip install uvloop"


def test_a_name_that_is_kept_for_the_event_loop_is_refused(tmp_path):
    file = tmp_path / "kept.py"
    file.write_text(
        "from ormbench.scenario import Scenario\nkept = Scenario()\n\n"
        "@kept.lane\nasync def core_on_loop(connection):\n    'rows'\n"
    )
    with pytest.raises(UsageError, match="lane kept/core_on_loop: _on_loop is kept for"):
        load(file)


def test_a_run_of_before_the_axis_is_one_on_asyncio():
    old = {"scenario": "get_by_id", "lane": "core", "target": ASYNC, "clients": 2}
    assert Cell(**old).loop == "asyncio"
    assert "loop" not in Cell(**old).id


@pytest.mark.parametrize(
    ("cell", "told"),
    [("get_by_id/core", 0), ("get_by_id/core_on_loop", 1), (f"get_by_id/core/{SYNC}", 1)],
)
def test_explain_shows_the_twin_where_one_runs(cell, told, tmp_path, capsys):
    assert main(["explain", cell, "--runs", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("    def core(connection, key):") == told


def test_the_versions_of_a_run_hold_the_event_loop_that_it_used():
    cell = {"scenario": "get_by_id", "lane": "core", "target": ASYNC}
    assert "uvloop" not in capture([], [Cell(**cell)]).versions
    assert "uvloop" in capture([], [Cell(**cell), Cell(**cell, loop="uvloop")]).versions
