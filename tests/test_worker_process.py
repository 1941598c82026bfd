"""The coordinator and its worker: one line each way, and words for every way to die."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from ormbench.cell import Cell
from ormbench.errors import WorkerError
from ormbench.load.histogram import Histogram
from ormbench.loader import shipped
from ormbench.run import worker as worker_module
from ormbench.run.worker import WorkerProcess

MADE = '''
"""Lanes that try the worker's patience."""

import asyncio
import os
import sys

from ormbench.scenario import Scenario

print("printed at import")
made = Scenario(args=lambda turn: {"turn": turn}, answer=lambda turn: turn)


@made.lane
async def talks(turn):
    """prints on both of its outputs, and reads"""
    print("{not json")
    print("to stderr", file=sys.stderr)
    os.write(1, b"past Python\\n")
    assert sys.stdin.read() == ""
    return turn


@made.lane
async def lies():
    """gives no answer"""


@made.lane
async def fails():
    """raises"""
    raise ValueError("first line\\nsecond line")


@made.lane
async def fails_in_a_group():
    """raises from a task of a task"""
    async with asyncio.TaskGroup() as group:
        group.create_task(raises())


async def raises():
    raise KeyError("deep")


@made.lane
async def cancels():
    """raises CancelledError of its own"""
    raise asyncio.CancelledError


@made.lane
async def hangs():
    """does not end"""
    await asyncio.sleep(600)


@made.lane
async def exits():
    """leaves at once"""
    print("last words", file=sys.stderr, flush=True)
    os._exit(7)
