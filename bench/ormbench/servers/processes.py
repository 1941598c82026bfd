"""A server's family of processes, as Linux shows it: pin them, read their CPU time.

A family is a leader, its threads and its children: a postmaster and what it has forked, or the one
process of MySQL or MariaDB. Elsewhere than on Linux nothing is pinned and no CPU time is known.
"""

import contextlib
import os
import signal
import time
from collections.abc import Set as AbstractSet
from pathlib import Path

from ormbench.errors import ServerError
from ormbench.servers.placement import CAN_PIN


def children(leader: int) -> list[int]:
    """Ids of the present children. Raises OSError where there is no leader or no ``/proc``."""
    return [int(pid) for pid in Path(f"/proc/{leader}/task/{leader}/children").read_bytes().split()]


def threads(pid: int) -> list[int]:
    """Ids of the present threads, *pid* among them. Raises OSError where there is no process."""
    return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]


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
        os.sched_setaffinity(leader, cpus)  # first the leader: what it starts is born pinned
        pinned = {leader}
        while new := {*threads(leader), *children(leader)} - pinned:  # until none was born unpinned
            for one in new:
                _pin_if_there(one, cpus)
            pinned |= new
    except OSError as error:
        raise ServerError(
            f"server process {leader} cannot be tied to cores {sorted(cpus)}: {error.strerror}; "
            "placement free needs no such right"
        ) from error


def signal_family(leader: int, number: signal.Signals) -> None:
    """Send *number* to the family; one that has ended is passed over."""
    try:
        family = [leader, *children(leader)]
    except OSError:
        family = [leader]
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def cpu_ns(leader: int) -> int | None:
    """CPU time of the present family, in ns; None where it cannot be read.

    A thread that has ended stays in the sum, a child that has ended does not.
    """
    try:
        family = children(leader)
        total = _spent(leader)
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
    """CPU time of a process with all its threads, up to this instant. Raises OSError.

    Reads the process's CPU clock, whose number Linux makes of the process id: what
    clock_getcpuclockid(3) returns. Needs no right, takes half a microsecond.
    """
    return time.clock_gettime_ns((~pid << 3) | 2)
