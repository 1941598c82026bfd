"""A run that is struck down or interrupted keeps each finished block and leaves nothing running."""

import json
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from command import descendants, finish, lives, only_run, run, start, wait_for

from ormbench.results.folder import read

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
    pytest.mark.slow,
]

USAGE = 2
INTERRUPTED = 130
BLOCKS = 40
SLEEPER = '''"""Sleeper: an operation that takes a while."""

import asyncio

from sqlalchemy import MetaData

from ormbench.scenario import Data, Scenario

sleeper = Scenario(Data(MetaData(), lambda table_rows: ()))


@sleeper.lane
async def short(connection):
    """a nap"""
    await asyncio.sleep(0.01)
'''


@pytest.fixture
def temporary():
    """A temporary folder for the run's own things, its path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as path:
        Path(path).chmod(0o1777)
        yield Path(path)


@pytest.fixture
def running(request, tmp_path, temporary):
    """A run of which at least one block is finished; its processes, and its folder."""
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    what = getattr(request, "param", "sleeper.py")
    words = [what, "--blocks", str(BLOCKS), "--rounds", "1", "--table-rows", "100"]
    variables = {"TMPDIR": str(temporary), "MPLCONFIGDIR": str(tmp_path / "fonts")}
    process = start("run", *words, "-q", "--out", "runs", cwd=tmp_path, **variables)
    try:
        wait_for(lambda: any('"kind":"block"' in one.read_text() for one in trials(tmp_path)))
        yield process, descendants(process.pid), only_run(tmp_path / "runs")
    finally:
        process.kill()
        process.communicate()


def trials(folder):
    return folder.glob("runs/*/trials.jsonl")


def nothing_is_left(pids, temporary):
    """The server, its guardian and the worker end, and their folder with them."""
    assert len(pids) > 3, "a guardian, a server and its children"
    wait_for(lambda: not any(map(lives, pids)))
    wait_for(lambda: not list(temporary.iterdir()))
    return True


@pytest.mark.parametrize("running", ["update_email::orm"], indirect=True)
def test_a_coordinator_that_is_killed_keeps_its_blocks_and_leaves_nothing(running, temporary):
    process, pids, path = running
    process.kill()
    assert finish(process).code == -signal.SIGKILL
    assert nothing_is_left(pids, temporary)
    assert {one.name for one in path.iterdir()} == {"run.json", "trials.jsonl"}
    record = read(path)
    assert 1 <= len(record.blocks) < BLOCKS
    for block in record.blocks:
        assert [trial.status for trial in block.trials] == ["OK"] * 4


def test_an_interrupted_run_is_rendered_and_says_how_to_go_on_which_works(
    running, temporary, tmp_path
):
    process, pids, path = running
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert (done.code, done.err) == (INTERRUPTED, "")
    assert nothing_is_left(pids, temporary)
    before = read(path)
    plural = "s" * (len(before.blocks) != 1)
    resume = f"ormbench run sleeper.py --resume {path.relative_to(tmp_path)}"
    kept = f"{len(before.blocks)} finished block{plural} kept in {path.relative_to(tmp_path)}"
    assert done.out == f"{kept}; go on with: {resume}\n"
    assert (path / "report.html").exists()
    few = len(before.blocks) + 1
    plan_fewer_blocks(path, few)
    again = run(*resume.split()[1:], "-q", "--json", cwd=tmp_path)
    assert again.err == ""
    assert json.loads(again.out)["blocks"] == few
    after = read(path)
    assert [block.number for block in after.blocks] == list(range(few))
    assert after.blocks[: few - 1] == before.blocks


@pytest.mark.servers  # for its seconds
def test_a_terminated_run_ends_like_an_interrupted_one(running, temporary):
    process, pids, path = running
    process.terminate()
    done = finish(process)
    assert done.code == INTERRUPTED
    assert "go on with: ormbench run sleeper.py --resume runs/" in done.out
    assert nothing_is_left(pids, temporary)
    assert read(path).blocks


@pytest.mark.servers  # for its seconds
def test_a_run_does_not_go_on_with_a_lane_that_was_edited(running, tmp_path):
    process, _, path = running
    process.terminate()
    finish(process)
    blocks = len(read(path).blocks)
    (tmp_path / "sleeper.py").write_text(SLEEPER.replace("0.01", "0.02"))
    resume = ["run", "sleeper.py", "--resume", str(path.relative_to(tmp_path))]
    again = run(*resume, cwd=tmp_path)
    assert again.code == USAGE
    assert "lane sleeper/short was edited since" in again.complaint
    assert len(read(path).blocks) == blocks


def test_an_interrupt_before_the_first_block_leaves_no_folder(tmp_path, temporary):
    words = ["get_by_id::orm", "--blocks", "1", "--out", "runs"]
    process = start("run", *words, cwd=tmp_path, TMPDIR=str(temporary))
    said = process.stderr.readline()
    assert "starting PostgreSQL" in said
    pids = wait_for(lambda: descendants(process.pid))
    process.send_signal(signal.SIGINT)
    done = finish(process)
    assert done.code == INTERRUPTED
    assert done.err.splitlines()[-1] == "ormbench: interrupted"
    assert list((tmp_path / "runs").iterdir()) == []
    wait_for(lambda: not any(map(lives, pids)))
    assert list(temporary.iterdir()) == []


def plan_fewer_blocks(path, blocks):
    """Let the run want no more than so many blocks: a test need not wait for forty."""
    manifest = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**manifest, "blocks": blocks}))
