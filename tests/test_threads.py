"""Clients in threads run the loop without asyncio; on asyncio's loop, what blocks does harm."""

import asyncio
import contextlib
import gc
import threading
import time
from collections import Counter, deque
from itertools import repeat
from pathlib import Path

import pytest

from ormbench.background import BackgroundThread, in_background
from ormbench.cell import Cell
from ormbench.lanes.binding import BoundLane
from ormbench.load import threads
from ormbench.load.arm import MS, Arm, WrongAnswerError
from ormbench.load.loop import CancelledInsideError, Recorded
from ormbench.load.schedule import NOW, Constant
from ormbench.load.threads import ThreadClients, until
from ormbench.load.watchdog import OverdueError
from ormbench.loader import Loaded
from ormbench.scenario import Scenario


class Clock:
    """Time as an input, as in test_loop: the two loops pass the same tests."""

    def __init__(self, now=1_000_000):
        self.now, self.looks = now, 0

    def __call__(self):
        self.looks += 1
        return self.now

    def until(self, due):
        self.now = max(self.now, due)


def closed(count):
    return zip(repeat(NOW, count), ((turn,) for turn in range(count)), strict=True)


def alone(turns, operation, clock):
    """One client, run here."""
    recorded = Recorded()
    threads.client(deque(turns).popleft, operation, recorded, clock.until, clock)
    return recorded


# The loop, on a clock of its own


def test_service_time_is_what_the_operation_took():
    clock = Clock()

    def operation(values):
        clock.now += 100 + values[0]

    assert alone(closed(5), operation, clock).service == [100, 101, 102, 103, 104]


def test_the_clock_is_read_twice_for_an_operation_and_at_no_other_time():
    clock, looks = Clock(), []
    alone(closed(60), lambda _values: looks.append(clock.looks), clock)
    assert clock.looks == 2 * 60
    assert looks == list(range(1, 121, 2))


def test_what_happens_between_operations_is_on_nobody_s_clock():
    clock, left = Clock(), deque(closed(10))

    def take():
        clock.now += 1_000_000  # as if taking a turn were slow
        return left.popleft()

    def operation(_values):
        clock.now += 7

    recorded = Recorded()
    threads.client(take, operation, recorded, clock.until, clock)
    assert recorded.service == [7] * 10


def test_a_closed_loop_records_no_start_lag():
    assert alone(closed(20), lambda _values: None, Clock()).start_lag == []


def test_an_open_loop_starts_a_turn_when_it_is_due_or_when_the_client_is_free():
    clock, started = Clock(0), []

    def operation(values):
        started.append(clock.now)
        clock.now += values[0]

    due = Constant(1_000).due(4, 1_000_000)  # at 1, 2, 3 and 4 ms
    inputs = [(200_000,), (2_500_000,), (100_000,), (100_000,)]
    recorded = alone(zip(due, inputs, strict=True), operation, clock)
    assert started == [1_000_000, 2_000_000, 4_500_000, 4_600_000]
    assert recorded.service == [200_000, 2_500_000, 100_000, 100_000]
    assert recorded.start_lag == [0, 0, 1_500_000, 600_000]


def test_an_index_error_of_the_operation_is_not_the_end_of_the_turns():
    def operation(_values):
        raise IndexError("the lane's own")

    with pytest.raises(IndexError, match="the lane's own"):
        alone(closed(3), operation, Clock())


def test_nobody_is_woken_before_the_time():
    for left in (50_000, 500_000, 3 * MS, -MS):
        due = time.perf_counter_ns() + left
        until(due)
        assert time.perf_counter_ns() >= due


# Threads


@contextlib.contextmanager
def crew(operation, clients):
    made = ThreadClients(operation, clients)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("clients", [1, 2, 20])
async def test_each_turn_runs_once_whatever_the_number_of_threads(clients):
    seen = []

    def operation(values):
        seen.append(values[0])
        if values[0] % 50 == 0:
            time.sleep(0.001)

    with crew(operation, clients) as made:
        lap = await made.run(closed(1_000))
    assert sorted(seen) == list(range(1_000))
    assert sum(len(one.service) for one in lap.recorded) == 1_000
    assert len(lap.recorded) == clients


async def test_an_open_schedule_is_shared_without_losing_a_turn():
    """Due times come from a generator, which two threads must not step at once."""
    seen = []
    due = Constant(20_000).due(400, time.perf_counter_ns())
    turns = zip(due, ((turn,) for turn in range(400)), strict=True)
    with crew(lambda values: seen.append(values[0]), 8) as made:
        lap = await made.run(turns)
    assert sorted(seen) == list(range(400))
    assert all(lag >= 0 for one in lap.recorded for lag in one.start_lag)
    assert sum(len(one.start_lag) for one in lap.recorded) == 400


