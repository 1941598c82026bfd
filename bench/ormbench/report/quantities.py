"""The one place where numbers become text: units, digits, intervals, verdict words.

Digits follow the interval: the last digit shown is never finer than the leading digit of the
half-width, with one exception: a bound that the interval keeps away from "no difference" is not
rounded onto it. No sign is shown that the interval does not decide. Where a unit may be "µs",
``plain=True`` gives "us", for terminals without UTF-8.
"""

import math

from ormbench.report.findings import Estimate, Verdict
from ormbench.stats.verdict import WRONG_DATA

_TIME_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
_RATIO_DIGITS = 3  # more would promise what no machine that people work on can keep
_SIGNIFICANT = 3  # digits of a number that travels without an interval


def ratio_text(ratio: Estimate, verdict: Verdict, *, plain: bool = False) -> str:  # noqa: ARG001 - called like the others
    """As "1.10x [1.08, 1.13]"; "same", "cannot tell" or "wrong data" stand in the ratio's place."""
    if verdict == WRONG_DATA:
        return verdict
    if not has_interval(ratio):
        return f"cannot tell ({_blocks(ratio)})"
    digits = _digits_clear_of(ratio, 1.0, limit=_RATIO_DIGITS)
    bounds = f"[{_number(ratio.low, digits)}, {_number(ratio.high, digits)}]"
    if verdict in ("same", "cannot tell"):
        return f"{verdict} {bounds}"
    return f"{_number(ratio.value, digits)}x {bounds}"


def plain_ratio_text(ratio: Estimate) -> str:
    """As "0.998 [0.985, 1.011]": an A/A pair, where the numbers themselves are the message."""
    if not has_interval(ratio):
        return f"{_number(ratio.value, 2)} (no interval: {_blocks(ratio)})"
    digits = min(_digits(ratio) + 1, _RATIO_DIGITS)
    low, high = _number(ratio.low, digits), _number(ratio.high, digits)
    return f"{_number(ratio.value, digits)} [{low}, {high}]"


def difference_text(difference: Estimate, *, plain: bool = False) -> str:
    """As "+43 µs [38, 49]" of an estimate in nanoseconds; no sign where the interval holds 0."""
    if not has_interval(difference):
        return f"cannot tell ({_blocks(difference)})"
    scale, unit = _unit(max(abs(difference.value), _half_width(difference)), plain=plain)
    scaled = _scaled(difference, scale)
    digits = _digits_clear_of(scaled, 0.0, limit=_RATIO_DIGITS)
    bounds = f"[{_number(scaled.low, digits)}, {_number(scaled.high, digits)}]"
    if difference.low <= 0.0 <= difference.high:
        return f"cannot tell {bounds} {unit}"
    sign = "+" if scaled.value > 0 else ""
    return f"{sign}{_number(scaled.value, digits)} {unit} {bounds}"


def mean_text(mean: Estimate, *, plain: bool = False) -> str:
    """As "412 µs [405, 419]" of a mean in nanoseconds; without brackets where none is known."""
    if not has_interval(mean):
        return time_text(mean.value, plain=plain)
    scale, unit = _unit(abs(mean.value), plain=plain)
    scaled = _scaled(mean, scale)
    digits = min(_digits(scaled), _RATIO_DIGITS)
    low, high = _number(scaled.low, digits), _number(scaled.high, digits)
    return f"{_number(scaled.value, digits)} {unit} [{low}, {high}]"


def time_text(nanoseconds: float, *, plain: bool = False) -> str:
    """As "412 µs", "1.24 ms", "85 ns": three significant digits."""
    scale, unit = _unit(abs(nanoseconds), plain=plain)
    if scale == 1.0:
        return f"{round(nanoseconds)} {unit}"
    return f"{_significant(nanoseconds / scale)} {unit}"


def rate_text(per_second: float | Estimate) -> str:
    """As "2,430 op/s"; of an estimate with interval "2,430 op/s [2,390, 2,470]"."""
    if isinstance(per_second, Estimate):
        if not has_interval(per_second):
            return rate_text(per_second.value)
        digits = min(_digits(per_second), _RATIO_DIGITS)
        low, high = _number(per_second.low, digits), _number(per_second.high, digits)
        return f"{_number(per_second.value, digits)} op/s [{low}, {high}]"
    return f"{_significant(per_second)} op/s"


def percent_text(fraction: float) -> str:
    """As "0.9 %", "12 %": of a fraction; two significant digits at most, one below 1 %."""
    percent = fraction * 100
    if 0 < abs(percent) < 0.05:  # noqa: PLR2004 - what would round to 0.0 %
        return "< 0.1 %"
    digits = 0 if abs(percent) >= 9.5 or percent == 0 else 1  # noqa: PLR2004 - two digits
    text = _number(percent, digits)
    return f"{text.removesuffix('.0')} %"


def share_text(share: Estimate) -> str:
    """As "+0.9 % [0.8, 1.0]" of an estimated fraction; no sign where the interval holds 0."""
    if not has_interval(share):
        return f"cannot tell ({_blocks(share)})"
    percent = _scaled(share, 0.01)
    digits = _digits_clear_of(percent, 0.0, limit=_RATIO_DIGITS)
    bounds = f"[{_number(percent.low, digits)}, {_number(percent.high, digits)}]"
    if share.low <= 0.0 <= share.high:
        return f"cannot tell {bounds} %"
    sign = "+" if percent.value > 0 else ""
    return f"{sign}{_number(percent.value, digits)} % {bounds}"


