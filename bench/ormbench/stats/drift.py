"""Whether the blocks of a cell hold still: their spread, and whether they go one way."""

from collections.abc import Sequence
from itertools import combinations


def spread(means: Sequence[float]) -> float:
    """How far the largest lies above the smallest, as a fraction; 0.0 of fewer than two."""
    return max(means) / min(means) - 1 if len(means) > 1 else 0.0


def trend(means: Sequence[float]) -> float:
    """Kendall's tau of the means against their order: 1 rises throughout, -1 falls, 0 neither."""
    steps = [(later > earlier) - (later < earlier) for earlier, later in combinations(means, 2)]
    return sum(steps) / len(steps) if steps else 0.0