async def test_each_client_is_a_thread_and_none_is_the_event_loop_s():
    names, all_there = set(), threading.Barrier(5)

    def operation(_values):
        names.add(threading.get_ident())
        all_there.wait(5)  # nobody passes before all clients run at the same time

    with crew(operation, 5) as made:
        for _ in range(3):
            await made.run(closed(5))
    assert len(names) == 5  # kept from lap to lap
    assert threading.get_ident() not in names


async def test_the_event_loop_is_free_meanwhile():
    ticks = []

    async def tick():
        while True:
            ticks.append(1)
            await asyncio.sleep(0.001)

    ticking = asyncio.create_task(tick())
    with crew(lambda _values: time.sleep(0.05), 2) as made:
        await made.run(closed(4))
    ticking.cancel()
    assert len(ticks) > 20


async def test_the_wall_time_starts_with_the_first_operation_and_ends_with_the_last(monkeypatch):
    started, ended = [], []

    def operation(_values):
        started.append(time.perf_counter_ns())
        time.sleep(0.002)
        ended.append(time.perf_counter_ns())

    submit = BackgroundThread.submit

    def late(thread, job):
        time.sleep(0.02)  # as if threads took long to hear of it
        submit(thread, job)

    with crew(operation, 3) as made:
        monkeypatch.setattr(BackgroundThread, "submit", late)
        lap = await made.run(closed(9))
    inside = max(ended) - min(started)
    assert inside <= lap.wall_ns < inside + 15 * MS


async def test_the_cpu_time_of_a_lap_leaves_out_how_its_threads_heard_of_it(monkeypatch):
    submit = BackgroundThread.submit

    def laborious(thread, job):
        end = time.process_time_ns() + 20 * MS
        while time.process_time_ns() < end:
            pass
        submit(thread, job)

    with crew(lambda _values: time.sleep(0.001), 3) as made:
        monkeypatch.setattr(BackgroundThread, "submit", laborious)
        lap = await made.run(closed(9))
    assert 0 < lap.cpu_ns < 20 * MS


async def test_a_lap_after_the_other_is_measured_by_itself():
    with crew(lambda _values: time.sleep(0.001), 2) as made:
        laps = [await made.run(closed(10)) for _ in range(3)]
    for lap in laps:
        assert lap.wall_ns >= 5 * MS
        assert sum(sum(one.service) for one in lap.recorded) <= 2 * lap.wall_ns


async def test_an_error_of_one_thread_ends_all_and_comes_out():
    seen = []

    def operation(values):
        seen.append(values[0])
        time.sleep(0.005)
        if values[0] == 3:
            raise ZeroDivisionError

    with crew(operation, 4) as made:
        with pytest.raises(ExceptionGroup) as caught:
            await made.run(closed(1_000))
        assert [type(one) for one in caught.value.exceptions] == [ZeroDivisionError]
        assert len(seen) < 20
        await made.run(closed(3))  # and the threads live on


async def test_an_operation_that_cancels_itself_does_not_go_missing_in_silence():
    def operation(_values):
        raise asyncio.CancelledError

    with crew(operation, 1) as made, pytest.raises(ExceptionGroup) as caught:
        await made.run(closed(2))
    assert [type(one) for one in caught.value.exceptions] == [CancelledInsideError]


async def test_cancelling_lets_no_further_turn_begin():
    seen = []

    def operation(values):
        seen.append(values[0])
        time.sleep(0.03)

    with crew(operation, 2) as made:
        running = asyncio.create_task(made.run(closed(100)))
        await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        begun = Counter(seen)
        await asyncio.sleep(0.1)
    assert Counter(seen) == begun
    assert len(seen) == 2


async def test_threads_end_with_their_clients():
    before = set(threading.enumerate())
    with crew(lambda _values: None, 10) as made:
        await made.run(closed(10))
        own = set(threading.enumerate()) - before
        assert len([one for one in own if one.name.startswith("client-")]) == 10
    deadline = time.monotonic() + 5
    while any(one.is_alive() for one in own) and time.monotonic() < deadline:
        time.sleep(0.01)  # noqa: ASYNC251 - nothing waits for the loop
    assert not any(one.is_alive() for one in own)