def part_text(part: Estimate) -> str:
    """As "62 % [60, 64]" of an estimated ratio; without brackets where its bounds are unknown."""
    percent = _scaled(part, 0.01)
    if not has_interval(part):
        return f"{_number(percent.value, 0)} %"
    digits = min(_digits(percent), 1)
    bounds = f"[{_number(percent.low, digits)}, {_number(percent.high, digits)}]"
    return f"{_number(percent.value, digits)} % {bounds}"


def number_text(value: float) -> str:
    """As "640", "12.3", "0.25", "5": three significant digits at most, and no unit."""
    text = _significant(value)
    return text.rstrip("0").removesuffix(".") if "." in text else text


def whole_percent(part: Estimate) -> str:
    """As "62" of an estimated ratio; "60" where its interval leaves no more than the tens."""
    percent = _scaled(part, 0.01)
    return _number(percent.value, min(_digits(percent), 0) if has_interval(part) else 0)


def per_1000_text(number: float) -> str:
    """As "41.2", "0", "1,000" of so many per 1,000: three significant digits."""
    return f"{number:.3g}" if number < 999.5 else f"{number:,.0f}"  # noqa: PLR2004 - never 1e+03


def span_text(span: tuple[int, int]) -> str:
    """As "3", or "3-4" of a count whose least and most differ."""
    least, most = span
    return f"{least:,}" if least == most else f"{least:,}-{most:,}"


def counted_text(span: tuple[int, int], noun: str) -> str:
    """As "1 round trip", "3-4 round trips", "no round trip"."""
    if span == (0, 0):
        return f"no {noun}"
    return f"{span_text(span)} {noun}{'' if span == (1, 1) else 's'}"


def duration_text(seconds: float) -> str:
    """Say "96 s", or "6 min 12 s" from two minutes on."""
    whole = round(seconds)
    if whole < 120:  # noqa: PLR2004 - two minutes
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s"


def percentile_name(percentile: float) -> str:
    """Give "p99" of 99.0, "p99.9" of 99.9."""
    return f"p{percentile:g}"


def without_interval(text: str) -> str:
    """As "1.10x" of "1.10x [1.08, 1.13]": for a line that has no room for more."""
    return text.partition(" [")[0]


def interval_of(text: str) -> str:
    """As " [1.08, 1.13]" of "1.10x [1.08, 1.13]", with the space; "" where there is none."""
    _, bracket, bounds = text.partition(" [")
    return f"{bracket}{bounds}"


def has_interval(estimate: Estimate) -> bool:
    """Whether enough blocks stand behind an estimate for both its bounds to be finite."""
    return math.isfinite(estimate.low) and math.isfinite(estimate.high)


def _blocks(estimate: Estimate) -> str:
    if not estimate.blocks:  # as `digest_comparisons` has it where operations failed
        return "operations failed"
    return f"{estimate.blocks} block{'' if estimate.blocks == 1 else 's'}"


def _half_width(estimate: Estimate) -> float:
    return (estimate.high - estimate.low) / 2


def _digits(estimate: Estimate) -> int:
    """Decimal places whose unit is the half-width's leading digit; below 0 for tens, hundreds."""
    half_width = _half_width(estimate)
    if half_width <= 0.0:
        return _RATIO_DIGITS
    return -math.floor(math.log10(half_width) + 1e-9)


def _digits_clear_of(estimate: Estimate, null: float, *, limit: int) -> int:
    """The digits of an estimate, one more where rounding would put a bound onto *null*."""
    digits = min(_digits(estimate), limit)
    decided = not estimate.low <= null <= estimate.high
    nearest = estimate.low if estimate.low > null else estimate.high
    if decided and round(nearest, digits) == null and digits < limit:
        return digits + 1
    return digits


def _scaled(estimate: Estimate, scale: float) -> Estimate:
    return Estimate(
        estimate.value / scale,
        estimate.low / scale,
        estimate.high / scale,
        estimate.blocks,
        estimate.unit,
        estimate.direction,
    )


def _unit(nanoseconds: float, *, plain: bool) -> tuple[float, str]:
    for scale, unit in _TIME_UNITS:
        if nanoseconds >= scale * 0.9995:  # so that 999.6 µs reads 1.00 ms, not 1,000 µs
            return scale, unit.replace("µ", "u") if plain else unit
    return 1.0, "ns"


def _significant(value: float) -> str:
    if value == 0:
        return "0"
    rounded = float(f"{value:.{_SIGNIFICANT - 1}e}")
    leading = math.floor(math.log10(abs(rounded)))
    return _number(rounded, _SIGNIFICANT - 1 - leading)


def _number(value: float, digits: int) -> str:
    """*value* rounded to *digits* decimal places, thousands set off, never "-0"."""
    rounded = round(value, digits) + 0.0
    return f"{rounded:,.{max(digits, 0)}f}"
