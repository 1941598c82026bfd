"""Clients as tasks of the event loop: for lanes that await, and for those that block it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ormbench.lanes.binding import AnyOperation
from ormbench.load import loop
from ormbench.load.timer import Timer


@dataclass(frozen=True, slots=True)
class Lap:
    """What came of running some turns."""

    recorded: Sequence[loop.Recorded]
    wall_ns: int  # from the start of the clients to the last end
    cpu_ns: int  # of the whole process meanwhile


class Clients(Protocol):
    """The concurrent clients of one arm."""

    async def once(self, values: tuple[Any, ...]) -> tuple[Any, int]:
        """One operation by one client: its answer, and the nanoseconds that it took."""

    async def run(self, turns: loop.Turns) -> Lap:
        """Run all turns. Raises an ExceptionGroup with what an operation raised."""

    def close(self) -> None:
        """Give up what the clients hold."""


class TaskClients:
    """A task for each client, with a timer of its own."""

    def __init__(self, operation: AnyOperation, clients: int) -> None:
        self._operation = operation
        self._clients = clients
        self._timers: list[Timer] = []

    async def once(self, values: tuple[Any, ...]) -> tuple[Any, int]:
        """One operation, awaited here."""
        start = time.perf_counter_ns()
        answer = await self._operation(values)
        return answer, time.perf_counter_ns() - start

    async def run(self, turns: loop.Turns) -> Lap:
        """All turns, by all clients."""
        while len(self._timers) < self._clients:
            self._timers.append(Timer())
        untils = [timer.until for timer in self._timers]
        cpu, start = time.process_time_ns(), time.perf_counter_ns()
        recorded = await loop.run(turns, self._operation, untils)
        wall = time.perf_counter_ns() - start
        return Lap(recorded, wall, time.process_time_ns() - cpu)

    def close(self) -> None:
        """Close the timers."""
        for timer in self._timers:
            timer.close()
        self._timers.clear()
