"""The sequential decision: its errors under simulation, and how soon it ends."""

import math
import random
import statistics

import pytest

from ormbench.stats.sequential import SequentialTest


def decide(source, slowdown, sigma, alpha=0.001, most=40):
    """A test fed until it decides; its decision and how many blocks that took."""
    test = SequentialTest(alpha=alpha)
    for number in range(1, most + 1):
        if test.observe(source.gauss(math.log1p(slowdown), sigma)) != "undecided":
            return test.decision, number
    return test.decision, most


def repeat(times, seed, **law):
    source = random.Random(seed)
    return [decide(source, **law) for _ in range(times)]


def share(decisions, word):
    return sum(decision == word for decision, _ in decisions) / len(decisions)


def test_looking_after_every_block_keeps_the_false_alarms_below_alpha():
    decisions = repeat(2_000, seed=1, slowdown=0.0, sigma=0.06, alpha=0.05)
    assert share(decisions, "REGRESSION") <= 0.05


def test_a_candidate_that_is_faster_raises_no_alarm():
    assert share(repeat(500, seed=2, slowdown=-0.03, sigma=0.03, alpha=0.05), "REGRESSION") <= 0.01


def test_identical_sides_end_as_ok_within_a_few_blocks():
    decisions = repeat(300, seed=3, slowdown=0.0, sigma=0.014)
    assert share(decisions, "OK") > 0.99
    assert statistics.fmean(blocks for _, blocks in decisions) < 7


def test_a_slowdown_of_the_margin_is_found():
    decisions = repeat(300, seed=4, slowdown=0.05, sigma=0.014)
    assert share(decisions, "REGRESSION") > 0.93
    assert share(decisions, "OK") <= 0.05


def test_a_slowdown_of_the_margin_is_rarely_let_pass_even_under_noise():
    assert share(repeat(1_000, seed=5, slowdown=0.05, sigma=0.06), "OK") <= 0.05


def test_too_much_noise_stays_undecided_instead_of_passing():
    assert share(repeat(200, seed=6, slowdown=0.025, sigma=0.15), "undecided") > 0.8


@pytest.mark.parametrize(("alpha", "least"), [(0.001, 10), (0.0001, 14)])
def test_no_slowdown_however_large_is_called_in_fewer_blocks_than_coin_flips_allow(alpha, least):
    decision, blocks = decide(random.Random(7), slowdown=3.0, sigma=0.001, alpha=alpha)
    assert decision == "REGRESSION"
    assert blocks >= least


def test_a_decision_stands():
    test = SequentialTest()
    while test.observe(0.0) == "undecided":
        pass
    assert test.observe(10.0) == "OK"
