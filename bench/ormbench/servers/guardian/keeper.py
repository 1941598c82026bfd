"""One private folder and the server in it."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from ormbench.servers.guardian.ending import kill, wake
from ormbench.servers.guardian.last_words import last_words
from ormbench.servers.guardian.ready import SIGNS
from ormbench.servers.guardian.watch import Watch

_START_SECONDS = 60.0  # a loaded machine may be slow; a server that hangs must not hang us
_STOP_SECONDS = 5.0  # for each of the ways to ask


class RefusalError(Exception):
    """The server did not start; the message is one line in its own words."""


class Keeper:
    """Makes the folder ready, starts the server, stops it."""

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
            raise RefusalError(last_words(self._log_path))

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

    @property
    def _log_path(self) -> Path:
        return self.directory / "log"

    def _here(self, word: str) -> str:
        return word.replace("{directory}", str(self.directory))

    def _until_ready(self, server: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self.watch.dismissed and not self._is_ready():
            if server.poll() is not None:
                raise RefusalError(last_words(self._log_path))
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


def copy(source: Path, target: Path) -> None:
    """Copy a file or a tree, with the folders above it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target)