async def test_what_blocks_in_the_background_gives_back_or_raises():
    assert await in_background(lambda: threading.current_thread().daemon) is True
    with pytest.raises(ZeroDivisionError):
        await in_background(lambda: 1 // 0)


async def test_what_never_ends_in_the_background_can_be_given_up():
    hold = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await in_background(lambda: hold.wait(30))
    hold.set()


# An arm


def an_arm(operation, runs="threads", watchdog=20.0, answer=None, **axes):
    """An arm of a scenario without database; *operation* gets ``(turn,)``."""
    scenario = Scenario(args=lambda turn: {"turn": turn}, answer=answer, name="made")

    @scenario.lane
    async def lane(turn):
        """stands for the operation"""

    async def close():
        pass

    loaded = Loaded("made", scenario, Path(__file__), "")
    cell = Cell(scenario="made", lane="lane", target="none", **axes)
    bound = BoundLane(operation, lambda: 0, [], close, lambda: None, runs)
    return Arm(loaded, cell, bound, table_rows=0, timeout=watchdog)


async def test_proof_and_warm_up_run_in_a_thread():
    inside = set()

    def operation(values):
        inside.add(threading.get_ident())
        return values[0]

    arm = an_arm(operation, answer=lambda turn: min(turn, 50))
    assert (await arm.prove([5, 6]))["checked"] == 2
    with pytest.raises(WrongAnswerError, match="turn 51: answered 51, expected 50"):
        await arm.prove([51])
    found = await arm.warm_up(0)
    assert found["turns"] == 20
    assert 0 < found["operation_ns"] < 10 * MS
    assert threading.get_ident() not in inside
    await arm.close()


async def test_the_warm_up_s_estimate_is_the_operation_s_alone(monkeypatch):
    """Not with the way into the thread and back, which no slice has."""
    submit = BackgroundThread.submit

    def late(thread, job):
        time.sleep(0.01)
        submit(thread, job)

    arm = an_arm(lambda _values: None)
    monkeypatch.setattr(BackgroundThread, "submit", late)
    assert (await arm.warm_up(0))["operation_ns"] < 5 * MS
    await arm.close()


@pytest.mark.parametrize("clients", [1, 4])
async def test_a_slice_runs_its_turns_once_and_does_not_record_those_that_settle(clients):
    seen = []
    arm = an_arm(lambda values: seen.append(values[0]), clients=clients)
    found = await arm.slice(first=1_000, settling=5, operations=40, seed=0)
    assert sorted(seen) == list(range(1_000, 1_045))
    assert arm.times.service.count == 40
    assert arm.times.response.count == arm.times.start_lag.count == 0
    assert found["service_ns"] <= clients * found["wall_ns"]
    await arm.close()


async def test_the_sums_of_a_slice_agree_with_what_the_operations_took():
    arm = an_arm(lambda _values: time.sleep(0.002), clients=2)
    found = await arm.slice(first=0, settling=2, operations=20, seed=0)
    assert 20 * 2 * MS <= found["service_ns"] <= 2 * found["wall_ns"]
    assert found["service_ns"] > 0.7 * 2 * found["wall_ns"]  # two clients, always busy
    await arm.close()


async def test_an_open_slice_records_response_time_as_service_time_and_lag():
    arm = an_arm(lambda _values: None, clients=2, rate=2_000.0, arrivals="constant")
    found = await arm.slice(first=0, settling=2, operations=60, seed=0)
    assert arm.times.service.count == arm.times.response.count == arm.times.start_lag.count == 60
    assert found["wall_ns"] > 20 * MS  # it begins when the threads run, the turns were due before
    await arm.close()


@pytest.mark.parametrize("clients", [1, 3])
async def test_the_watchdog_ends_a_slice_and_no_thread_takes_another_turn(clients):
    seen, hold = [], threading.Event()

    def hangs(values):
        seen.append(values[0])
        hold.wait(30)

    arm = an_arm(hangs, watchdog=0.05, clients=clients)
    with pytest.raises(OverdueError, match=r"not done after 0\.05 s"):
        await arm.slice(first=0, settling=0, operations=50, seed=0)
    hold.set()
    await asyncio.sleep(0.05)
    assert sorted(seen) == list(range(clients))
    await arm.close()


async def test_the_watchdog_ends_a_proof():
    hold = threading.Event()
    arm = an_arm(lambda _values: hold.wait(30), watchdog=0.05)
    with pytest.raises(OverdueError):
        await arm.prove([0])
    hold.set()
    await arm.close()


async def test_a_collection_precedes_a_slice():
    order = []
    arm = an_arm(lambda _values: order.append("operation"))

    def collected(phase, _info):
        order.append(phase)

    gc.callbacks.append(collected)
    try:
        await arm.slice(first=0, settling=1, operations=2, seed=0)
    finally:
        gc.callbacks.remove(collected)
    assert order[: order.index("operation") + 1][-3:] == ["start", "stop", "operation"]
    await arm.close()


# What blocks: beside the event loop, and on it


def blocking(_values):
    time.sleep(0.01)


async def on_loop(values):
    await asyncio.sleep(0)
    blocking(values)


async def test_what_blocks_in_threads_leaves_the_event_loop_alone():
    arm = an_arm(blocking, clients=4)
    quiet = await arm.lag(first=0, operations=40)
    await arm.close()
    arm = an_arm(on_loop, "on-loop", clients=4)
    harmed = await arm.lag(first=0, operations=40)
    await arm.close()
    assert harmed > 3 * 10 * MS  # all clients have a turn before anybody else
    assert quiet < harmed / 3


async def test_who_waits_for_a_blocked_event_loop_waits_on_the_clock():
    arm = an_arm(on_loop, "on-loop", clients=2)
    found = await arm.slice(first=0, settling=0, operations=8, seed=0)
    await arm.close()
    assert found["wall_ns"] >= 8 * 10 * MS
    assert found["service_ns"] > 1.7 * found["wall_ns"]
