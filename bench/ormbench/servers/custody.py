"""The coordinator's side of a guardian: start it, hear its one line, dismiss it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ormbench.errors import ServerError
from ormbench.servers import guardian
from ormbench.servers.job import Job

STOP_SECONDS = 20.0  # the guardian needs 10 at most before it kills

_ROOT = Path(guardian.__file__).parents[3]  # the folder of the package
_BOOT = (  # isolated, it finds no module but the standard library's
    "import sys; sys.path.append(sys.argv[1]); "
    "from ormbench.servers.guardian.duty import main; main(sys.argv[2])"
)
_DEAF_TO = ("PG", "MYSQL", "MARIADB")  # what servers and their tools read in the environment


@dataclass(frozen=True, slots=True)
class Custody:
    """A server and the guardian that owns it."""

    keeper: subprocess.Popen[bytes]
    pid: int  # of the server's first process
    directory: Path  # its private folder


def take(name: str, job: Job) -> Custody:
    """Start the server of *job*; *name* is for messages. Raises ServerError in one line."""
    try:
        keeper = _spawn(job)
    except OSError as error:
        raise ServerError(f"{name} did not start: {error}") from error
    try:
        told = _answer(name, keeper)
    except BaseException:  # Ctrl-C too: the guardian is to clean up before we go on
        dismiss(name, keeper)
        raise
    return Custody(keeper, told["pid"], Path(told["directory"]))


def dismiss(name: str, keeper: subprocess.Popen[bytes]) -> None:
    """Close both pipes, which is the guardian's sign to stop, and wait for its end."""
    for pipe in (keeper.stdin, keeper.stdout):
        if pipe is not None:
            pipe.close()
    try:
        keeper.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise ServerError(
            f"{name}: its guardian, process {keeper.pid}, did not end within "
            f"{STOP_SECONDS:.0f} s; end that process and remove its folder"
        ) from error


def _spawn(job: Job) -> subprocess.Popen[bytes]:
    """Start the guardian on a bare interpreter, deaf to PYTHON* and PG* of the environment."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _BOOT, str(_ROOT), job.to_json()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        cwd="/",
        env={name: value for name, value in os.environ.items() if not name.startswith(_DEAF_TO)},
    )


def _answer(name: str, keeper: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The guardian's one line. Raises ServerError where it is an error, or there is none."""
    assert keeper.stdout is not None  # noqa: S101 - it was opened as a pipe
    line = ""
    for raw in keeper.stdout:
        line = raw.decode(errors="replace").strip()
        if line.startswith("{"):
            break
    keeper.stdout.close()
    if not line.startswith("{"):
        raise ServerError(f"{name}: its guardian ended: {line or 'without a word'}")
    told: dict[str, Any] = json.loads(line)
    if "error" in told:
        raise ServerError(f"{name} did not start: {told['error']}")
    return told
