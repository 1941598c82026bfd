"""One arm in a worker: it proves, warms up, and records the operations of its slices."""

import asyncio
import gc
import time
from pathlib import Path

import pytest

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.load.arm import MS, Arm, WrongAnswerError
from ormbench.load.calibration import WARM_OPERATIONS
from ormbench.load.histogram import Histogram
from ormbench.load.probe import Probe
from ormbench.load.watchdog import OverdueError
from ormbench.loader import Loaded
from ormbench.scenario import Scenario


async def an_arm(body, watchdog=20.0, answer=None, **axes):
    """An arm of a scenario without database, whose only lane is *body*."""
    scenario = Scenario(args=lambda turn: {"turn": turn}, answer=answer, name="made")
    scenario.lane(body)
    loaded = Loaded("made", scenario, Path(__file__), "")
    cell = Cell(scenario="made", lane=body.__name__, target="none", **axes)
    return Arm(loaded, cell, await bind(loaded, cell, None, ""), table_rows=0, timeout=watchdog)


class Seen(list):
    """A lane that keeps the turns that it ran."""

    def lane(self):
        async def noted(turn):
            """keeps its turn"""
            self.append(turn)
            await asyncio.sleep(0)
            return turn

        return noted


# Proof


async def test_answers_that_match_are_counted_and_the_first_is_shown():
    arm = await an_arm(Seen().lane(), answer=lambda turn: turn)
    found = await arm.prove([5, 6, 7])
    assert (found["sample"], found["sql"], found["checked"]) == ("5", [], 3)


async def test_a_scenario_without_answers_has_checked_none():
    arm = await an_arm(Seen().lane())
    assert (await arm.prove([5, 6]))["checked"] == 0


async def test_a_wrong_answer_is_named_with_its_turn():
    arm = await an_arm(Seen().lane(), answer=lambda turn: min(turn, 6))
    with pytest.raises(WrongAnswerError, match="turn 7: answered 7, expected 6"):
        await arm.prove([5, 6, 7])


# Warm-up


async def test_the_warm_up_uses_a_turn_for_each_operation_and_knows_the_fastest():
    seen = Seen()
    arm = await an_arm(seen.lane())
    found = await arm.warm_up(100)
    assert seen == list(range(100, 100 + found["turns"]))
    assert 1 <= found["turns"] <= WARM_OPERATIONS
    assert 0 < found["operation_ns"] < 50 * MS


async def test_the_warm_up_of_a_slow_lane_is_short():
    async def slow():
        """60 ms"""
        await asyncio.sleep(0.06)

    found = await (await an_arm(slow)).warm_up(0)
    assert found["turns"] == 2
    assert found["operation_ns"] >= 59 * MS


@pytest.mark.parametrize("clients", [1, 4])
async def test_a_warm_up_of_few_turns_at_a_time_goes_on_until_it_is_over(clients):
    seen = Seen()
    arm = await an_arm(seen.lane(), clients=clients)
    found, asked = await arm.warm_up(0, most=7), 1
    while not found["over"]:
        assert 1 <= found["turns"] <= 7
        found, asked = await arm.warm_up(7 * asked, most=7), asked + 1
    assert len(seen) == len(set(seen)) == WARM_OPERATIONS + (10 * clients if clients > 1 else 0)
    assert (await arm.warm_up(7 * asked, most=7))["turns"] == 0
    await arm.close()


async def test_a_proof_has_as_many_turns_as_half_a_second_has_room_for():
    async def slow(turn):
        """100 ms, then 300 ms"""
        await asyncio.sleep(0.1 if turn < 7 else 0.3)
        return turn

    arm = await an_arm(slow, answer=lambda turn: turn)
    found = await arm.prove([5, 6, 7, 8, 9])
    assert found["checked"] == len(found["took_ns"]) == 3
    assert len((await arm.prove([8, 9]))["took_ns"]) == 1


# Slices


@pytest.mark.parametrize("clients", [1, 4])
async def test_a_slice_runs_its_turns_once_and_does_not_record_those_that_settle(clients):
    seen = Seen()
    arm = await an_arm(seen.lane(), clients=clients)
    await arm.slice(first=1_000, settling=5, operations=40, seed=0)
    assert sorted(seen) == list(range(1_000, 1_045))
    assert arm.times.service.count == 40
    assert arm.times.response.count == arm.times.start_lag.count == 0
    await arm.close()


async def test_the_sums_of_a_slice_agree_with_what_the_operations_took():
    async def naps():
        """2 ms"""
        await asyncio.sleep(0.002)

    arm = await an_arm(naps, clients=2)
    found = await arm.slice(first=0, settling=2, operations=20, seed=0)
    assert 20 * 2 * MS <= found["service_ns"] <= 2 * found["wall_ns"]
    assert found["service_ns"] > 0.7 * 2 * found["wall_ns"]  # two clients, always busy
    assert found["wall_ns"] >= 20 * MS
    assert found["cpu_ns"] < found["wall_ns"]
    assert found["new"] == 0
    await arm.close()


