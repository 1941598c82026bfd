"""How a server and its folder end; the coordinator does it where a guardian was killed."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path


def wake(leader: int) -> None:
    """Let a server go on that a coordinator had paused: a stopped process hears of no end."""
    try:
        children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
    except OSError:  # it is gone, or there is no /proc
        children = []
    for pid in [leader, *map(int, children)]:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGCONT)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process, and what it started in its session, without asking."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def remove(directory: Path) -> None:
    """Remove the folder, also while an orphan of a killed server still writes a last file."""
    for _ in range(20):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(0.1)
