"""The command line for tests: in a process of its own, or called in this one."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ormbench.cli import main

SMALL = ("--table-rows", "1000", "--blocks", "1", "--rounds", "1", "-q")
"""The flags of a run that takes a few seconds and is evidence of nothing."""


@dataclass(frozen=True)
class Ended:
    """What a command left: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def complaint(self):
        """The only line on standard error."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("ormbench: ")
        return lines[0].removeprefix("ormbench: ")


def start(*words, cwd, **variables):
    """Start a command; its output is kept in pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "ormbench", *map(str, words)],
        cwd=cwd,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )


def finish(process, seconds=90):
    """Wait for a command's end."""
    out, err = process.communicate(timeout=seconds)
    return Ended(process.returncode, out, err)


def run(*words, cwd, **variables):
    """Run a command in a process of its own."""
    return finish(start(*words, cwd=cwd, **variables))


def call(capsys, *words):
    """Run a command in this process."""
    before = signal.getsignal(signal.SIGTERM)
    capsys.readouterr()
    try:
        code = main([str(word) for word in words])
    finally:
        signal.signal(signal.SIGTERM, before)
    return Ended(code, *capsys.readouterr())


def only_run(parent):
    """The folder of the only run below *parent*."""
    (folder,) = Path(parent).iterdir()
    return folder


def statuses(findings):
    """``scenario/lane`` to (status, reason), from a run's JSON; all drivers together."""
    cells = json.loads(findings, parse_constant=_refuse)["cells"]
    return {
        f"{one['cell']['scenario']}/{one['cell']['lane']}": (one["status"], one["reason"])
        for one in cells
    }


def _refuse(word):
    raise AssertionError(f"{word} is not JSON")


def wait_for(condition, seconds=30):
    """Wait until *condition* gives something, and give that."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return found


def descendants(pid):
    """Processes below *pid*, from Linux's /proc."""
    found = []
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in map(int, children):
            found += [child, *descendants(child)]
    return found


def lives(pid):
    """Whether there is such a process and it is not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
