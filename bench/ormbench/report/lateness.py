"""How long a lane kept its event loop from everybody else, where that is the point of the lane."""

from ormbench.report.findings import CellFinding
from ormbench.report.names import blocks_loop
from ormbench.report.quantities import time_text

LONGEST_LAG_NS = 1_000_000  # that an event loop may be late before it is worth a word


def lag_text(one: CellFinding, *, plain: bool = False) -> str:
    """Say "event loop 21.0 ms late (p99)" of a lane that blocks it; "" of any other."""
    late = lag_time(one, plain=plain)
    return f"event loop {late} late (p99)" if late else ""


def lag_time(one: CellFinding, *, plain: bool = False) -> str:
    """Say "21.0 ms": how late a lane made its event loop, where that is the point of the lane."""
    if one.lag is None or not blocks_loop(one.cell):
        return ""
    return time_text(one.lag, plain=plain)


def stood_still(found: CellFinding) -> str:
    """As "the event loop stood still for 21.0 ms (p99)"; "" where it did not, for a millisecond."""
    if found.lag is None or not blocks_loop(found.cell) or found.lag <= LONGEST_LAG_NS:
        return ""
    return f"the event loop stood still for {time_text(found.lag)} (p99)"
