"""Coordinators that start a server and get struck down, and what to look for afterwards."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import ormbench

NOBODY = 65534

# The parts of the package that lie elsewhere in a checkout, for an interpreter without the harness.
SOURCE = """
import json, time
import ormbench
ormbench.__path__.append({checkout!r})
from ormbench.servers import {kind}
from ormbench.servers.processes import children
print("starting", flush=True)
with {kind}.start({product!r}, "relaxed") as server:
    family = [server._keeper.pid, server.pid, *children(server.pid)]
    if {paused}:
        server.pause()
    print(json.dumps({{"family": family, "runs as": server.description()["runs as"]}}), flush=True)
    time.sleep(60)
"""
PACKAGE = Path(ormbench.__file__).parent
PLACES = os.pathsep.join([str(PACKAGE.parent), *sys.path])


def runs(pid):
    """A zombie that init has not collected yet is no process any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def settles(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def nothing_left(folder, pids):
    return not list(folder.iterdir()) and not any(runs(pid) for pid in pids)


@contextmanager
def coordinator(
    folder, python=sys.executable, *, server=("embedded", "PostgreSQL"), paused=False, **account
):
    """Another process that starts a server and sleeps, in a process group of its own."""
    kind, product = server
    source = SOURCE.format(
        checkout=str(PACKAGE.parents[1]), kind=kind, product=product, paused=paused
    )
    process = subprocess.Popen(
        [python, "-c", source],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": PLACES},
        **account,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def refuse_namespaces(monkeypatch, folder):
    """A PATH on which ``unshare`` fails, as it does where the kernel says no."""
    refusing = folder / "unshare"
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def interpreter_for_nobody():
    """An interpreter that nobody may run and that can import the harness; skips without one."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(name, path="/usr/bin:/usr/local/bin")):
        try:
            done = subprocess.run(
                [str(python), "-c", "import ormbench.servers.embedded, ormbench.servers.local"],
                env={**os.environ, "PYTHONPATH": PLACES},
                capture_output=True,
                check=False,
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
            )
        except OSError:
            continue
        if done.returncode == 0:
            return str(python)
    pytest.skip("no interpreter that an ordinary user may run can import the harness")


def keepers(folder):
    """Processes of ours whose command line names *folder*."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            named = str(folder).encode() in entry.read_bytes()
        except OSError:
            continue
        if named and runs(entry.parent.name):
            found.append(entry.parent.name)
    return found
