"""A server's family of processes, as Linux shows it: pin them, read their CPU time.

A family is a leader and its children, which is all that PostgreSQL has: its postmaster and
what that has forked. Elsewhere than on Linux nothing is pinned and no CPU time is known.
"""

import os
from collections.abc import Set as AbstractSet
from pathlib import Path

from ormbench.errors import ServerError
from ormbench.servers.placement import CAN_PIN

_LINE = 100  # bytes; three numbers of 20 digits at most


def children(leader: int) -> list[int]:
    """Ids of the present children. Raises OSError where there is no leader or no ``/proc``."""
    return [int(pid) for pid in Path(f"/proc/{leader}/task/{leader}/children").read_bytes().split()]


def runs(pid: int) -> bool:
    """Whether there is such a process. Linux tells one that is dead and not yet buried."""
    try:
        os.kill(pid, 0)
    except PermissionError:  # there is one, of another account
        return True
    except ProcessLookupError:
        return False
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return not CAN_PIN
    return stat.rpartition(")")[2].split(maxsplit=1)[0] not in {"Z", "X"}


def pin(leader: int, cpus: AbstractSet[int]) -> None:
    """Tie the family, and whoever the leader forks from now on, to *cpus*.

    Does nothing where the system cannot pin. Raises ServerError where it refuses.
    """
    if not CAN_PIN:
        return
    try:
        os.sched_setaffinity(leader, cpus)  # first the leader: a new child is born pinned
        for child in children(leader):
            _pin_if_there(child, cpus)
    except OSError as error:
        raise ServerError(
            f"server process {leader} cannot be tied to cores {sorted(cpus)}: {error.strerror}; "
            "placement free needs no such right"
        ) from error


def cpu_ns(leader: int) -> int | None:
    """CPU time of the present family, in ns; None where it cannot be read.

    The first field of ``/proc/PID/schedstat`` (Linux, Documentation/scheduler/sched-stats).
    A process that runs at this instant may lag by a scheduler tick, one that waits does not.
    A child that has ended is no longer in the sum.
    """
    try:
        total = _spent(leader)
        family = children(leader)
    except OSError:
        return None
    for child in family:
        try:
            total += _spent(child)
        except OSError:  # it ended after it was listed
            continue
    return total


def _pin_if_there(pid: int, cpus: AbstractSet[int]) -> None:
    try:
        os.sched_setaffinity(pid, cpus)
    except ProcessLookupError:  # it ended after it was listed
        return


def _spent(pid: int) -> int:
    descriptor = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY)  # half the cost of a file object
    try:
        return int(os.read(descriptor, _LINE).split(maxsplit=1)[0])
    finally:
        os.close(descriptor)
