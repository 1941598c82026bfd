"""The coordinator's end of a worker process."""

import os
import sys
from collections.abc import Mapping
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

    def demand(self, do: str, **what: Any) -> dict[str, Any]:
        """Ask for what cannot fail by a lane's doing; raises WorkerError if it fails."""
        answer = self.ask(do, **what)
        if "status" in answer:
            raise WorkerError(f"the worker cannot {do}: {answer['reason']}")
        return answer

    def close(self) -> None:
        """End it: closing its input is enough, unless it hangs."""
        self._child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: object, _trace: object) -> None:
        if error is not None:
            self._child.kill()
        self.close()
