"""Waiting until a due time: never early, and not late by asyncio's millisecond."""

import asyncio
import statistics
import sys
import time

import pytest

from ormbench.load.timer import Timer

MS = 1_000_000
now = time.perf_counter_ns
linux = pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux's")


@pytest.fixture
async def timer():
    one = Timer()
    yield one
    one.close()


@pytest.fixture
async def sleeping():
    """A timer as other systems have it: asyncio's sleep."""
    one = Timer()
    one.close()
    return one


async def test_nobody_is_woken_before_the_time(timer):
    for left in (50_000, 500_000, 3 * MS):
        due = now() + left
        await timer.until(due)
        assert now() >= due


async def test_a_due_time_in_the_past_is_not_waited_for(timer):
    ticks = []
    other = asyncio.get_running_loop().call_soon(ticks.append, 1)
    await timer.until(now() - MS)
    assert ticks == []  # it did not so much as yield
    other.cancel()


@linux
async def test_a_due_time_is_met_more_closely_than_asyncio_s_sleep_could(timer):
    late = []
    for _ in range(100):
        due = now() + 1_300_000
        await timer.until(due)
        late.append(now() - due)
    assert statistics.quantiles(late, n=4)[0] < 500_000  # asyncio rounds this one up by 0.7 ms


async def test_without_timerfd_it_sleeps(sleeping):
    due = now() + 3 * MS
    await sleeping.until(due)
    assert due - MS < now() < due + 500 * MS  # asyncio may wake within its clock's resolution


async def test_two_timers_wake_their_own_waiters(timer):
    other, order = Timer(), []

    async def wait(one, left, name):
        await one.until(now() + left)
        order.append(name)

    await asyncio.gather(wait(timer, 30 * MS, "late"), wait(other, 5 * MS, "early"))
    other.close()
    assert order == ["early", "late"]


async def test_a_wait_that_was_cancelled_does_not_end_the_next_one(timer):
    waiting = asyncio.create_task(timer.until(now() + 5 * MS))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    due = now() + 40 * MS
    await timer.until(due)
    assert now() >= due


async def test_a_closed_timer_can_be_closed_again(timer):
    timer.close()
    timer.close()
