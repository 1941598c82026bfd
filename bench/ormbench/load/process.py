"""What a worker asks of its operating system: cores, an end with its parent, clean pipes."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

PR_SET_PDEATHSIG = 1  # of Linux's prctl


def pin(cpus: list[int]) -> None:
    """Tie this process to *cpus*: each of its threads, because the system ties them one by one."""
    os.sched_setaffinity(0, cpus)
    tasks = Path("/proc/self/task")
    for thread in tasks.iterdir() if tasks.is_dir() else ():
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.sched_setaffinity(int(thread.name), cpus)


def end_with_parent() -> None:
    """Ask Linux to end this process with its coordinator, even inside a lane that blocks."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def protocol() -> Iterator[tuple[TextIO, TextIO]]:
    """Keep standard input and output to ourselves, as requests and replies.

    What a scenario prints goes to standard error, and where it reads it finds nothing.
    """
    requests = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        yield requests, replies
    finally:
        requests.close()
        with contextlib.suppress(BrokenPipeError):
            replies.close()
