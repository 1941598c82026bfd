"""`ormbench list` where this machine cannot run all of it."""

import os

import pytest
from command import run

from ormbench.servers.placement import CAN_PIN


@pytest.fixture
def one_core():
    """One core is allowed to this thread, and so to the command that it starts."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    yield
    os.sched_setaffinity(0, allowed)


@pytest.mark.skipif(not CAN_PIN, reason="this system keeps no process on a core")
@pytest.mark.usefixtures("one_core")
def test_a_plan_that_cannot_run_here_is_listed_with_the_reason_and_all_else_follows(tmp_path):
    done = run("list", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    told = " ".join(done.out.split())
    assert (
        "rtt Does it matter on my network? (plan rtt has no cell that can run here: an rtt" in told
    )
    assert "updates Which way of updating" in told
    for kind in ("scenarios:", "targets:", "axes:"):
        assert f"\n{kind}\n" in done.out