'''


WATCHDOG = 0.4


@pytest.fixture
def process():
    """A worker that nobody else uses: it may be killed."""
    with WorkerProcess(hash_seed=1, timeout=WATCHDOG) as one:
        yield one


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A worker that knows the lanes above, and lives through all that they do."""
    with WorkerProcess(hash_seed=1, timeout=WATCHDOG) as one:
        start(one, write(tmp_path_factory.mktemp("made")))
        yield one


def write(folder):
    file = folder / "made.py"
    file.write_text(MADE)
    return file


def start(process, file):
    what = {"addresses": {}, "table_rows": 0, "timeout": WATCHDOG}
    return process.demand("start", files=[str(file)], **what)


def opened(process, lane, scenario="made", clients=1):
    cell = Cell(scenario=scenario, lane=lane, target="none", clients=clients)
    process.demand("open", arm=0, cell=asdict(cell), schema="")
    return process


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_trial_from_start_to_close(process):
    """Everything that a block asks of a worker, in its order."""
    assert start(process, shipped()["empty"].path)["pid"] == process.pid
    opened(process, "nothing", "empty")
    process.demand("place", cpus=sorted(os.sched_getaffinity(0)))
    assert process.demand("prove", arm=0, turns=[0, 1])["checked"] == 0
    assert process.demand("warm", arm=0, first=2)["operation_ns"] > 0
    process.demand("freeze")
    for first in (100, 200):
        what = {"first": first, "settling": 3, "operations": 50, "seed": 1}
        answer = process.demand("slice", arm=0, **what)
        assert 0 < answer["service_ns"] < answer["wall_ns"]
    assert process.demand("lag", arm=0, first=300, operations=5)["lag_p99_ns"] >= 0
    assert Histogram.decode(process.demand("trial", arm=0)["service"]).count == 100
    process.demand("close")
    assert process.ask("trial", arm=0)["status"] == "ERROR"


def test_what_a_scenario_prints_and_reads_does_not_break_the_protocol(made):
    opened(made, "talks")
    found = made.demand("prove", arm=0, turns=[4, 5])
    assert (found["sample"], found["sql"], found["checked"]) == ("4", [], 2)


@pytest.mark.parametrize(
    ("lane", "status", "words"),
    [
        ("lies", "INCORRECT", "turn 3: answered None, expected 3"),
        ("fails", "ERROR", "ValueError: first line"),
        ("fails_in_a_group", "ERROR", "KeyError: 'deep'"),
        ("cancels", "ERROR", "CancelledError: "),
        ("hangs", "TIMEOUT", "not done after 0.4 s"),
    ],
)
def test_what_a_lane_does_wrong_is_an_answer_and_the_worker_lives_on(made, lane, status, words):
    opened(made, lane)
    assert made.ask("prove", arm=0, turns=[3]) == {"status": status, "reason": words}
    opened(made, "talks")
    assert made.demand("prove", arm=0, turns=[3])["checked"] == 1


@pytest.mark.parametrize("clients", [1, 3])
@pytest.mark.parametrize(
    ("lane", "status", "words"),
    [
        ("fails", "ERROR", "ValueError: first line"),
        ("fails_in_a_group", "ERROR", "KeyError: 'deep'"),
        ("cancels", "ERROR", "CancelledInsideError: the operation was cancelled from inside"),
        ("hangs", "TIMEOUT", "not done after 0.4 s"),
    ],
)
def test_a_slice_ends_with_the_first_error_whatever_the_clients(made, lane, status, words, clients):
    opened(made, lane, clients=clients)
    answer = made.ask("slice", arm=0, first=0, settling=0, operations=6, seed=0)
    assert answer == {"status": status, "reason": words}


def test_what_cannot_fail_by_a_lane_s_doing_is_the_worker_s_failure(made):
    with pytest.raises(WorkerError, match="the worker cannot start: UsageError: scenario file"):
        start(made, "/gone.py")


def test_a_worker_that_dies_is_quoted(process, tmp_path):
    start(process, write(tmp_path))
    opened(process, "exits")
    with pytest.raises(WorkerError, match="the worker ended with code 7: last words"):
        process.ask("prove", arm=0, turns=[0])


def test_a_worker_that_is_killed_says_nothing_and_that_is_said(process):
    start(process, shipped()["empty"].path)
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match="the worker ended with code -9: it said nothing"):
        process.ask("close")


def test_a_message_to_a_worker_that_is_gone_is_a_worker_error(process):
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    for _ in range(2):
        with pytest.raises(WorkerError, match="ended with code"):
            process.ask("close")


def test_a_worker_that_hangs_beyond_its_watchdog_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_module, "PATIENCE", 0.2)
    file = tmp_path / "blocks.py"
    file.write_text("import time\ntime.sleep(600)\n")
    pid = None

    def begin():
        nonlocal pid
        with WorkerProcess(hash_seed=1, timeout=0.2) as one:
            pid = one.pid
            start(one, file)

    with pytest.raises(WorkerError, match=r"did not answer within 0\.4 s"):
        begin()
    assert not runs(pid)


def test_a_worker_ends_when_nobody_speaks_to_it_any_more(process):
    start(process, shipped()["empty"].path)
    process._child._process.stdin.close()
    assert process._child._process.wait(10) == 0


def test_a_worker_ends_when_its_coordinator_is_killed(tmp_path):
    script = tmp_path / "coordinator.py"
    script.write_text(
        "import os, signal\n"
        "from ormbench.run.worker import WorkerProcess\n"
        "one = WorkerProcess(1, 1.0)\n"
        "print(one.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, check=False)
    pid = int(done.stdout)
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not runs(pid)


def test_an_interrupt_is_the_coordinator_s_to_handle(made):
    os.kill(made.pid, signal.SIGINT)
    assert opened(made, "talks").demand("prove", arm=0, turns=[0])["checked"] == 1


def test_hash_seed_and_modules_are_the_worker_s_own(tmp_path, monkeypatch):
    """A file of the current folder does not stand in for a module of the same name."""
    for name in ("ormbench.py", "json.py", "asyncio.py"):
        (tmp_path / name).write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "seeded.py"
    file.write_text(
        "'''Tells its seed.'''\nfrom ormbench.scenario import Scenario\n"
        "import os\nmade = Scenario()\n\n@made.lane\nasync def seed():\n"
        "    'its seed'\n    return os.environ['PYTHONHASHSEED']\n"
    )
    with WorkerProcess(hash_seed=123, timeout=WATCHDOG) as one:
        start(one, file)
        assert opened(one, "seed").demand("prove", arm=0, turns=[0])["sample"] == "'123'"


def test_closing_twice_does_no_harm():
    one = WorkerProcess(hash_seed=1, timeout=1.0)
    one.close()
    one.close()
    assert not runs(one.pid)
