"""The loop: each turn once, nothing but the operation between the two clock reads."""

import asyncio
from itertools import repeat

import pytest

from ormbench.load import loop
from ormbench.load.schedule import NOW, Constant


class Clock:
    """Time as an input: it stands still unless somebody moves it, and counts who looks."""

    def __init__(self, now=1_000_000):
        self.now, self.looks = now, 0

    def __call__(self):
        self.looks += 1
        return self.now

    async def until(self, due):
        self.now = max(self.now, due)


def closed(count):
    return zip(repeat(NOW, count), ((turn,) for turn in range(count)), strict=True)


def run(turns, operation, clock, clients=1):
    return loop.run(turns, operation, [clock.until] * clients, clock)


async def nothing(_values):
    """The empty operation."""


def service(recorded):
    return [time for one in recorded for time in one.service]


async def test_service_time_is_what_the_operation_took():
    clock = Clock()

    async def operation(values):
        clock.now += 100 + values[0]

    recorded = await run(closed(5), operation, clock)
    assert service(recorded) == [100, 101, 102, 103, 104]


@pytest.mark.parametrize("clients", [1, 3])
async def test_the_clock_is_read_twice_for_an_operation_and_at_no_other_time(clients):
    clock, looks = Clock(), []

    async def operation(_values):
        looks.append(clock.looks)

    await run(closed(60), operation, clock, clients)
    assert clock.looks == 2 * 60
    assert looks == list(range(1, 121, 2))


async def test_what_happens_between_operations_is_on_nobody_s_clock():
    clock = Clock()

    def inputs():
        for turn in range(10):
            clock.now += 1_000_000  # as if taking a turn were slow
            yield NOW, (turn,)

    async def operation(_values):
        clock.now += 7

    assert service(await run(inputs(), operation, clock)) == [7] * 10


@pytest.mark.parametrize("clients", [1, 2, 50])
async def test_each_turn_runs_once_whatever_the_number_of_clients(clients):
    seen = []

    async def operation(values):
        seen.append(values[0])
        for _ in range(values[0] % 7):
            await asyncio.sleep(0)

    recorded = await run(closed(1_000), operation, Clock(), clients)
    assert sorted(seen) == list(range(1_000))
    assert len(service(recorded)) == 1_000


async def test_clients_run_at_the_same_time_and_never_more_of_them():
    running = most = 0

    async def operation(_values):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    await run(closed(100), operation, Clock(), clients=8)
    assert most == 8


async def test_more_clients_than_turns_leave_some_idle():
    recorded = await run(closed(3), lambda _values: asyncio.sleep(0), Clock(), clients=10)
    assert sorted(len(one.service) for one in recorded) == [0] * 7 + [1] * 3


async def test_no_turns_are_no_operations():
    clock = Clock()
    assert service(await run(closed(0), nothing, clock, clients=2)) == []
    assert clock.looks == 0


async def test_a_closed_loop_records_no_start_lag():
    recorded = await run(closed(20), nothing, Clock(), clients=2)
    assert [len(one.start_lag) for one in recorded] == [0, 0]


async def test_an_open_loop_starts_a_turn_when_it_is_due_or_when_a_client_is_free():
    clock, started = Clock(0), []

    async def operation(values):
        started.append(clock.now)
        clock.now += values[0]

    due = Constant(1_000).due(4, 1_000_000)  # at 1, 2, 3 and 4 ms
    inputs = [(200_000,), (2_500_000,), (100_000,), (100_000,)]
    (recorded,) = await run(zip(due, inputs, strict=True), operation, clock)
    assert started == [1_000_000, 2_000_000, 4_500_000, 4_600_000]
    assert list(recorded.service) == [200_000, 2_500_000, 100_000, 100_000]
    assert list(recorded.start_lag) == [0, 0, 1_500_000, 600_000]


async def test_an_error_of_an_operation_ends_the_loop_and_comes_out():
    seen = []

    async def operation(values):
        seen.append(values[0])
        if values[0] == 3:
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await run(closed(10), operation, Clock())
    assert [type(one) for one in caught.value.exceptions] == [ZeroDivisionError]
    assert seen == [0, 1, 2, 3]


async def test_an_error_of_one_client_s_operation_ends_all_clients():
    seen, ended = [], []

    async def operation(values):
        seen.append(values[0])
        try:
            await asyncio.sleep(0 if values[0] == 3 else 5)
        except asyncio.CancelledError:
            ended.append(values[0])
            raise
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await run(closed(100), operation, Clock(), clients=6)
    assert [type(one) for one in caught.value.exceptions] == [ZeroDivisionError]
    assert sorted(seen) == [0, 1, 2, 3, 4, 5]
    assert sorted(ended) == [0, 1, 2, 4, 5]


@pytest.mark.parametrize("clients", [1, 4])
async def test_an_operation_that_cancels_itself_does_not_go_missing_in_silence(clients):
    async def operation(values):
        if values[0] == 5:
            raise asyncio.CancelledError

    with pytest.raises(ExceptionGroup) as caught:
        await run(closed(20), operation, Clock(), clients)
    assert [type(one) for one in caught.value.exceptions] == [loop.CancelledInsideError]


@pytest.mark.parametrize("clients", [1, 4])
async def test_a_loop_that_is_cancelled_from_outside_is_cancelled(clients):
    task = asyncio.create_task(run(closed(100), lambda _values: asyncio.sleep(5), Clock(), clients))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
