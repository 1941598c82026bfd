"""The worker processes of a block: on each event loop as many as its groups have needed so far."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from ormbench.cell import Cell, Loop
from ormbench.run.worker import WorkerProcess, demand_all

Workers = Mapping[Loop, Sequence[WorkerProcess]]


class Crew:
    """Starts workers when they are needed first, and ends them all.

    *start* is the message that each gets before all others. Raises WorkerError where one dies.
    """

    def __init__(self, hash_seed: int, timeout: float, start: Mapping[str, Any]) -> None:
        self._hash_seed, self._timeout, self._start = hash_seed, timeout, start
        self._workers: dict[Loop, list[WorkerProcess]] = {}
        self._stack = ExitStack()

    def begin(self, loops: Iterable[Loop]) -> None:
        """Have one worker on each of *loops*."""
        self._have(dict.fromkeys(loops, 1))

    def for_cells(self, cells: Sequence[Cell]) -> Workers:
        """The workers of *cells*: on each loop as many as the largest of them has processes."""
        needed: dict[Loop, int] = {}
        for cell in cells:
            needed[cell.loop] = max(cell.processes, needed.get(cell.loop, 0))
        self._have(needed)
        return {loop: self._workers[loop][:count] for loop, count in needed.items()}

    def _have(self, needed: Mapping[Loop, int]) -> None:
        """Start those that lack, all at once: each takes about a second of a core."""
        new = []
        for loop, count in needed.items():
            there = self._workers.setdefault(loop, [])
            while len(there) < count:
                worker = WorkerProcess(self._hash_seed, self._timeout, loop)
                there.append(self._stack.enter_context(worker))
                new.append(worker)
        demand_all(new, "start", **self._start)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)
