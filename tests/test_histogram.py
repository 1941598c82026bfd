"""The histogram of times: precision, ends of the range, text form."""

import random

import pytest

from ormbench.load.histogram import HIGHEST_NS, Histogram


def of(values):
    histogram = Histogram()
    histogram.record(values)
    return histogram


def test_percentiles_are_right_to_a_thousandth():
    source = random.Random(2)
    times = sorted(round(source.lognormvariate(12, 1)) for _ in range(10_000))
    histogram = of(times)
    for q in (50, 90, 99, 99.9):
        exact = times[round(q / 100 * len(times)) - 1]
        assert histogram.percentile(q) == pytest.approx(exact, rel=1.1e-3)


def test_what_is_encoded_decodes_to_the_same():
    histogram = of([300, 400_000, 400_001, 5_000_000_000])
    again = Histogram.decode(histogram.encode())
    assert again.count == 4
    assert [again.percentile(q) for q in (25, 50, 99)] == [
        histogram.percentile(q) for q in (25, 50, 99)
    ]


def test_an_empty_histogram_survives_its_text_form():
    assert Histogram.decode(Histogram().encode()).count == 0


def test_an_empty_histogram_has_no_percentiles():
    with pytest.raises(ValueError, match="empty"):
        Histogram().percentile(50)


def test_merging_adds_the_counts_and_leaves_the_other_alone():
    one, other = of([100] * 3), of([9_000] * 7)
    one.merge(other)
    assert (one.count, other.count) == (10, 7)
    assert one.percentile(90) == pytest.approx(9_000, rel=1e-3)


def test_a_time_beyond_an_hour_is_counted_at_the_end_of_the_range():
    histogram = of([1_000] * 9 + [5 * HIGHEST_NS])
    assert histogram.count == 10
    assert histogram.percentile(100) == pytest.approx(HIGHEST_NS, rel=1e-3)


def test_a_time_of_nothing_is_counted_at_one_nanosecond():
    histogram = of([0, -5])
    assert histogram.count == 2
    assert histogram.percentile(50) == 1


@pytest.mark.parametrize(("count", "q", "shown"), [(1_000, 99, True), (999, 99, False)])
def test_a_percentile_is_supported_by_ten_times_above_it(count, q, shown):
    assert of(range(1, count + 1)).supports(q) is shown


def test_ten_thousand_times_support_the_999th_thousandth():
    assert of([1_000] * 10_000).supports(99.9)


@pytest.mark.parametrize("text", ["", "no histogram", "HISTFAAAAB", "äöü", "AAAA"])
def test_text_that_is_no_histogram_is_refused(text):
    with pytest.raises(ValueError, match="not an HDR V2 histogram"):
        Histogram.decode(text)


def test_a_torn_histogram_is_refused():
    whole = of(range(1, 5_000, 7)).encode()
    with pytest.raises(ValueError, match="not an HDR V2 histogram"):
        Histogram.decode(whole[: len(whole) // 2])
