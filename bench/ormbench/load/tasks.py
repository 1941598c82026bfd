"""Clients as tasks of the event loop: for lanes that await, and for those that block it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ormbench.lanes.binding import AnyOperation
from ormbench.load import loop
from ormbench.load.schedule import NOW
from ormbench.load.timer import Timer


@dataclass(frozen=True, slots=True)
class Lap:
    """What came of running some turns."""

    recorded: Sequence[loop.Recorded]
    wall_ns: int  # from the start of the clients to the last end, or see `run_on`
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
        untils = self._untils()
        cpu, start = time.process_time_ns(), time.perf_counter_ns()
        recorded = await loop.run(turns, self._operation, untils)
        wall = time.perf_counter_ns() - start
        return Lap(recorded, wall, time.process_time_ns() - cpu)

    async def run_on(
        self, inputs: Sequence[tuple[Any, ...]], settling: int, look: Callable[[], None]
    ) -> Lap:
        """All *inputs* of a closed loop; recorded from the turn on that follows *settling* ones.

        Nobody rests in between, so that a pool does not, either. The wall is from that turn's
        beginning to the first client that finds none left: at both ends all others are in the
        midst of an operation, so that as many end meanwhile as are recorded, while nobody idles.
        *look* is called at both ends.
        """
        recorded = [loop.Recorded() for _ in range(self._clients)]
        leave = [0] * self._clients  # turns of each client that are not recorded
        ends: list[tuple[int, int]] = []  # CPU time, time

        def turns() -> loop.Turns:
            for values in inputs[:settling]:
                leave[_client()] += 1
                yield NOW, values
            look()
            ends.append((time.process_time_ns(), time.perf_counter_ns()))
            for values in inputs[settling:]:
                yield NOW, values
            ends.append((time.process_time_ns(), time.perf_counter_ns()))
            look()

        await loop.run(turns(), self._operation, self._untils(), recorded=recorded)
        [(cpu, start), (cpu_then, end)] = ends
        rest = [loop.Recorded(one.service[k:]) for one, k in zip(recorded, leave, strict=True)]
        return Lap(rest, end - start, cpu_then - cpu)

    def _untils(self) -> list[loop.Until]:
        while len(self._timers) < self._clients:
            self._timers.append(Timer())
        return [timer.until for timer in self._timers]

    def close(self) -> None:
        """Close the timers."""
        for timer in self._timers:
            timer.close()
        self._timers.clear()


def _client() -> int:
    """The number of the client that takes a turn; `loop.run` calls its task by it."""
    task = asyncio.current_task()
    return int(task.get_name()) if task else 0
