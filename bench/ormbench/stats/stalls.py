"""Exceedances: slices that took much longer than their trial's usual slice.

A stall in 1 % of the slices hardly moves a Hodges-Lehmann estimate; here it is counted.
"""

import statistics
from collections.abc import Sequence

from ormbench.results.trial import Slice

THRESHOLD = 1.5  # times the trial's median


def exceedances(slices: Sequence[Slice], threshold: float = THRESHOLD) -> int:
    """How many slices of one trial took more than *threshold* x their median, per operation."""
    times = [one.service_ns / one.operations for one in slices if one.operations]
    if not times:
        return 0
    limit = threshold * statistics.median(times)
    return sum(time > limit for time in times)
