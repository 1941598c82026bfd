"""A run with several processes an arm: it goes on where it ended, and leaves none behind."""

import json
import os
import sys
from pathlib import Path

import pytest
from command import SMALL, descendants, finish, lives, only_run, run, start, wait_for

from ormbench.results.folder import read

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
    pytest.mark.servers,
    pytest.mark.slow,
]
WORDS = ("get_by_id", "--lane", "core", "--clients", "4", "--processes", "1,2", "--out", "runs")
INTERRUPTED = 130


def workers(pid):
    """The worker processes below *pid*."""
    return [one for one in descendants(pid) if "ormbench.load.worker" in command_line(one)]


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
    except OSError:
        return ""


def test_a_terminated_run_leaves_no_worker_behind(tmp_path):
    process = start("run", *WORDS, "--blocks", "40", "--rounds", "4", cwd=tmp_path)
    try:
        both = wait_for(lambda: len(found := workers(process.pid)) == 2 and found)
        process.terminate()
        assert finish(process).code == INTERRUPTED
    finally:
        process.kill()
        process.communicate()
    wait_for(lambda: not any(map(lives, both)))


def test_a_run_with_several_processes_is_resumed_with_slices_of_the_same_size(tmp_path):
    assert run("run", *WORDS, *SMALL, cwd=tmp_path).err == ""
    path = only_run(tmp_path / "runs")
    manifest = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**manifest, "blocks": 2}))
    again = run("run", "--resume", os.fspath(path), "-q", cwd=tmp_path)
    assert again.err == "", again.err
    blocks = read(path).blocks
    assert [block.number for block in blocks] == [0, 1]
    assert {trial.status for block in blocks for trial in block.trials} == {"OK"}
    of_two = [[one for one in block.trials if "processes=2" in one.cell] for block in blocks]
    before, after = ({trial.group: trial.turns for trial in block} for block in of_two)
    assert before == after != {}
