"""Slices of a pool that never rests: what is recorded of them, and which time it took."""

import asyncio
import time
from contextlib import nullcontext
from dataclasses import replace

import pytest
from test_arm import Seen, an_arm

from ormbench.cell import Cell
from ormbench.load.histogram import Histogram
from ormbench.run.sizes import runs_on
from ormbench.targets.raw import PoolTimeoutError

CLIENTS, SETTLING, OPERATIONS = 8, 8, 48


async def pooled(body, clients=CLIENTS):
    """An arm whose pool is what is measured, as far as its slices are concerned."""
    return await an_arm(body, clients=clients, pool="1+0")


@pytest.mark.parametrize("settling", [1, 3, 8, 20])
async def test_as_many_operations_are_recorded_as_are_asked_for_however_many_settle(settling):
    seen = Seen()
    arm = await pooled(seen.lane())
    await arm.slice(0, settling, OPERATIONS, 0, runs_on=True)
    assert sorted(seen) == list(range(settling + OPERATIONS))
    assert arm.times.service.count == OPERATIONS
    await arm.close()


async def test_the_wall_of_a_slice_is_that_in_which_as_many_operations_ended_as_are_recorded():
    ended, one_at_a_time = [], asyncio.Lock()

    async def queues():
        """2 ms, one after the other"""
        async with one_at_a_time:
            await asyncio.sleep(0.002)
            ended.append(time.perf_counter_ns())

    arm = await pooled(queues)
    wall = (await arm.slice(0, SETTLING, OPERATIONS, 0, runs_on=True))["wall_ns"]
    # the first to end takes the first turn that is recorded, the 48th after it finds none left
    assert ended[OPERATIONS] - ended[1] < wall < ended[OPERATIONS + 1] - ended[0]
    await arm.close()


async def test_of_operations_that_all_fail_no_more_are_counted_than_are_recorded():
    async def fails():
        """waits for a connection, and gets none"""
        await asyncio.sleep(0.001)
        raise PoolTimeoutError

    arm = await pooled(fails)
    found = await arm.slice(0, SETTLING, OPERATIONS, 0, runs_on=True)
    assert found["outcomes"]["failed"] == {"pool time-out": OPERATIONS}
    assert found["settling"]["failed"] == {"pool time-out": SETTLING}
    await arm.close()


@pytest.mark.parametrize("wrong", [2, 30])
async def test_an_operation_that_raises_ends_a_slice_recorded_or_not(wrong):
    async def raises(turn):
        """raises in one turn"""
        await asyncio.sleep(0)
        if turn == wrong:
            raise ValueError(turn)

    arm = await pooled(raises)
    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        await arm.slice(0, SETTLING, OPERATIONS, 0, runs_on=True)
    await arm.close()


@pytest.mark.parametrize("rests", [True, False])
async def test_a_pool_rests_where_that_of_an_arm_beside_it_has_to(rests):
    ended, before = [], {}

    async def notes(turn):
        """keeps which turns had ended when it began"""
        before[turn] = set(ended)
        await asyncio.sleep(0.001 * (1 + turn % CLIENTS))  # so that they do not end all at once
        ended.append(turn)

    arm = await pooled(notes)
    await arm.slice(0, SETTLING, OPERATIONS, 0, runs_on=not rests)
    assert (before[SETTLING] == set(range(SETTLING))) is rests
    assert arm.times.service.count == OPERATIONS
    await arm.close()


def a_cell(target="postgresql+psycopg", lane="core", **axes):
    return Cell(scenario="any", lane=lane, target=target, **{"pool": "5+10", **axes})


@pytest.mark.parametrize(
    ("beside", "rest"),
    [
        (a_cell(), False),
        (a_cell(pool=None), False),
        (a_cell(processes=2), True),
        (a_cell(rate=100.0), True),
        (a_cell("postgresql+psycopg_sync"), True),
        (a_cell("postgresql+psycopg_sync", "core_on_loop"), False),
        (a_cell("none", "nothing"), False),
    ],
    ids=[
        "another task's",
        "as many connections as clients",
        "two processes",
        "an open loop",
        "threads",
        "blocks the loop",
        "no database",
    ],
)
def test_pools_that_are_compared_all_rest_or_none_does(beside, rest):
    assert runs_on([a_cell(), beside]) is not rest


def test_slices_rest_where_no_pool_is_compared():
    assert not runs_on([a_cell(pool=None), a_cell(pool=None, lane="orm")])


async def test_checkout_waits_of_the_first_rush_are_not_kept():
    waits = []

    async def waits_longer(turn):
        """each waits as many milliseconds as its turn says"""
        await asyncio.sleep(0)
        waits.append(turn * 1_000_000)

    arm = await pooled(waits_longer)
    arm.bound = replace(arm.bound, waits=lambda: nullcontext(waits))
    kept = Histogram.decode(await arm.waits(0, SETTLING + OPERATIONS, SETTLING))
    assert kept.count == OPERATIONS
    assert kept.percentile(0) >= SETTLING * 1_000_000 * 0.99
    await arm.close()
