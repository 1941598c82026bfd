"""The coordinator's end of a worker process."""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from ormbench.cell import Loop
from ormbench.errors import WorkerError

PATIENCE = 30.0  # seconds that a worker gets beyond its own watchdog


def without_libpq(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without PGOPTIONS, PGHOSTADDR and their like.

    libpq, and so psycopg, reads them; asyncpg does not read the same ones: the drivers would do
    unequal work.
    """
    return {name: value for name, value in environment.items() if not name.startswith("PG")}


class WorkerProcess:
    """Starts a worker, asks it one thing at a time, ends it. Raises WorkerError when it dies."""

    def __init__(self, hash_seed: int, timeout: float, loop: Loop = "asyncio") -> None:
        self._timeout = timeout + PATIENCE
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed in close
        self._process = subprocess.Popen(
            # -P: a file of the current folder does not stand in for a module
            [sys.executable, "-P", "-m", "ormbench.load.worker", loop],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**without_libpq(os.environ), "PYTHONHASHSEED": str(hash_seed)},
            start_new_session=True,
        )
        self._buffer = b""

    @property
    def pid(self) -> int:
        """The worker's process."""
        return self._process.pid

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """Send one message and wait for its answer."""
        line = json.dumps({"do": do, **what}) + "\n"
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - it was asked for above
        try:
            stdin.write(line.encode())
            stdin.flush()
        except OSError as error:
            raise self._died() from error
        answer: dict[str, Any] = json.loads(self._line())
        return answer

    def demand(self, do: str, **what: Any) -> dict[str, Any]:
        """Ask for what cannot fail by a lane's doing; raises WorkerError if it fails."""
        answer = self.ask(do, **what)
        if "status" in answer:
            raise WorkerError(f"the worker cannot {do}: {answer['reason']}")
        return answer

    def _line(self) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - it was asked for above
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([stdout], [], [], self._timeout)
            if not ready:
                raise WorkerError(f"the worker did not answer within {self._timeout:g} s")
            data = os.read(stdout.fileno(), 1 << 16)
            if not data:
                raise self._died()
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _died(self) -> WorkerError:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:  # it closed its pipes and lives on
            self._process.kill()
            code = self._process.wait()
        self._errors.seek(0)
        last = (self._errors.read().strip().splitlines() or ["it said nothing"])[-1]
        return WorkerError(f"the worker ended with code {code}: {last}")

    def close(self) -> None:
        """End it: closing its input is enough, unless it hangs."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # it died with our last message unread
                if pipe is not None:
                    pipe.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._process.kill()
        self.close()
