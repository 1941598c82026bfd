"""What a cell takes by itself: per block first, then over blocks.

Absolute values carry the machine's mood of the minute; differences come from `paired`.
"""

from collections.abc import Callable, Sequence

from ormbench.results.trial import Slice
from ormbench.stats.location import Location, locate

Slices = Sequence[Slice]
NS_PER_S = 1_000_000_000


def mean_service(slices: Slices) -> float:
    """Nanoseconds of service time per operation. Raises ZeroDivisionError without operations."""
    return sum(one.service_ns for one in slices) / _operations(slices)


def mean_wall(slices: Slices) -> float:
    """Nanoseconds of wall time per operation."""
    return sum(one.wall_ns for one in slices) / _operations(slices)


def mean_cpu(slices: Slices) -> float:
    """Nanoseconds of client CPU time per operation."""
    return sum(one.cpu_ns for one in slices) / _operations(slices)


def throughput(slices: Slices) -> float:
    """Operations per second of wall time."""
    return NS_PER_S / mean_wall(slices)


def goodput(slices: Slices) -> float:
    """Committed, correct operations per second: without those failed, lost or broken."""
    wrong = sum(one.failed + one.lost + one.broken for one in slices)
    wall = sum(one.wall_ns for one in slices)
    return max(0, _operations(slices) - wrong) * NS_PER_S / wall


def over_blocks(blocks: Sequence[Slices], of: Callable[[Slices], float]) -> Location:
    """One value of each block by *of*, located over the blocks."""
    return locate([of(slices) for slices in blocks])


def _operations(slices: Slices) -> int:
    return sum(one.operations for one in slices)
