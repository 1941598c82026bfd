"""The coordinator's end of a worker process, and of several at once."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Self

from ormbench.cell import Loop
from ormbench.child import Child
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
        self._child = Child(
            "the worker",
            # -P: a file of the current folder does not stand in for a module
            [sys.executable, "-P", "-m", "ormbench.load.worker", loop],
            timeout + PATIENCE,
            {**without_libpq(os.environ), "PYTHONHASHSEED": str(hash_seed)},
            WorkerError,
        )

    @property
    def pid(self) -> int:
        """The worker's process."""
        return self._child.pid

    def ask(self, do: str, **what: Any) -> dict[str, Any]:
        """Send one message and wait for its answer."""
        return self._child.ask(do, **what)

    def send(self, do: str, **what: Any) -> None:
        """Send one message; `hear` is to be called before the next."""
        self._child.send(do, **what)

    def hear(self) -> dict[str, Any]:
        """Wait for the answer to what was sent."""
        return self._child.hear()

    def demand(self, do: str, **what: Any) -> dict[str, Any]:
        """Ask for what cannot fail by a lane's doing; raises WorkerError if it fails."""
        return _done(do, self.ask(do, **what))

    def close(self) -> None:
        """End it: closing its input is enough, unless it hangs."""
        self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if error is not None:
            self._child.kill()
        self.close()


def ask_each(
    workers: Sequence[WorkerProcess], do: str, messages: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Send each of *workers* its message, then wait for all answers, also where one is an error."""
    for worker, what in zip(workers, messages, strict=True):
        worker.send(do, **what)
    return [worker.hear() for worker in workers]


def demand_all(workers: Sequence[WorkerProcess], do: str, **what: Any) -> None:
    """Ask the same of all at once; raises WorkerError if it fails."""
    for answer in ask_each(workers, do, [what] * len(workers)):
        _done(do, answer)


def _done(do: str, answer: dict[str, Any]) -> dict[str, Any]:
    if "status" in answer:
        raise WorkerError(f"the worker cannot {do}: {answer['reason']}")
    return answer
