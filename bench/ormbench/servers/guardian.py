"""The small process that owns a private server, from its first file to its last.

Runs in a session of its own, so that no Ctrl-C reaches it, and holds the reading end of a pipe
from the coordinator. When that pipe ends, for whatever reason (stop, crash, kill -9), or on
SIGTERM, or when the server ends by itself, it stops the server and removes the private folder.

One argument, a JSON object made by ``job.Job``, which says what each of its fields means. Answers
with one line of JSON: ``pid`` and ``directory``, or ``error``.
Is run as a file by a bare interpreter, so it imports the standard library and nothing else.
"""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

_SCARCE = 256 << 20  # bytes of free disk below which a failed start may be for want of it
_START_SECONDS = 60.0  # a loaded machine may be slow; a server that hangs must not hang us
_STOP_SECONDS = 5.0  # for each of the ways to ask
_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_TELLING = ("FATAL:", "PANIC:", "error:", "DETAIL:", "detail:", "HINT:", "hint:", "[ERROR] ")
_CODES = re.compile(r"(\[(MY-\d+|Server|InnoDB)\] )+")  # MySQL puts them before its words


class RefusalError(Exception):
    """The server did not start; the message is one line in its own words."""


class Watch:
    """Waits for what may happen: a child ends, the coordinator goes, SIGTERM comes."""

    def __init__(self) -> None:
        self.dismissed = False
        self._signals, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        for number in _SIGNALS:  # handled, not ignored: a child would inherit being deaf
            signal.signal(number, lambda *_: None)

    def until_over(self, process: subprocess.Popen[bytes], seconds: float | None = None) -> None:
        """Sleep until *process* ended, we are dismissed, or *seconds* have passed."""
        end = None if seconds is None else time.monotonic() + seconds
        while not self.dismissed and process.poll() is None:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return
            self._sleep(left)

    def _sleep(self, seconds: float | None) -> None:
        awake, _, _ = select.select([sys.stdin.fileno(), self._signals], [], [], seconds)
        if sys.stdin.fileno() in awake and not os.read(sys.stdin.fileno(), 4096):
            self.dismissed = True
        if self._signals in awake and signal.SIGTERM in os.read(self._signals, 4096):
            self.dismissed = True


class Keeper:
    """One private folder and the server in it."""

    def __init__(self, job: dict[str, Any], directory: Path, watch: Watch) -> None:
        self.job, self.directory, self.watch = job, directory, watch

    def prepare(self) -> None:
        """Make the folder the account's own, with the binaries where it cannot reach ours."""
        for source, target in self.job["copies"]:
            copy(Path(source), Path(self._here(target)))
        if self.job["ids"]:
            for path in [self.directory, *self.directory.rglob("*")]:
                os.chown(path, *self.job["ids"], follow_symlinks=False)

    def initialise(self) -> None:
        """Make the server's data, by a command of its own."""
        process = self._spawn(self.job["initialise"])
        self.watch.until_over(process, _START_SECONDS)
        if process.poll() is None:
            kill(process)
            if not self.watch.dismissed:
                raise RefusalError(f"its data took longer than {_START_SECONDS:.0f} s")
        elif process.returncode:
            raise RefusalError(self.last_words())

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server and wait until it takes connections."""
        server = self._spawn(self.job["start"])
        try:
            self._until_ready(server)
        except BaseException:
            kill(server)
            raise
        return server

    def stop(self, server: subprocess.Popen[bytes]) -> None:
        """Ask it to end, in one way after the other; then do not ask."""
        wake(server.pid)
        for name in self.job["stop"]:
            server.send_signal(signal.Signals[name])
            try:
                server.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return
        kill(server)

    def last_words(self) -> str:
        """What the log ends with, as one line: its complaints, or else its last line."""
        lines = self._log_path.read_text(errors="replace").splitlines()
        told = [
            _CODES.sub("", " ".join(line[line.index(mark) :].split()))
            for line in lines
            for mark in _TELLING
            if mark in line
        ]
        words = "; ".join(told[-3:]) or "".join(lines[-1:]) or "it ended without a word"
        free = shutil.disk_usage(self.directory).free
        if free >= _SCARCE:
            return words
        return f"{words}; only {free >> 20} MB are free in {self.directory.parent}"

    @property
    def _log_path(self) -> Path:
        return self.directory / "log"

    def _here(self, word: str) -> str:
        return word.replace("{directory}", str(self.directory))

    def _until_ready(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self.watch.dismissed and not self._is_ready():
            if server.poll() is not None:
                raise RefusalError(self.last_words())
            if time.monotonic() > deadline:
                raise RefusalError(f"it took no connection within {_START_SECONDS:.0f} s")
            self.watch.until_over(server, 0.01)

    def _is_ready(self) -> bool:
        sign, path = self.job["ready"]
        return SIGNS[sign](Path(self._here(path)))

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        user, group = self.job["ids"] or (None, None)
        with self._log_path.open("ab") as log:
            return subprocess.Popen(
                [*self.job["prefix"], *map(self._here, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.directory,
                env={**os.environ, **{k: self._here(v) for k, v in self.job["env"].items()}},
                user=user,
                group=group,
                extra_groups=[] if self.job["ids"] else None,
            )


def says_ready(lock: Path) -> bool:
    """The eighth line of postmaster.pid is PostgreSQL's status, as pg_ctl reads it."""
    try:
        lines = lock.read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004 - see above


def accepts(path: Path) -> bool:
    """Whether somebody listens on a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


SIGNS = {"status line": says_ready, "socket": accepts}


def copy(source: Path, target: Path) -> None:
    """Copy a file or a tree, with the folders above it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target)


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


def answer(out: IO[str], words: dict[str, Any]) -> None:
    """Send the one line; a coordinator that is gone by now needs none."""
    try:
        print(json.dumps(words), file=out, flush=True)
    except OSError:
        return


def keep(job: dict[str, Any], watch: Watch) -> None:
    """Start the server, tell so, wait for the end, leave nothing. Raises RefusalError, OSError."""
    directory = Path(tempfile.mkdtemp(prefix="ormbench-", dir=job["parent"]))
    try:
        keeper = Keeper(job, directory, watch)
        keeper.prepare()
        keeper.initialise()
        if watch.dismissed:
            return
        server = keeper.start()
        try:
            answer(sys.stdout, {"pid": server.pid, "directory": str(directory)})
            watch.until_over(server)
        finally:
            keeper.stop(server)
    finally:
        remove(directory)


def main() -> None:
    """Do the job that the command line names."""
    try:
        keep(json.loads(sys.argv[1]), Watch())
    except (OSError, RefusalError) as error:
        answer(sys.stdout, {"error": str(error)})


if __name__ == "__main__":
    main()
