"""What an interval of a ratio of times says, in one of four words.

The fifth, "wrong data", comes from no interval: one of the two lost updates or broke an invariant,
and its speed is that of not doing the work.
"""

from typing import Literal

Verdict = Literal["faster", "slower", "same", "cannot tell", "wrong data"]

WRONG_DATA: Verdict = "wrong data"

EQUIVALENCE = 0.05  # differences within 5 % either way count as none


def verdict(low: float, high: float, equivalence: float = EQUIVALENCE) -> Verdict:
    """Judge the interval [low, high] of candidate over reference; 0 to infinity is unknown.

    "same" if it lies within [1 / (1 + equivalence), 1 + equivalence], even where it excludes 1:
    a real difference of 1 % is still none that matters.
    """
    if 1 / (1 + equivalence) <= low and high <= 1 + equivalence:
        return "same"
    if low > 1.0:
        return "slower"
    if high < 1.0:
        return "faster"
    return "cannot tell"


def differs(low: float, high: float) -> bool:
    """Whether the interval of a ratio excludes 1, however small the difference (for A/A pairs)."""
    return low > 1.0 or high < 1.0
