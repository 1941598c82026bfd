"""Whose a container is: the process that started it, so that leftovers of dead ones are known."""

import os
import platform
from pathlib import Path

from ormbench.servers import processes

KEPT = "kept"
"""Owner of what ``ormbench servers up`` started: nobody's death ends that."""

_PARTS = 4


def me() -> str:
    """This process, as text: host, process namespace, id, time of start."""
    pid = os.getpid()
    return "|".join((platform.node(), _namespace(), str(pid), _started(pid)))


def is_gone(owner: str) -> bool:
    """Whether that process has ended.

    Of another host, or of another namespace (a harness in a container), nothing is known: it is
    taken for alive. A process that has the id by now is told apart by its start.
    """
    parts = owner.split("|")
    if len(parts) != _PARTS or not parts[2].isdecimal():
        return False
    host, namespace, pid, started = parts
    if (host, namespace) != (platform.node(), _namespace()):
        return False
    return not processes.runs(int(pid)) or _started(int(pid)) != started


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Clock ticks from boot to its start; "" where that cannot be read."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
