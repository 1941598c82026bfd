"""The Hodges-Lehmann estimate and its signed-rank interval."""

import itertools
import math
import random

import pytest
from scipy import stats

from ormbench.stats.location import FEWEST_BLOCKS, hodges_lehmann, locate, signed_rank_interval


def normals(count, seed, centre=0.0):
    source = random.Random(seed)
    return [source.gauss(centre, 1.0) for _ in range(count)]


def test_the_estimate_is_the_median_of_the_pairwise_averages():
    assert hodges_lehmann([1.0, 2.0, 9.0]) == 3.5  # of 1, 1.5, 2, 5, 5.5, 9


def test_one_value_is_its_own_centre():
    assert hodges_lehmann([4.0]) == 4.0


def test_no_values_have_no_centre():
    with pytest.raises(ValueError, match="no values"):
        hodges_lehmann([])


def test_one_wild_value_hardly_moves_the_estimate():
    calm = normals(9, seed=3)
    assert abs(hodges_lehmann([*calm, 1e6]) - hodges_lehmann(calm)) < 1.0


def test_eight_values_at_99_percent_give_the_smallest_and_the_largest():
    values = normals(8, seed=1)
    assert signed_rank_interval(values) == (min(values), max(values))


def test_seven_values_are_too_few_for_99_percent():
    assert signed_rank_interval(normals(FEWEST_BLOCKS - 1, seed=1)) == (-math.inf, math.inf)


def test_seven_values_are_enough_for_95_percent():
    assert all(map(math.isfinite, signed_rank_interval(normals(7, seed=1), confidence=0.95)))


def test_the_order_of_the_values_does_not_matter():
    values = normals(11, seed=5)
    assert locate(values) == locate(sorted(values))


@pytest.mark.parametrize("count", [8, 9, 12, 20, 40])
def test_the_interval_holds_exactly_the_centres_that_wilcoxons_test_does_not_reject(count):
    values = normals(count, seed=count)
    low, high = signed_rank_interval(values)
    steps = [low - 1e-9, low + 1e-9, high - 1e-9, high + 1e-9]
    for centre in [*steps, *normals(20, seed=count + 100)]:
        shifted = [value - centre for value in values]
        p = stats.wilcoxon(shifted, method="exact").pvalue
        assert (p > 0.01) == (low < centre < high), (centre, p, low, high)


def test_the_interval_of_eight_blocks_holds_the_truth_in_99_of_100_runs():
    source = random.Random(20)
    inside = sum(
        low <= 0.3 <= high
        for low, high in (
            signed_rank_interval([source.gauss(0.3, 1.0) for _ in range(8)]) for _ in range(4_000)
        )
    )
    assert 0.988 <= inside / 4_000 <= 0.996  # 1 - 2 / 2**8 is 0.992


def test_the_interval_of_twelve_heavy_tailed_blocks_holds_the_truth_too():
    source = random.Random(21)

    def block():
        return source.gauss(0.0, 1.0) / math.sqrt(source.gammavariate(1.5, 1 / 1.5))

    inside = sum(
        low <= 0.0 <= high
        for low, high in (signed_rank_interval([block() for _ in range(12)]) for _ in range(1_500))
    )
    assert inside / 1_500 >= 0.985


def test_a_hundred_blocks_are_no_trouble():
    located = locate(normals(100, seed=9, centre=5.0))
    assert located.low < 5.0 < located.high
    assert located.high - located.low < 1.0


def test_more_confidence_never_narrows_the_interval():
    values = normals(30, seed=2)
    intervals = [signed_rank_interval(values, confidence) for confidence in (0.8, 0.95, 0.999)]
    for (low, high), (wider_low, wider_high) in itertools.pairwise(intervals):
        assert wider_low <= low
        assert high <= wider_high


def test_an_unknown_interval_of_logarithms_becomes_zero_to_infinity():
    ratio = locate([0.0, 0.1]).exp()
    assert (ratio.low, ratio.high, ratio.count) == (0.0, math.inf, 2)
