"""Paired slices into effects."""

import math
import random

import pytest

from ormbench.results.trial import Slice
from ormbench.stats.absolute import mean_cpu, mean_service, throughput
from ormbench.stats.paired import effect, paired
from ormbench.stats.stalls import exceedances
from ormbench.stats.verdict import differs, verdict


def piece(number, service_ns, operations=100, cpu_ns=0):
    return Slice(number, 0, operations, service_ns, service_ns, cpu_ns, None)


def block(source, log_effect, rounds=12, block_noise=0.012, candidate_stalls=()):
    """Pairs whose rounds share a mood of 20 %, which must cancel."""
    own = log_effect + source.gauss(0, block_noise)
    pairs = []
    for number in range(rounds):
        mood = source.gauss(0, 0.2)
        candidate = 1e7 * math.exp(mood + own + source.gauss(0, 0.02))
        if number in candidate_stalls:
            candidate *= 5
        reference = 1e7 * math.exp(mood + source.gauss(0, 0.02))
        pairs.append((piece(number, round(candidate)), piece(number, round(reference))))
    return pairs


def test_slices_are_paired_by_round_and_lonely_ones_are_left():
    candidate = [piece(2, 20), piece(0, 10), piece(3, 30)]
    reference = [piece(0, 1), piece(1, 2), piece(2, 3)]
    assert [(a.round, b.round) for a, b in paired(candidate, reference)] == [(0, 0), (2, 2)]


def test_a_slice_without_operations_pairs_with_none():
    assert paired([piece(0, 10, operations=0)], [piece(0, 10)]) == ()


def test_times_are_per_operation_so_that_arms_may_differ_in_n():
    blocks = [[(piece(0, 200, operations=20), piece(0, 100, operations=10))]] * 8
    assert effect(blocks).ratio.value == pytest.approx(1.0)
    assert effect(blocks).difference.value == pytest.approx(0.0)


def test_a_known_effect_is_recovered_under_a_mood_ten_times_its_size():
    source = random.Random(4)
    found = effect([block(source, math.log(1.02)) for _ in range(20)])
    assert found.ratio.low < 1.02 < found.ratio.high
    assert found.ratio.value == pytest.approx(1.02, abs=0.01)


def test_identical_arms_are_called_different_in_one_run_of_a_hundred():
    source = random.Random(5)
    runs = 1_000
    called = 0
    for _ in range(runs):
        ratio = effect([block(source, 0.0, rounds=4) for _ in range(8)]).ratio
        called += differs(ratio.low, ratio.high)
    assert called / runs <= 0.018  # 2 / 2**8 is 0.8 %; three standard deviations on top


def test_the_difference_is_of_means_and_in_nanoseconds_per_operation():
    blocks = [[(piece(0, 3_000), piece(0, 1_000)), (piece(1, 2_000), piece(1, 2_000))]] * 8
    assert effect(blocks).difference.value == 10.0


def test_the_cpu_difference_is_taken_from_cpu_time_and_not_from_wall_time():
    blocks = [[(piece(0, 9_000, cpu_ns=700), piece(0, 1_000, cpu_ns=300))]] * 8
    assert effect(blocks).cpu_difference.value == 4.0


def test_the_ratio_of_total_times_feels_a_stall_that_the_paired_ratio_does_not():
    source = random.Random(6)
    found = effect([block(source, 0.0, rounds=20, candidate_stalls=(3,)) for _ in range(10)])
    assert found.ratio.value == pytest.approx(1.0, abs=0.02)
    assert found.total_ratio.value > 1.1


def test_seven_blocks_have_an_estimate_and_no_interval():
    source = random.Random(7)
    ratio = effect([block(source, 0.3) for _ in range(7)]).ratio
    assert ratio.value == pytest.approx(math.exp(0.3), rel=0.05)
    assert (ratio.low, ratio.high) == (0.0, math.inf)


def test_absolute_values_weigh_slices_by_their_operations():
    slices = [piece(0, 1_000, operations=10, cpu_ns=500), piece(1, 9_000, operations=90)]
    assert mean_service(slices) == 100.0
    assert mean_cpu(slices) == 5.0
    assert throughput(slices) == 1e7


def test_exceedances_count_slices_far_above_their_median():
    assert exceedances([piece(n, time) for n, time in enumerate([100, 100, 149, 151, 900])]) == 1
    assert exceedances([piece(n, time) for n, time in enumerate([100, 100, 100, 151, 900])]) == 2
    assert exceedances([]) == 0


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (1.06, 1.10, "slower"),
        (1.01, 1.08, "slower"),
        (0.80, 0.90, "faster"),
        (0.96, 1.04, "same"),
        (1.01, 1.03, "same"),
        (0.94, 1.02, "cannot tell"),
        (0.99, 1.06, "cannot tell"),
        (0.0, math.inf, "cannot tell"),
    ],
)
def test_an_interval_has_one_of_four_verdicts(low, high, word):
    assert verdict(low, high) == word


def test_equivalence_reaches_as_far_down_as_up():
    assert verdict(1 / 1.05, 1.05) == "same"
    assert verdict(1 / 1.06, 1.0) == "cannot tell"


def test_a_small_difference_differs_whatever_its_verdict():
    assert differs(1.01, 1.03)
    assert differs(0.97, 0.99)
    assert not differs(0.99, 1.01)