async def test_operations_that_settle_are_not_in_the_sums():
    async def first_is_slow(turn):
        """the first turns take 80 ms"""
        await asyncio.sleep(0.08 if turn < 2 else 0)

    arm = await an_arm(first_is_slow)
    found = await arm.slice(first=0, settling=2, operations=10, seed=0)
    assert found["wall_ns"] < 80 * MS
    await arm.close()


async def test_an_open_slice_records_response_time_as_service_time_and_lag():
    arm = await an_arm(Seen().lane(), clients=2, rate=2_000.0, arrivals="constant")
    found = await arm.slice(first=0, settling=2, operations=60, seed=0)
    assert arm.times.service.count == arm.times.response.count == arm.times.start_lag.count == 60
    assert found["wall_ns"] > 29 * MS  # sixty turns at 2,000/s, whoever is free
    assert arm.times.response.percentile(100) >= arm.times.service.percentile(100)
    await arm.close()


async def test_histograms_grow_over_slices_and_travel_as_text():
    arm = await an_arm(Seen().lane())
    for first in (0, 100):
        await arm.slice(first=first, settling=0, operations=30, seed=0)
    found = arm.times.encoded()
    assert Histogram.decode(found["service"]).count == 60
    assert (found["response"], found["start_lag"]) == ("", "")
    await arm.close()


async def test_an_arm_that_recorded_nothing_has_no_histograms():
    arm = await an_arm(Seen().lane())
    assert arm.times.encoded() == {"service": "", "response": "", "start_lag": ""}


async def test_a_collection_precedes_a_slice_and_inputs_are_built_before_it():
    order = []

    def args(turn):
        order.append("input")
        return {"turn": turn}

    async def ordered():
        """says when"""
        order.append("operation")

    arm = await an_arm(ordered)
    arm.loaded.scenario.args = args

    def collected(phase, _info):
        order.append(phase)

    gc.callbacks.append(collected)
    try:
        await arm.slice(first=0, settling=1, operations=2, seed=0)
    finally:
        gc.callbacks.remove(collected)
    order = order[: order.index("operation") + 1]
    assert order[:3] == ["input"] * 3
    assert order[-3:] == ["start", "stop", "operation"]
    await arm.close()


# What goes wrong


@pytest.mark.parametrize("clients", [1, 3])
async def test_a_slice_that_does_not_end_is_ended(clients):
    async def hangs():
        """waits for nothing"""
        await asyncio.sleep(60)

    arm = await an_arm(hangs, watchdog=0.05, clients=clients)
    with pytest.raises(OverdueError, match=r"not done after 0\.05 s"):
        await arm.slice(first=0, settling=0, operations=5, seed=0)
    await arm.close()


async def test_operations_that_break_when_they_are_ended_do_not_hide_that():
    async def objects():
        """raises what a driver might, instead of being cancelled"""
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ConnectionError from None

    arm = await an_arm(objects, watchdog=0.05, clients=2)
    with pytest.raises(OverdueError):
        await arm.slice(first=0, settling=0, operations=5, seed=0)
    await arm.close()


async def test_a_lane_s_own_time_out_is_not_taken_for_the_watchdog_s():
    async def gives_up():
        """raises TimeoutError"""
        raise TimeoutError("no connection within 1 s")

    arm = await an_arm(gives_up)
    with pytest.raises(TimeoutError, match="no connection within 1 s"):
        await arm.prove([0])
    with pytest.raises(ExceptionGroup) as caught:
        await arm.slice(first=0, settling=0, operations=5, seed=0)
    assert "no connection within 1 s" in repr(caught.value)
    await arm.close()


# The event loop's lateness


async def test_a_lane_that_blocks_the_loop_makes_it_late():
    async def blocks():
        """5 ms without giving way"""
        time.sleep(0.005)  # noqa: ASYNC251 - that is the point
        await asyncio.sleep(0)

    arm = await an_arm(blocks)
    assert await arm.lag(first=0, operations=10) > 3 * MS
    assert arm.times.service.count == 0
    await arm.close()


async def test_a_stall_that_outlasts_the_work_is_counted():
    async with Probe() as probe:
        time.sleep(0.03)  # noqa: ASYNC251 - the probe never gets to run
    assert probe.p99_ns() > 25 * MS


async def test_a_stall_makes_as_many_ticks_late_as_it_is_long():
    async with Probe() as probe:
        time.sleep(0.05)  # noqa: ASYNC251 - as above
        await asyncio.sleep(0.05)
    late = sorted(probe._late)
    assert len(late) >= 95
    assert late[len(late) // 4 * 3] > 15 * MS  # of the first fifty, half are 25 ms late


async def test_a_loop_that_waits_is_hardly_late():
    async def waits():
        """gives way"""
        await asyncio.sleep(0.002)

    arm = await an_arm(waits)
    await arm.lag(first=0, operations=20)
    async with Probe() as probe:
        await asyncio.sleep(0.05)
    assert sorted(probe._late)[len(probe._late) // 4] < 1 * MS
    await arm.close()


async def test_a_probe_that_saw_no_tick_knows_of_no_lateness():
    async with Probe() as probe:
        pass
    assert probe.p99_ns() == 0
