"""When turns are due: an arrival process is arithmetic, so it is tested without a clock."""

import math
from itertools import islice, pairwise

import pytest

from ormbench.cell import Cell
from ormbench.load.schedule import NOW, NS, Closed, Constant, Poisson, schedule

MANY = 20_000
START = 5_000_000_000


def gaps(due):
    return [later - earlier for earlier, later in pairwise([START, *due])]


@pytest.mark.parametrize(
    ("rate", "number", "offset", "sentence"),
    [
        (1, 0, 0, "the first turn is due when the slice starts"),
        (1, 1, 1_000_000_000, "at 1/s the second turn is due a second later"),
        (1000, 7, 7_000_000, "at 1,000/s the eighth is due after 7 ms"),
        (0.5, 3, 6_000_000_000, "at one in two seconds the fourth is due after 6 s"),
        (3, 3, 1_000_000_000, "thirds of a second do not add up their rounding"),
        (3, 3_000_000, 1_000_000_000_000_000, "nor do they after a million seconds' worth"),
        (1e6, 1, 1_000, "at a million a second turns are a microsecond apart"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_constant_arrivals_keep_their_distance(rate, number, offset, sentence):
    due = Constant(rate).due(number + 1, START)
    assert next(islice(due, number, None)) - START == offset, sentence


@pytest.mark.parametrize("shape", [Closed(), Constant(10), Poisson(10, 1)], ids=repr)
@pytest.mark.parametrize("turns", [0, 1, 1_000])
def test_a_schedule_has_as_many_due_times_as_there_are_turns(shape, turns):
    assert len(list(shape.due(turns, START))) == turns


def test_a_closed_loop_is_due_now_however_often_it_is_asked():
    assert set(Closed().due(100, START)) == {NOW}


@pytest.mark.parametrize("shape", [Constant(1e6), Poisson(1e6, 3)], ids=repr)
def test_due_times_of_an_open_loop_rise_and_are_never_mistaken_for_now(shape):
    due = list(shape.due(MANY, START))
    assert due == sorted(due)
    assert NOW not in due


def test_a_due_time_that_is_long_past_is_still_handed_out():
    """The schedule knows no clock: how late the taker comes changes nothing."""
    due = Constant(1_000).due(3, START)
    first = next(due)
    assert [first, *due] == [START, START + 1_000_000, START + 2_000_000]


def test_the_same_seed_gives_the_same_arrivals():
    assert list(Poisson(700, 4).due(500, START)) == list(Poisson(700, 4).due(500, START))


def test_arrivals_do_not_depend_on_when_a_slice_starts():
    assert gaps(Poisson(700, 4).due(500, START)) == [
        later - earlier for earlier, later in pairwise([0, *Poisson(700, 4).due(500, 0)])
    ]


def test_another_seed_gives_other_arrivals():
    assert list(Poisson(700, 4).due(500, START)) != list(Poisson(700, 5).due(500, START))


def test_poisson_arrivals_have_the_offered_rate():
    last = list(Poisson(2_000, 11).due(MANY, START))[-1]
    rate = MANY / ((last - START) / NS)
    assert rate == pytest.approx(2_000, rel=4 / math.sqrt(MANY))  # four standard errors


def test_poisson_gaps_are_exponential():
    """Kolmogorov and Smirnov's distance; 1.63 / sqrt(n) is its 1 % point (Smirnov 1948)."""
    found = sorted(gaps(Poisson(2_000, 11).due(MANY, START)))
    expected = [1 - math.exp(-gap * 2_000 / NS) for gap in found]
    distance = max(
        max(abs(share - rank / MANY), abs(share - (rank + 1) / MANY))
        for rank, share in enumerate(expected)
    )
    assert distance < 1.63 / math.sqrt(MANY)


def test_poisson_arrivals_do_not_know_of_each_other():
    """Counts in equal windows vary as much as their mean, which equal distances would not."""
    due = list(Poisson(1_000, 11).due(MANY, 0))
    windows = [0] * (due[-1] // 10_000_000)
    for one in due:
        if one // 10_000_000 < len(windows):
            windows[one // 10_000_000] += 1
    mean = sum(windows) / len(windows)
    variance = sum((count - mean) ** 2 for count in windows) / (len(windows) - 1)
    assert variance / mean == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ({}, Closed()),
        ({"rate": 50.0}, Poisson(50.0, 9)),
        ({"rate": 50.0, "arrivals": "constant"}, Constant(50.0)),
        ({"arrivals": "constant"}, Closed()),
    ],
)
def test_a_cell_asks_for_its_schedule(axes, expected):
    cell = Cell(scenario="empty", lane="nothing", target="none", **axes)
    assert schedule(cell, 9) == expected
