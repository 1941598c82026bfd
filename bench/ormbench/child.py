"""A process that answers each line of JSON with one, as its parent has it."""

import contextlib
import json
import os
import select
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from ormbench.errors import OrmbenchError


class Child:
    """Starts it, asks it one thing at a time, ends it. Raises *error* when it dies.

    *name* is what messages call it; an answer may take *patience* seconds. Without an
    *environment* it has its parent's.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        patience: float,
        environment: Mapping[str, str] | None = None,
        error: type[OrmbenchError] = OrmbenchError,
    ) -> None:
        self._name, self._patience, self._error = name, patience, error
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed in close
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            start_new_session=True,
        )
        self._heard = b""

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """Send one message and wait for its answer."""
        self.send(do, **what)
        return self.hear()

    def send(self, do: str, **what: Any) -> None:
        """Send one message; `hear` is to be called before the next."""
        line = json.dumps({"do": do, **what}) + "\n"
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - it was asked for above
        try:
            stdin.write(line.encode())
            stdin.flush()
        except (OSError, ValueError) as error:  # ValueError: it is closed
            raise self._died() from error

    def hear(self) -> dict[str, Any]:
        """Wait for the answer to what was sent."""
        answer: dict[str, Any] = json.loads(self._line())
        return answer

    def _line(self) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - it was asked for above
        while b"\n" not in self._heard:
            ready, _, _ = select.select([stdout], [], [], self._patience)
            if not ready:
                raise self._error(f"{self._name} did not answer within {self._patience:g} s")
            data = os.read(stdout.fileno(), 1 << 16)
            if not data:
                raise self._died()
            self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        return line

    def _died(self) -> OrmbenchError:
        if self._errors.closed:
            return self._error(f"{self._name} was closed")
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:  # it closed its pipes and lives on
            self._process.kill()
            code = self._process.wait()
        self._errors.seek(0)
        last = (self._errors.read().strip().splitlines() or ["it said nothing"])[-1]
        return self._error(f"{self._name} ended with code {code}: {last}")

    def check(self) -> None:
        """Raises *error* where it has ended, also where nobody asked it anything since."""
        if self._process.poll() is not None:
            raise self._died()

    def kill(self) -> None:
        """End it at once, in whatever it is doing; `close` is still to be called."""
        self._process.kill()

    def close(self) -> None:
        """End it: closing its input is enough, unless it hangs. A second call does nothing."""
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
