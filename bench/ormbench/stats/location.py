"""Where a handful of numbers lie: the Hodges-Lehmann estimate and its signed-rank interval.

The interval inverts Wilcoxon's signed-rank test with its exact null distribution (Hollander,
Wolfe and Chicken, *Nonparametric Statistical Methods*, 3rd ed., sections 3.2 and 3.3). It assumes
that the numbers are independent and symmetric about their centre, and no more than that.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

CONFIDENCE = 0.99
FEWEST_BLOCKS = 8  # below, no interval at 99 % exists: 2 / 2**7 is more than 1 %


@dataclass(frozen=True, slots=True)
class Location:
    """A centre with its interval; the bounds are infinite where too few values stand behind it."""

    value: float
    low: float
    high: float
    count: int

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0.0 or self.high < 0.0

    def exp(self) -> "Location":
        """The same of the exponentials: log ratios become ratios, unknown is 0 to infinity."""
        return Location(math.exp(self.value), math.exp(self.low), math.exp(self.high), self.count)


def locate(values: Sequence[float], confidence: float = CONFIDENCE) -> Location:
    """The Hodges-Lehmann estimate of *values* with its interval. Raises ValueError if empty."""
    averages = _walsh_averages(values)
    low, high = _interval(averages, len(values), confidence)
    return Location(statistics.median(averages), low, high, len(values))


def hodges_lehmann(values: Sequence[float]) -> float:
    """The median of the averages of all pairs i <= j. Raises ValueError if *values* is empty."""
    return statistics.median(_walsh_averages(values))


def signed_rank_interval(
    values: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """The interval that holds the centre of *values* with *confidence*, or more.

    (-inf, inf) where there are too few values for that confidence, 7 or fewer at 99 %: with K
    values the smallest two-sided p is 2 / 2**K. With 8 at 99 % it is the smallest and the largest.
    """
    return _interval(_walsh_averages(values), len(values), confidence)


def _walsh_averages(values: Sequence[float]) -> list[float]:
    if not values:
        raise ValueError("no values, so no centre")
    return sorted((a + b) / 2 for i, a in enumerate(values) for b in values[i:])


def _interval(averages: Sequence[float], count: int, confidence: float) -> tuple[float, float]:
    tail = _tail(count, confidence)
    if tail is None:
        return -math.inf, math.inf
    return averages[tail], averages[-1 - tail]


@lru_cache
def _tail(count: int, confidence: float) -> int | None:
    """The largest c with P(T <= c) <= (1 - confidence) / 2; None where there is none."""
    allowed = (1 - confidence) / 2 * 2**count
    below = 0
    for statistic, ways in enumerate(_rank_sums(count)):
        below += ways
        if below > allowed:
            return statistic - 1 if statistic else None
    raise ValueError(f"confidence {confidence} is not above 0")


def _rank_sums(count: int) -> list[int]:
    """In how many of the 2**count choices of signs the positive ranks sum to 0, 1, 2, ..."""
    ways = [1] + [0] * (count * (count + 1) // 2)
    for rank in range(1, count + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways
