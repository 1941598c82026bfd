"""A relay or a worker that dies costs its block, and the run goes on: with all its counts."""

import os
import signal
import sys
from pathlib import Path

import pytest
from command import descendants, finish, only_run, start, wait_for

from ormbench.results.folder import read

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")

UNTRUSTED = 3
BLOCKS = 4
WORDS = ("run", "get_by_id", "--lane", "orm,core", "--rtt", "0", "--table-rows", "500")
FEW = ("--blocks", str(BLOCKS), "--rounds", "4", "--out", "runs")


def process_of(module, coordinator):
    """The process that runs *module* for a coordinator, or None."""
    for pid in descendants(coordinator):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if module in command.decode():
            return pid
    return None


@pytest.fixture
def running(tmp_path):
    """A run, and the folder that it writes into."""
    process = start(*WORDS, *FEW, cwd=tmp_path)
    try:
        yield process, tmp_path / "runs"
    finally:
        process.kill()
        process.communicate()


def goes_on_without_a_block(process, folder, said):
    """The run says what died and in which block, and all that it keeps is whole and counted."""
    done = finish(process)
    assert done.code == UNTRUSTED
    assert "Error" not in done.out
    assert said in done.err
    assert "is lost: " in done.err
    blocks = read(only_run(folder)).blocks
    assert 0 < len(blocks) < BLOCKS
    assert {trial.status for block in blocks for trial in block.trials} == {"OK"}
    counts = [count for block in blocks for count in block.counts]
    assert sorted(count.cell for count in counts) == [
        "get_by_id/core/postgresql+asyncpg/rtt=0",
        "get_by_id/orm/postgresql+asyncpg/rtt=0",
    ]
    assert all(count.operations for count in counts)


@pytest.mark.servers  # for its seconds
def test_a_relay_that_dies_costs_its_block_and_the_next_has_another(running):
    process, folder = running
    wait_for(lambda: any('"kind":"block"' in one.read_text() for one in folder.glob("*/*.jsonl")))
    os.kill(process_of("ormbench.wire.relay_process", process.pid), signal.SIGKILL)
    goes_on_without_a_block(process, folder, "the relay ended with code -9")


@pytest.mark.servers
@pytest.mark.servers  # for its 10 seconds
def test_a_block_that_is_lost_takes_no_count_with_it(running):
    process, folder = running
    wait_for(lambda: process_of("ormbench.wire.relay_process", process.pid))
    wait_for(lambda: passed_a_count(process.pid))
    os.kill(process_of("ormbench.load.worker", process.pid), signal.SIGKILL)
    goes_on_without_a_block(process, folder, "the worker ended with code -9")


def passed_a_count(coordinator):
    """Whether the relay has had a second way: the first, on which it counts, was used."""
    relay = process_of("ormbench.wire.relay_process", coordinator)
    return any(int(Path(one).parent.name) > 1 for one in listening(relay))


def target_of(link):
    """Where a link leads; "" where it has just gone."""
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def listening(pid):
    """The unix sockets with a name that a process has open."""
    files = [link for one in Path(f"/proc/{pid}/fd").iterdir() if (link := target_of(one))]
    inodes = {one.removeprefix("socket:[")[:-1] for one in files if one.startswith("socket:")}
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return {line[7] for line in lines if line[6] in inodes and len(line) > 7}
