"""An arm's work is shared out among its processes, and their answers become one."""

from dataclasses import replace

import pytest

from ormbench.cell import Cell
from ormbench.load.histogram import Histogram
from ormbench.load.schedule import schedule
from ormbench.run import shares

CELL = Cell(scenario="get_by_id", lane="core", target="postgresql+asyncpg", placement="free")
SLICE = {"arm": 3, "first": 100, "settling": 6, "operations": 24, "seed": 7}
MS = 1_000_000


def turns(one):
    """Those that a process has, as its worker reads the message: settling ones, recorded ones."""
    count = one["settling"] + one["operations"]
    every = range(one["first"], one["first"] + one["step"] * count, one["step"])
    return list(every[: one["settling"]]), list(every[one["settling"] :])


def test_a_process_has_its_part_of_clients_and_rate_and_the_whole_pool():
    cell = replace(CELL, clients=12, processes=3, rate=60.0, pool="2+1")
    assert shares.each(cell) == replace(CELL, clients=4, processes=1, rate=20.0, pool="2+1")
    assert shares.each(cell).connections * 3 == cell.connections == 9
    assert shares.each(CELL) == CELL


@pytest.mark.parametrize("processes", [2, 3, 6])
def test_no_turn_of_a_slice_has_two_processes_and_none_is_left_out(processes):
    pairs = [turns(one) for one in shares.interleaved(SLICE, processes)]
    assert sorted(turn for settling, _ in pairs for turn in settling) == list(range(100, 106))
    assert sorted(turn for _, recorded in pairs for turn in recorded) == list(range(106, 130))
    assert {len(recorded) for _, recorded in pairs} == {24 // processes}


@pytest.mark.parametrize(("processes", "sizes"), [(2, [4, 5]), (4, [2, 2, 2, 3])])
def test_turns_that_nobody_checks_are_shared_in_parts_that_follow_each_other(processes, sizes):
    found = shares.parts({"arm": 1, "first": 50, "count": 9}, "count", processes)
    assert [one["count"] for one in found] == sizes
    every = [turn for one in found for turn in range(one["first"], one["first"] + one["count"])]
    assert every == list(range(50, 59))


@pytest.mark.parametrize(("count", "processes", "expected"), [(8, 4, 8), (9, 4, 12), (0, 4, 0)])
def test_a_number_is_raised_to_what_can_be_shared_evenly(count, processes, expected):
    assert shares.evenly(count, processes) == expected


def dues(cell, count):
    """When the turns of all processes are due, sorted: *count* of each."""
    messages = shares.beginnings(SLICE, cell, 1_000)
    alone = [schedule(shares.each(cell), one["seed"]) for one in messages]
    pairs = zip(alone, messages, strict=True)
    return sorted(due for one, message in pairs for due in one.due(count, message["start"]))


def test_constant_arrivals_of_all_processes_together_are_constant():
    cell = replace(CELL, clients=4, processes=4, rate=200.0, arrivals="constant")
    assert dues(cell, 10) == [1_000 + number * 5 * MS for number in range(40)]


def test_poisson_arrivals_of_several_processes_differ_and_come_at_the_offered_rate():
    cell = replace(CELL, clients=2, processes=2, rate=200.0)
    found = dues(cell, 2_000)
    assert len(set(found)) == 4_000
    assert 4_000 / (found[-1] / 1e9) == pytest.approx(200, rel=0.1)
    seeds = [one["seed"] for one in shares.beginnings(SLICE, cell, 0)]
    assert seeds[0] == SLICE["seed"]
    assert len(set(seeds)) == 2


def test_processes_of_a_closed_loop_begin_at_one_time():
    cell = replace(CELL, clients=8, processes=4)
    assert {one["start"] for one in shares.beginnings(SLICE, cell, 5)} == {5}


def answer(ended, wall, *, failed=None, aborted=None, broken=0, new=0):
    """That of one process to a slice."""
    outcomes = {"failed": failed or {}, "aborted": aborted or {}, "broken": broken}
    nothing = {"failed": {}, "aborted": {}, "broken": 0}
    times = {"ended_ns": ended, "wall_ns": wall, "cpu_ns": wall // 2, "service_ns": wall * 2}
    return {**times, "new": new, "outcomes": outcomes, "settling": nothing}


def test_the_wall_of_a_slice_is_from_the_earliest_start_to_the_latest_end():
    found = shares.one_slice([answer(ended=500, wall=300), answer(ended=700, wall=400)])
    assert found["wall_ns"] == 700 - 200  # which is longer than either
    assert (found["cpu_ns"], found["service_ns"]) == (350, 1_400)


def test_outcomes_of_all_processes_are_added_reason_by_reason():
    found = shares.one_slice(
        [
            answer(9, 9, failed={"pool time-out": 2}, aborted={"deadlock": 1}, broken=1, new=3),
            answer(9, 9, aborted={"deadlock": 4, "serialization failure": 1}, broken=2, new=1),
        ]
    )
    assert found["outcomes"] == {
        "failed": {"pool time-out": 2},
        "aborted": {"deadlock": 5, "serialization failure": 1},
        "broken": 3,
    }
    assert found["settling"] == {"failed": {}, "aborted": {}, "broken": 0}
    assert found["new"] == 4


def test_readings_of_all_processes_are_one_reading_each_time():
    one = {"readings": [{"11": {"transactions": 5}}, {"11": {"transactions": 6}}], "opened": 3}
    two = {"readings": [{"12": {"transactions": 8}}, {"12": {"transactions": 9}}], "opened": 2}
    assert shares.one_reading([one, two]) == {
        "readings": [
            {"11": {"transactions": 5}, "12": {"transactions": 8}},
            {"11": {"transactions": 6}, "12": {"transactions": 9}},
        ],
        "opened": 5,
    }


def text(*values):
    """An encoded histogram."""
    histogram = Histogram()
    histogram.record(values)
    return histogram.encode()


def test_histograms_of_all_processes_are_one():
    given = [{"service": text(10, 20), "response": ""}, {"service": text(30), "response": ""}]
    found = shares.one_trial(given)
    assert Histogram.decode(found["service"]).count == 3
    assert Histogram.decode(found["service"]).percentile(100) == 30
    assert found["response"] == ""


def test_a_process_without_checkout_waits_adds_none():
    assert Histogram.decode(shares.merged([None, text(5), ""])).count == 1
    assert shares.merged([None, None]) == ""
