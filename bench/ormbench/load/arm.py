"""One arm inside the worker: proof, warm-up, slices, and the histograms that they fill.

Everything that is not the operation happens outside the clock: inputs are built before a slice,
histograms are filled after it, and a collection precedes it.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from ormbench.cell import Cell
from ormbench.lanes.binding import BoundLane
from ormbench.load import loop
from ormbench.load.calibration import WARM_OPERATIONS
from ormbench.load.histogram import Histogram
from ormbench.load.probe import Probe
from ormbench.load.schedule import NOW, Closed, schedule
from ormbench.load.timer import Timer
from ormbench.loader import Loaded
from ormbench.scenario import call_for_turn
from ormbench.truth.answers import difference, sample

MS = 1_000_000
WARM_NS = 100 * MS
LEAD_NS = MS  # an open loop's first turn is due this long after its slice starts
CPU_CLOCK = time.process_time_ns


class WrongAnswerError(Exception):
    """A lane's answer differs from the reference; the message says how."""


class OverdueError(Exception):
    """The watchdog ended what took too long. A lane's own TimeoutError is the lane's result."""


@asynccontextmanager
async def watchdog(seconds: float) -> AsyncIterator[None]:
    """Raise OverdueError in what does not end within *seconds*."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except Exception:  # a group of errors where operations did not like to be ended
        if not limit.expired():
            raise
        raise OverdueError(f"not done after {seconds:g} s") from None


@dataclass(slots=True)
class Arm:
    """A bound lane with its inputs and what it recorded so far in this block."""

    loaded: Loaded
    cell: Cell
    bound: BoundLane
    table_rows: int
    timeout: float  # seconds: the watchdog of a slice
    timers: list[Timer] = field(default_factory=list)
    service: Histogram = field(default_factory=Histogram)
    response: Histogram = field(default_factory=Histogram)
    start_lag: Histogram = field(default_factory=Histogram)

    def _inputs(self, turns: Iterable[int]) -> list[tuple[Any, ...]]:
        lane, scenario = self.loaded.lane(self.cell.lane), self.loaded.scenario
        return [scenario.inputs(lane, turn, self.table_rows) for turn in turns]

    async def prove(self, turns: list[int]) -> dict[str, Any]:
        """Run *turns* and compare each answer with the reference. Raises WrongAnswerError."""
        answer, first = self.loaded.scenario.answer, ""
        async with watchdog(self.timeout):
            for turn, values in zip(turns, self._inputs(turns), strict=True):
                given = await self.bound.operation(values)
                if turn == turns[0]:
                    first, sql = sample(given), list(self.bound.statements)
                if answer is not None:
                    expected = call_for_turn(answer, turn, self.table_rows)
                    if wrong := difference(turn, given, expected):
                        raise WrongAnswerError(wrong)
        self.bound.quiet()
        return {"sample": first, "sql": sql, "checked": len(turns) if answer else 0}

    async def warm_up(self, first: int) -> dict[str, int]:
        """Run operations until caches are warm; the fastest one is the estimate of their time."""
        fastest, started, used = 1 << 62, time.perf_counter_ns(), 0
        async with watchdog(self.timeout):
            while used < WARM_OPERATIONS and time.perf_counter_ns() - started < WARM_NS:
                (values,) = self._inputs([first + used])
                before = time.perf_counter_ns()
                await self.bound.operation(values)
                fastest = min(fastest, time.perf_counter_ns() - before)
                used += 1
        return {"turns": used, "operation_ns": fastest}

    async def slice(self, first: int, settling: int, operations: int, seed: int) -> dict[str, int]:
        """Run the turns from *first* on; the first *settling* of them are not recorded."""
        inputs = self._inputs(range(first, first + settling + operations))
        untils = [timer.until for timer in self._timers()]
        gc.collect()
        async with watchdog(self.timeout):
            due = Closed().due(settling, NOW)
            await loop.run(zip(due, inputs[:settling], strict=True), self.bound.operation, untils)
            opened, cpu, start = self.bound.opened(), CPU_CLOCK(), time.perf_counter_ns()
            due = schedule(self.cell, seed).due(operations, start + LEAD_NS)
            recorded = await loop.run(
                zip(due, inputs[settling:], strict=True), self.bound.operation, untils
            )
            wall, cpu = time.perf_counter_ns() - start, CPU_CLOCK() - cpu
        return {
            "wall_ns": wall,
            "cpu_ns": cpu,
            "service_ns": self._fold(recorded),
            "new": self.bound.opened() - opened,
        }

    def _timers(self) -> list[Timer]:
        while len(self.timers) < self.cell.clients:
            self.timers.append(Timer())
        return self.timers

    def _fold(self, recorded: list[loop.Recorded]) -> int:
        """Fill the histograms; the sum of the service times."""
        for one in recorded:
            self.service.record(one.service)
            self.start_lag.record(one.start_lag)
            pairs = zip(one.service, one.start_lag, strict=False)
            self.response.record(service + lag for service, lag in pairs)
        return sum(sum(one.service) for one in recorded)

    async def lag(self, first: int, operations: int) -> int:
        """The event loop's lateness (99th percentile, ns) over a slice that is not recorded."""
        inputs = self._inputs(range(first, first + operations))
        untils = [timer.until for timer in self._timers()]
        async with watchdog(self.timeout), Probe() as probe:
            due = Closed().due(operations, NOW)
            await loop.run(zip(due, inputs, strict=True), self.bound.operation, untils)
        return probe.p99_ns()

    def histograms(self) -> dict[str, str]:
        """What was recorded, encoded; empty where nothing was."""
        return {
            name: histogram.encode() if histogram.count else ""
            for name, histogram in (
                ("service", self.service),
                ("response", self.response),
                ("start_lag", self.start_lag),
            )
        }

    async def close(self) -> None:
        """Close timers and connections."""
        for timer in self.timers:
            timer.close()
        await self.bound.close()
