"""What must hold of a trial, whatever the database did; where it does not, a clock is wrong.

In a closed loop without think time clients = throughput x mean service time (Little, "A proof
for the queuing formula L = lambda W", 1961); and processes use no more CPU than wall time has.
"""

from collections.abc import Sequence

from ormbench.results.trial import Slice

TOLERANCE = 0.05


def occupancy(slices: Sequence[Slice], clients: int) -> float:
    """Throughput x mean service time / clients: 1.0 where every client is always served."""
    return sum(one.service_ns for one in slices) / (sum(one.wall_ns for one in slices) * clients)


def occupancy_holds(slices: Sequence[Slice], clients: int) -> bool:
    """Whether the occupancy is 1 to within 5 %, and what a ragged end of the slices explains.

    With several clients, some have no turn left while the last ones finish: at most one
    operation each a slice, half of one on average.
    """
    operations = sum(one.operations for one in slices)
    ragged = 0.5 * (clients - 1) * len(slices) / operations
    return 1 - TOLERANCE - ragged <= occupancy(slices, clients) <= 1 + TOLERANCE


def busy(slices: Sequence[Slice], processes: int = 1) -> float:
    """Client CPU time as a share of what *processes* could use in that wall time."""
    return sum(one.cpu_ns for one in slices) / (sum(one.wall_ns for one in slices) * processes)


def busy_holds(slices: Sequence[Slice], processes: int = 1) -> bool:
    """Whether no more CPU time was used than there was, to within 5 %."""
    return busy(slices, processes) <= 1 + TOLERANCE
