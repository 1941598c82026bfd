"""Identities, drift and percentiles: what shows that a measurement is ill."""

import random

import pytest

from ormbench.load.histogram import Histogram
from ormbench.results.trial import Slice
from ormbench.stats.drift import spread, trend
from ormbench.stats.identities import busy, busy_holds, occupancy, occupancy_holds
from ormbench.stats.percentiles import merged, percentiles


def trial(wall_ns, service_ns, cpu_ns=0, operations=100, count=4):
    return [Slice(n, 0, operations, wall_ns, service_ns, cpu_ns, None) for n in range(count)]


def test_eight_clients_that_are_always_served_fill_eight_times_the_wall_time():
    assert occupancy(trial(1_000, 8_000), clients=8) == 1.0
    assert occupancy_holds(trial(1_000, 8_000), clients=8)


@pytest.mark.parametrize(("service_ns", "holds"), [(1_060, False), (960, True), (940, False)])
def test_the_occupancy_of_one_client_may_be_off_by_five_percent(service_ns, holds):
    assert occupancy_holds(trial(1_000, service_ns), clients=1) is holds


def test_a_ragged_end_of_a_slice_is_allowed_for():
    few_each = trial(1_000, 64 * 910, operations=640)
    assert occupancy_holds(few_each, clients=64)
    many_each = trial(1_000, 64 * 910, operations=64_000)
    assert not occupancy_holds(many_each, clients=64)


def test_operations_may_outlast_a_slice_only_where_it_is_cut_from_mid_course():
    outlasting = trial(1_000, 64 * 1_090, operations=640)
    assert not occupancy_holds(outlasting, clients=64)
    assert occupancy_holds(outlasting, clients=64, ragged_ends=2)
    assert not occupancy_holds(trial(1_000, 64 * 1_160, operations=640), 64, ragged_ends=2)


def test_a_process_cannot_be_busier_than_the_clock():
    assert busy(trial(1_000, 1_000, cpu_ns=700)) == pytest.approx(0.7)
    assert busy_holds(trial(1_000, 1_000, cpu_ns=1_000))
    assert not busy_holds(trial(1_000, 1_000, cpu_ns=1_100))
    assert busy_holds(trial(1_000, 1_000, cpu_ns=1_100), processes=2)


def test_spread_and_trend_of_block_means():
    assert spread([100.0, 130.0, 110.0]) == pytest.approx(0.3)
    assert trend([1.0, 2.0, 3.0]) == 1.0
    assert trend([3.0, 2.0, 1.0]) == -1.0
    assert trend([5.0, 5.0]) == 0.0
    assert spread([7.0]) == trend([7.0]) == 0.0


def test_a_steady_trend_is_rare_among_blocks_that_only_scatter():
    source = random.Random(8)
    steep = sum(abs(trend([source.random() for _ in range(8)])) >= 0.8 for _ in range(2_000))
    assert steep / 2_000 < 0.01


def test_percentiles_stop_where_fewer_than_ten_times_lie_above():
    histogram = Histogram()
    histogram.record(range(1_000, 2_000))
    assert [q for q, _ in percentiles(histogram)] == [50.0, 90.0, 95.0, 99.0]


def test_percentiles_of_trials_are_of_all_their_operations_together():
    parts = [Histogram(), Histogram()]
    parts[0].record([1_000] * 900)
    parts[1].record([9_000] * 100)
    whole = merged([parts[0].encode(), "", parts[1].encode()])
    assert whole.count == 1_000
    assert whole.percentile(50) == pytest.approx(1_000, rel=1e-3)
    assert whole.percentile(95) == pytest.approx(9_000, rel=1e-3)
