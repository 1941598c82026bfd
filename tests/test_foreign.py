"""What others did on our cores: theirs is counted, ours is not."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ormbench.run import foreign
from ormbench.run.foreign import ForeignLoad
from ormbench.servers.placement import allowed_cpus

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc/stat")
CORES = sorted(allowed_cpus())
SPIN = "while True: pass"


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


@pytest.fixture
def busy():
    """A process that keeps one core busy."""
    process = subprocess.Popen([sys.executable, "-c", SPIN])
    time.sleep(0.2)
    yield process.pid
    process.kill()
    process.wait()


def watched(pids, seconds, server=lambda: 0):
    load = ForeignLoad(server)
    with load.window(CORES, pids):
        time.sleep(seconds)
    return load.share()


def test_another_process_on_our_cores_counts_and_our_own_does_not(busy):
    """In one window, so that whatever else runs here is the same for both."""
    theirs, ours = ForeignLoad(lambda: 0), ForeignLoad(lambda: 0)
    with theirs.window(CORES, [os.getpid()]), ours.window(CORES, [busy]):
        time.sleep(1.0)
    assert theirs.share() - ours.share() > 0.25 / len(CORES)


def test_the_server_s_time_is_not_foreign(busy):
    """A server that says it used all that the busy process did."""
    spent = foreign._process_ns
    plain, excused = ForeignLoad(lambda: 0), ForeignLoad(lambda: spent(busy))
    with plain.window(CORES, []), excused.window(CORES, []):
        time.sleep(1.0)
    assert plain.share() - excused.share() > 0.25 / len(CORES)


def test_what_this_process_does_is_its_own():
    with_us, without = ForeignLoad(lambda: 0), ForeignLoad(lambda: 0)
    with with_us.window(CORES, [os.getpid()]), without.window(CORES, []):
        spin(0.8)
    assert without.share() - with_us.share() > 0.2 / len(CORES)


def test_only_the_cores_that_are_watched_count():
    """A process that is tied to the last core leaves the others as they were."""
    if len(CORES) < 2:
        pytest.skip("one core is all there is")
    last, others = [max(CORES)], sorted(CORES)[:-1]
    here, elsewhere = ForeignLoad(lambda: 0), ForeignLoad(lambda: 0)
    process = subprocess.Popen([sys.executable, "-c", SPIN])
    os.sched_setaffinity(process.pid, last)
    try:
        with here.window(last, []), elsewhere.window(others, []):
            time.sleep(1.0)
        assert here.share() > 0.9  # whoever runs there, it is never idle
        assert elsewhere._room == pytest.approx(here._room * len(others), rel=0.05)
    finally:
        process.kill()
        process.wait()


def test_only_what_happens_inside_a_window_counts():
    inside, across = ForeignLoad(lambda: 0), ForeignLoad(lambda: 0)
    with across.window(CORES, []):
        for _ in range(2):
            with inside.window(CORES, []):
                time.sleep(0.05)
            spin(0.4)
    assert inside._room < 0.5 * across._room
    assert inside._busy < across._busy


def test_a_share_is_between_nothing_and_everything():
    assert 0 <= watched([], 0.2) <= 1
    assert watched([], 0.2, server=lambda: time.monotonic_ns() * 1_000) == 0  # more than there is


def test_nothing_is_known_before_a_window():
    assert ForeignLoad(lambda: 0).share() is None


def test_a_server_that_cannot_be_read_leaves_the_share_unknown():
    assert watched([], 0.01, server=lambda: None) is None


def test_a_process_that_is_gone_leaves_the_share_unknown():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert watched([process.pid], 0.01) is None


def test_a_system_without_proc_leaves_the_share_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(foreign, "Path", lambda path: tmp_path / Path(path).name)
    assert watched([], 0.01) is None


def test_time_in_idle_and_iowait_is_not_busy_and_guests_do_not_count_twice():
    #            user nice system idle iowait irq softirq steal guest guest_nice
    line = "cpu1 1    2    4      8    16     32  64      128   256   512"
    assert foreign._busy_ns(line) == (1 + 2 + 4 + 32 + 64 + 128) * foreign.NS // foreign.TICK
