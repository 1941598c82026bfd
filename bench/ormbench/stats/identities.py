"""What must hold of a trial, whatever the database did; where it does not, a clock is wrong.

In a closed loop without think time clients = throughput x mean service time (Little, "A proof
for the queuing formula L = lambda W", 1961); and processes use no more CPU than wall time has.
"""

from collections.abc import Sequence

from ormbench.results.trial import Slice

TOLERANCE = 0.05


def occupancy(slices: Sequence[Slice], clients: int) -> float:
    """Throughput x mean service time / clients: 1.0 where every client is always served.

    Clients of a process that has run out of turns before the others are taken for served.
    """
    served = sum(one.service_ns + one.idle_ns for one in slices)
    return served / (sum(one.wall_ns for one in slices) * clients)


def occupancy_holds(slices: Sequence[Slice], clients: int, ragged_ends: int = 1) -> bool:
    """Whether the occupancy is 1 to within 5 %, and what ragged ends of the slices explain.

    With several clients, some have no turn left while the last ones finish: at most one
    operation each a slice, half of one on average. Where a slice begins in mid-course, its start
    is such an end, too; and the last operations outlast its wall, so that there is more than fits.
    """
    operations = sum(one.operations for one in slices)
    ragged = 0.5 * (clients - 1) * len(slices) / operations
    least, most = 1 - TOLERANCE - ragged_ends * ragged, 1 + TOLERANCE + (ragged_ends - 1) * ragged
    return least <= occupancy(slices, clients) <= most


def busy(slices: Sequence[Slice], processes: int = 1) -> float:
    """Client CPU time as a share of what *processes* could use in that wall time."""
    return sum(one.cpu_ns for one in slices) / (sum(one.wall_ns for one in slices) * processes)


def busy_holds(slices: Sequence[Slice], processes: int = 1) -> bool:
    """Whether no more CPU time was used than there was, to within 5 %."""
    return busy(slices, processes) <= 1 + TOLERANCE
