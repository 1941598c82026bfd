"""Numbers as text: digits follow the interval, signs follow the verdict."""

import math

import pytest

from ormbench.report.findings import Estimate
from ormbench.report.quantities import (
    difference_text,
    interval_of,
    mean_text,
    percent_text,
    plain_ratio_text,
    rate_text,
    ratio_text,
    share_text,
    time_text,
    without_interval,
)


def estimate(value, low, high, blocks=8):
    return Estimate(value, low, high, blocks, "", "lower is better")


UNKNOWN = estimate(1.2, 0.0, math.inf, blocks=3)


@pytest.mark.parametrize(
    ("numbers", "verdict", "text"),
    [
        ((1.1034, 1.082, 1.131), "slower", "1.10x [1.08, 1.13]"),
        ((4.9, 4.6, 5.2), "slower", "4.9x [4.6, 5.2]"),
        ((0.3021, 0.2951, 0.3099), "faster", "0.302x [0.295, 0.310]"),
        ((131.0, 118.0, 146.0), "slower", "130x [120, 150]"),
        ((1.0001, 0.99, 1.011), "same", "same [0.99, 1.01]"),
        ((1.03, 0.94, 1.08), "cannot tell", "cannot tell [0.94, 1.08]"),
    ],
)
def test_a_ratio_is_no_more_precise_than_its_interval(numbers, verdict, text):
    assert ratio_text(estimate(*numbers), verdict) == text


def test_a_bound_is_never_rounded_onto_the_line_it_excludes():
    assert ratio_text(estimate(1.08, 1.004, 1.16), "slower") == "1.080x [1.004, 1.160]"
    assert difference_text(estimate(5_000, 400, 9_600)) == "+5.0 µs [0.4, 9.6]"
    assert ratio_text(estimate(1.02, 1.004, 1.036), "slower") == "1.020x [1.004, 1.036]"


def test_without_an_interval_there_is_no_ratio():
    assert ratio_text(UNKNOWN, "cannot tell") == "cannot tell (3 blocks)"
    assert ratio_text(estimate(1.0, 0.0, math.inf, blocks=1), "cannot tell").endswith("(1 block)")
    assert difference_text(estimate(5.0, -math.inf, math.inf)) == "cannot tell (8 blocks)"
    assert share_text(estimate(0.1, -math.inf, math.inf)) == "cannot tell (8 blocks)"
    assert plain_ratio_text(UNKNOWN) == "1.20 (no interval: 3 blocks)"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((43_210, 38_100, 48_900), "+43 µs [38, 49]"),
        ((-43_210, -48_900, -38_100), "-43 µs [-49, -38]"),
        ((123_210, 98_000, 149_000), "+120 µs [100, 150]"),
        ((4_500_000, 4_400_000, 4_600_000), "+4.5 ms [4.4, 4.6]"),
        ((40, 36, 44), "+40 ns [36, 44]"),
        ((1_000, -3_000, 5_000), "cannot tell [-3, 5] µs"),
    ],
)
def test_a_difference_has_a_sign_only_where_its_interval_decides_it(numbers, text):
    assert difference_text(estimate(*numbers)) == text


def test_terminals_without_utf_8_get_us():
    assert difference_text(estimate(43_210, 38_100, 48_900), plain=True) == "+43 us [38, 49]"
    assert time_text(412_345, plain=True) == "412 us"
    assert mean_text(estimate(412_345, 405_000, 419_000), plain=True) == "412 us [405, 419]"


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0 ns"),
        (85, "85 ns"),
        (215.3, "215 ns"),
        (4_213, "4.21 µs"),
        (412_345, "412 µs"),
        (999_400, "999 µs"),
        (999_600, "1.00 ms"),
        (1_240_000, "1.24 ms"),
        (61e9, "61.0 s"),
        (-4_213, "-4.21 µs"),
    ],
)
def test_a_time_has_three_digits_and_a_fitting_unit(nanoseconds, text):
    assert time_text(nanoseconds) == text


def test_a_mean_without_an_interval_stands_alone():
    assert mean_text(estimate(412_345, -math.inf, math.inf)) == "412 µs"


def test_rates():
    assert rate_text(2_433.2) == "2,430 op/s"
    assert rate_text(0.512) == "0.512 op/s"
    assert rate_text(estimate(2_433, 2_391, 2_472)) == "2,430 op/s [2,390, 2,470]"
    assert rate_text(estimate(2_433, -math.inf, math.inf)) == "2,430 op/s"


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0093, "0.9 %"),
        (0.02, "2 %"),
        (0.025, "2.5 %"),
        (0.0952, "10 %"),
        (0.1234, "12 %"),
        (1.5, "150 %"),
        (0.00001, "< 0.1 %"),
        (0, "0 %"),
        (-0.2, "-20 %"),
    ],
)
def test_a_percentage_has_two_digits_at_most(fraction, text):
    assert percent_text(fraction) == text


def test_a_share_has_a_sign_and_an_interval():
    assert share_text(estimate(0.0093, 0.0081, 0.0102)) == "+0.9 % [0.8, 1.0]"
    assert share_text(estimate(0.001, -0.002, 0.004)) == "cannot tell [-0.2, 0.4] %"


def test_an_interval_without_width_does_not_break_the_digits():
    assert ratio_text(estimate(1.5, 1.5, 1.5), "slower") == "1.500x [1.500, 1.500]"


def test_a_text_comes_apart_into_number_and_interval():
    assert without_interval("1.10x [1.08, 1.13]") == "1.10x"
    assert interval_of("1.10x [1.08, 1.13]") == " [1.08, 1.13]"
    assert interval_of("cannot tell (3 blocks)") == ""
