"""The clock that operations are timed with: how fine it is, and what reading it costs.

Pure: the clock is handed in.
"""

from collections.abc import Callable
from itertools import pairwise

from ormbench.doctor.fact import Fact

Clock = Callable[[], int]  # nanoseconds

READS = 20_000
COARSEST_NS = 1_000  # a step above adds a per mille and more to an operation of a millisecond
DEAREST_NS = 200  # a read above is as much as the run loop itself costs
_SOURCE = "/sys/devices/system/clocksource/clocksource0/current_clocksource"


def smallest_step(clock: Clock, reads: int = READS) -> int | None:
    """The least difference of two readings that differ, in ns; None where it never moved."""
    readings = [clock() for _ in range(reads)]
    steps = (later - earlier for earlier, later in pairwise(readings))
    return min((step for step in steps if step > 0), default=None)


def read_cost(clock: Clock, reads: int = READS) -> float:
    """What a reading costs, in ns, with the loop around it: the least of five series."""
    series = []
    for _ in range(5):
        start = clock()
        for _ in range(reads - 1):
            clock()
        series.append((clock() - start) / reads)
    return min(series)


def clock_fact(clock: Clock) -> Fact:
    """Both, with what would help."""
    step, cost = smallest_step(clock), read_cost(clock)
    if step is None:
        return Fact("clock", f"did not move in {READS:,} readings", help="no time can be taken")
    wrong = step > COARSEST_NS or cost > DEAREST_NS
    return Fact(
        "clock",
        f"smallest step {step:,} ns, a read costs {cost:,.0f} ns",
        {"smallest_step_ns": step, "read_ns": round(cost, 1)},
        f"a clock this coarse or slow is not tsc: see {_SOURCE}" if wrong else "",
    )
