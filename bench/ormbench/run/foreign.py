"""What others did on the measured cores: busy time that was neither ours nor the server's."""

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
NS = 1_000_000_000
IDLE_FIELDS = {3, 4}  # idle and iowait, of user nice system idle iowait irq softirq steal


class ForeignLoad:
    """Adds up windows of time; `share` is the part of the cores that others used in them."""

    def __init__(self, server_cpu_ns: Callable[[], int | None]) -> None:
        self._server_cpu_ns = server_cpu_ns
        self._busy = self._own = self._room = 0
        self._readable = True

    @contextlib.contextmanager
    def window(self, cpus: Collection[int], pids: Collection[int]) -> Iterator[None]:
        """Watch the cores *cpus* inside the with statement; *pids* are our own processes there."""
        before = self._read(cpus, pids)
        yield
        after = self._read(cpus, pids)
        if before is None or after is None:
            self._readable = False
            return
        self._busy += after[0] - before[0]
        self._own += after[1] - before[1]
        self._room += (after[2] - before[2]) * len(cpus)

    def share(self) -> float | None:
        """Between 0 and 1; None where the system does not say, or nothing was watched."""
        if not self._readable or not self._room:
            return None
        foreign = max(0, self._busy - self._own)
        return round(min(1.0, foreign / self._room), 4)

    def _read(self, cpus: Collection[int], pids: Collection[int]) -> tuple[int, int, int] | None:
        server = self._server_cpu_ns()
        try:
            busy = sum(_busy_ns(line) for line in _cores(cpus))
            own = sum(_process_ns(pid) for pid in pids)
        except OSError:
            return None
        return None if server is None else (busy, own + server, time.perf_counter_ns())


def _cores(cpus: Collection[int]) -> Iterator[str]:
    names = {f"cpu{number}" for number in cpus}
    for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
        if line.partition(" ")[0] in names:
            yield line


def _busy_ns(line: str) -> int:
    fields = [int(field) for field in line.split()[1:9]]
    ticks = sum(ticks for place, ticks in enumerate(fields) if place not in IDLE_FIELDS)
    return ticks * NS // TICK


def _process_ns(pid: int) -> int:
    """CPU time of a process with all of its threads."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) * NS // TICK
