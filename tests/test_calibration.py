"""How many operations make a slice."""

from dataclasses import replace

import pytest
from fabricate import fabricate

from ormbench.load.calibration import (
    FEWEST_ROUNDS,
    MS,
    OVERHEAD_NS,
    SETTLING,
    TARGET_NS,
    USUAL_NS,
    SliceSize,
    fitted,
    size_again,
    slice_size,
)
from ormbench.loader import shipped
from ormbench.run import measure
from ormbench.run.context import Context
from ormbench.run.routes import Routes


@pytest.mark.parametrize(
    ("slowest_ns", "clients", "operations", "sentence"),
    [
        (100_000, 1, 100, "0.1 ms: a hundred of them take 10 ms"),
        (50_000, 1, 200, "half as long: twice as many"),
        (100_000, 8, 800, "eight clients get through eight times as many"),
        (2 * MS, 1, 10, "2 ms: ten, although they take 20 ms"),
        (2 * MS, 50, 500, "and ten of each client"),
        (6 * MS, 1, 5, "6 ms: as many as 30 ms hold"),
        (300, 1, 2_000, "the empty scenario: no more than 2,000"),
        (300, 4, 8_000, "of each client"),
        (0, 1, 2_000, "an operation without time divides nothing by zero"),
        (30 * MS, 1, 1, "30 ms: an operation is a slice by itself"),
        (90 * MS, 8, 8, "one of each client"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_slice_is_about_10_ms(slowest_ns, clients, operations, sentence):
    assert slice_size(slowest_ns, clients, 20, 8).operations == operations, sentence


@pytest.mark.parametrize("slowest_ns", [20_000, 100_000, 900_000])
def test_operations_of_usual_length_fill_the_slice_and_no_more(slowest_ns):
    time = slice_size(slowest_ns, 1, 20, 8).operations * slowest_ns
    assert TARGET_NS - slowest_ns < time <= TARGET_NS


@pytest.mark.parametrize("reset_ns", [0, 7 * MS, 55 * MS])
@pytest.mark.parametrize("slowest_ns", [200_000, 1_000_000, 5 * MS, 9 * MS])
def test_each_arm_gets_about_the_same_time_whatever_its_slices_cost(slowest_ns, reset_ns):
    size = slice_size(slowest_ns, 1, 100, 8, reset_ns)
    spent = size.rounds * (size.turns * slowest_ns + OVERHEAD_NS + reset_ns)
    assert 0.8 * 100 * USUAL_NS < spent <= 1.05 * 100 * USUAL_NS or size.rounds == 100


def test_there_are_never_fewer_than_four_rounds_for_want_of_time():
    assert slice_size(9 * MS, 1, 6, 8, reset_ns=500 * MS).rounds == FEWEST_ROUNDS
    assert slice_size(9 * MS, 1, 2, 8, reset_ns=500 * MS).rounds == 2


def test_rounds_shrink_to_the_room_that_is_left():
    assert fitted(24, seconds=10.0, room=20.0, most=24) == 24
    assert fitted(24, seconds=10.0, room=5.0, most=24) == 12
    assert fitted(24, seconds=10.0, room=-1.0, most=24) == FEWEST_ROUNDS
    assert fitted(3, seconds=10.0, room=1.0, most=3) == 3


def test_rounds_come_back_when_a_slow_block_is_over():
    assert fitted(12, seconds=5.0, room=7.5, most=24) == 18
    assert fitted(12, seconds=5.0, room=50.0, most=24) == 24


def test_a_run_that_goes_on_gives_back_what_its_last_block_had_no_time_for():
    record = fabricate(blocks=2)
    first, last = record.blocks
    few = [replace(one, slices=one.slices[:FEWEST_ROUNDS]) for one in last.trials]
    shrunk = replace(record, blocks=(first, replace(last, trials=tuple(few))))
    groups = {one.name: one for one in record.manifest.groups}
    context = Context({}, shipped(), (), 8, 24, 1, 100, 60.0, None, routes=Routes())
    measure._recall(context, shrunk)
    assert {size.rounds for size in context.sizes.values()} == {FEWEST_ROUNDS}
    context.in_rounds = 1.0
    context.shrink(seconds=1.0, room=1_000.0)
    rounds = {one.group: len(one.slices) for one in first.trials}
    assert {name: context.sizes[name].rounds for name in groups} == rounds


def test_what_a_block_spends_beside_its_rounds_does_not_shrink_with_them():
    context = Context({}, {}, (), 8, 24, 1, 100, 60.0, None, routes=Routes())
    context.sizes["a"] = SliceSize(50, 3, 24)
    context.in_rounds = 8.0
    context.shrink(seconds=14.0, room=10.0)  # 6 s beside them: 4 s are left for rounds
    assert context.sizes["a"].rounds == 12
    context.in_rounds = 4.0
    context.shrink(seconds=10.0, room=10.0)
    assert context.sizes["a"].rounds == 12


def test_what_the_count_passes_of_the_first_block_took_is_not_expected_of_the_others():
    context = Context({}, {}, (), 8, 24, 1, 100, 60.0, None, routes=Routes())
    context.sizes["a"] = SliceSize(50, 3, 24)
    context.in_rounds, context.in_counting = 8.0, 4.0
    context.shrink(seconds=14.0, room=10.0)  # 2 s beside both
    assert context.sizes["a"].rounds == 24


@pytest.mark.parametrize(("clients", "settling"), [(1, SETTLING), (3, 3), (50, 50)])
def test_each_client_settles_before_operations_are_recorded(clients, settling):
    size = slice_size(300_000, clients, 20, 8)
    assert size.settling == settling
    assert size.turns == size.operations + settling


def test_a_slow_operation_is_not_run_just_to_settle():
    assert slice_size(40 * MS, 4, 20, 8).settling == 0


@pytest.mark.parametrize(("blocks", "rounds"), [(1, 5), (2, 2), (5, 1), (8, 1)])
def test_operations_of_seconds_get_five_slices_over_all_blocks(blocks, rounds):
    size = slice_size(2_000 * MS, 1, 20, blocks)
    assert (size.operations, size.rounds) == (1, rounds)


def test_other_operations_get_the_rounds_that_the_plan_wants():
    assert slice_size(300_000, 1, 37, 8).rounds == 37
    assert slice_size(900_000, 8, 37, 8).rounds == 37


@pytest.mark.parametrize("clients", [1, 3, 50])
@pytest.mark.parametrize("slowest_ns", [300, 300_000, 20 * MS, 40 * MS])
def test_a_run_that_goes_on_has_the_slices_that_it_began_with(slowest_ns, clients):
    size = slice_size(slowest_ns, clients, 20, 8)
    assert size_again(size.operations, clients, size.rounds) == size


@pytest.mark.parametrize(
    ("slowest_ns", "rounds"),
    [(50 * MS, 4), (250 * MS, 4), (300 * MS, 3), (500 * MS, 2), (501 * MS, 1), (1_000 * MS, 1)],
)
def test_slow_operations_get_fewer_rounds_and_about_a_second_of_a_block(slowest_ns, rounds):
    size = slice_size(slowest_ns, 1, 24 if slowest_ns > 100 * MS else 6, 8)
    assert (size.operations, size.rounds) == (1, rounds)
