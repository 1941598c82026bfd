"""One operation of half a second among operations of a millisecond: who sees it?

Whoever asked in that half second had to wait. Service time, counted from the start of an
operation, shows one slow operation; response time, counted from when it was due, shows the wait.
A closed loop stops asking while it waits and so sees nothing but its maximum: that is coordinated
omission. Two versions: one on a clock of its own, exact; one on the real loop, with wide bounds.
"""

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.load import loop
from ormbench.load.arm import MS, Arm
from ormbench.load.histogram import Histogram
from ormbench.load.schedule import Closed, Constant, Poisson
from ormbench.loader import Loaded
from ormbench.scenario import Scenario

TURNS, STALLED, RATE = 200, 20, 200.0
USUAL, STALL = 1 * MS, 500 * MS
OPEN = [Constant(RATE), Poisson(RATE, 5)]


class Clock:
    """Moves when an operation takes time or a client waits."""

    def __init__(self):
        self.now = 1

    def __call__(self):
        return self.now

    async def until(self, due):
        self.now = max(self.now, due)

    async def operation(self, values):
        self.now += STALL if values[0] == STALLED else USUAL


async def simulated(schedule):
    clock = Clock()
    due = list(schedule.due(TURNS, MS))
    turns = zip(due, ((turn,) for turn in range(TURNS)), strict=True)
    (recorded,) = await loop.run(turns, clock.operation, [clock.until], clock)
    return due, recorded


def histogram(times):
    of = Histogram()
    of.record(times)
    return of


def response(recorded):
    return [sum(pair) for pair in zip(recorded.service, recorded.start_lag, strict=True)]


@pytest.mark.parametrize("schedule", OPEN, ids=["constant", "poisson"])
async def test_response_time_is_exactly_the_wait_for_the_turns_before(schedule):
    """Lindley's recursion (1952): a turn waits for what is left of the work before it."""
    due, recorded = await simulated(schedule)
    wait, expected = 0, []
    for turn, (one, later) in enumerate(pairwise([*due, due[-1]])):
        time = STALL if turn == STALLED else USUAL
        expected.append(wait + time)
        wait = max(0, wait + time - (later - one))
    assert response(recorded) == expected


@pytest.mark.parametrize("schedule", OPEN, ids=["constant", "poisson"])
async def test_a_simulated_stall_is_in_response_time_and_not_in_service_time(schedule):
    _, recorded = await simulated(schedule)
    service, responses = histogram(recorded.service), histogram(response(recorded))
    assert service.percentile(99) == pytest.approx(USUAL, rel=1e-3)
    assert responses.percentile(50) > 50 * USUAL
    assert responses.percentile(90) > 300 * USUAL


@pytest.mark.parametrize("schedule", [Closed(), *OPEN], ids=["closed", "constant", "poisson"])
async def test_a_simulated_stall_drops_no_turn(schedule):
    _, recorded = await simulated(schedule)
    assert Counter(recorded.service) == {USUAL: TURNS - 1, STALL: 1}


async def test_a_simulated_closed_loop_sees_the_stall_in_its_maximum_alone():
    _, recorded = await simulated(Closed())
    service = histogram(recorded.service)
    assert service.percentile(99.5) == pytest.approx(USUAL, rel=1e-3)
    assert service.percentile(100) == pytest.approx(STALL, rel=1e-3)
    assert len(recorded.start_lag) == 0


async def real(seen, **axes):
    """An arm, as a worker has it, whose lane sleeps; one stall on the event loop's own clock."""
    scenario = Scenario(args=lambda turn: {"turn": turn})

    @scenario.lane
    async def sleeps(turn):
        """a millisecond, or half a second"""
        seen.append(turn)
        await asyncio.sleep(0.5 if turn == STALLED else 0.001)

    cell = Cell(scenario="stall", lane="sleeps", target="none", **axes)
    loaded = Loaded("stall", scenario, Path(__file__), "")
    arm = Arm(loaded, cell, await bind(loaded, cell, None, ""), table_rows=0, timeout=30)
    await arm.slice(first=0, settling=0, operations=TURNS, seed=5)
    await arm.close()
    return arm


@pytest.mark.parametrize("arrivals", ["constant", "poisson"])
async def test_a_real_stall_is_in_response_time_and_not_in_service_time(arrivals):
    seen = []
    arm = await real(seen, rate=RATE, arrivals=arrivals)
    assert seen == list(range(TURNS))
    assert arm.times.service.count == arm.times.response.count == arm.times.start_lag.count == TURNS
    assert arm.times.service.percentile(90) < 30 * MS
    assert arm.times.response.percentile(50) > 50 * MS
    assert arm.times.response.percentile(90) > 250 * MS
    assert arm.times.response.percentile(90) > 5 * arm.times.service.percentile(90)


async def test_a_real_closed_loop_sees_the_stall_in_its_maximum_alone():
    seen = []
    arm = await real(seen)
    assert seen == list(range(TURNS))
    assert arm.times.service.percentile(90) < 30 * MS
    assert arm.times.service.percentile(100) >= 499 * MS
    assert arm.times.response.count == arm.times.start_lag.count == 0
