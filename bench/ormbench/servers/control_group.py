"""A container's control group, as Linux shows it: the CPU time of everything that ran in it."""

import os
from collections.abc import Iterator
from pathlib import Path

_BYTES = 4096
_MICROSECOND = 1000


class CpuClock:
    """CPU time that a control group has used, ended processes included."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    @classmethod
    def of(cls, pid: int, container: str) -> "CpuClock | None":
        """That of process *pid* in *container*; None where this system does not show it."""
        for path in _files(pid, container):
            try:
                clock = cls(path)
            except OSError:
                continue
            if clock.read() is not None:
                return clock
            clock.close()
        return None

    def read(self) -> int | None:
        """CPU time in ns; None once the group is gone."""
        try:
            text = os.pread(self._descriptor, _BYTES, 0).decode("ascii")
        except OSError:
            return None
        if text.strip().isdecimal():  # version 1: one number, in ns
            return int(text)
        words = text.split()  # version 2: name, number, name, number ...
        told = dict(zip(words[::2], words[1::2], strict=False))
        return int(told["usage_usec"]) * _MICROSECOND if "usage_usec" in told else None

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def holds(pid: int, container: str) -> bool:
    """Whether process *pid* of this machine is in *container*: then both share a kernel."""
    return any(container in path for _, path in _groups(pid))


def _files(pid: int, container: str) -> Iterator[Path]:
    """Where its CPU time may stand, versions 1 and 2 of control groups."""
    mounts = _mounts()
    for controllers, path in _groups(pid):
        if container not in path:
            continue
        for controller in controllers.split(","):
            if controller == "cpuacct" and controller in mounts:
                yield mounts[controller] / path.lstrip("/") / "cpuacct.usage"
            if not controller and "unified" in mounts:
                yield mounts["unified"] / path.lstrip("/") / "cpu.stat"


def _groups(pid: int) -> list[tuple[str, str]]:
    """Controllers and group of a process, from ``/proc/PID/cgroup``."""
    try:
        text = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    rows = (line.split(":", 2) for line in text.splitlines())
    return [(row[1], row[2]) for row in rows if len(row) == 3]  # noqa: PLR2004 - id:names:group


def _mounts() -> dict[str, Path]:
    """Where each controller of version 1 is mounted; version 2 is called ``unified``."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2":
            found["unified"] = Path(place)
        elif kind == "cgroup":
            found |= dict.fromkeys(options.split(","), Path(place))
    return found
