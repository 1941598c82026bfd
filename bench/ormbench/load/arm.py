"""One arm inside the worker: proof, warm-up, slices, and the histograms that they fill.

Everything that is not the operation happens outside the clock: inputs are built before a slice,
histograms are filled after it, and a collection precedes it.
"""

import gc
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ormbench.cell import Cell
from ormbench.lanes.binding import BoundLane
from ormbench.lanes.outcomes import together
from ormbench.load.counters import Reading, read
from ormbench.load.histogram import Histogram
from ormbench.load.probe import Probe
from ormbench.load.schedule import NOW, Closed, schedule
from ormbench.load.tasks import Clients, Lap, TaskClients
from ormbench.load.threads import ThreadClients
from ormbench.load.timer import Timer
from ormbench.load.times import Times
from ormbench.load.warming import WarmUp
from ormbench.load.watchdog import watchdog
from ormbench.loader import Loaded
from ormbench.scenario import call_for_turn
from ormbench.targets.target import TARGETS
from ormbench.truth.answers import difference, sample

MS = 1_000_000
PROOF_NS = 500 * MS  # that a proof takes, unless it is its first turn that takes longer
LEAD_NS = MS  # an open loop's first turn is due this long after its slice starts

Settled = tuple[list[tuple[Any, ...]], dict[str, Any]]  # inputs left of a slice, outcomes so far
NOTHING: Settled = ([], {})


class WrongAnswerError(Exception):
    """A lane's answer differs from the reference; the message says how."""


async def _until(start: int) -> None:
    timer = Timer()
    try:
        await timer.until(start)
    finally:
        timer.close()


@dataclass(slots=True)
class Arm:
    """A bound lane with its inputs and what it recorded so far in this block."""

    loaded: Loaded
    cell: Cell
    bound: BoundLane
    table_rows: int
    timeout: float  # seconds: the watchdog of a slice
    clients: Clients = field(init=False)
    warming: WarmUp = field(init=False)
    times: Times = field(default_factory=Times)
    settled: Settled = NOTHING

    def __post_init__(self) -> None:
        """The clients live as long as the arm."""
        kind = ThreadClients if self.bound.runs == "threads" else TaskClients
        self.clients = kind(self.bound.operation, self.cell.clients)
        self.warming = WarmUp(self.clients, self.cell.clients, self._inputs)

    def _inputs(self, turns: Iterable[int]) -> list[tuple[Any, ...]]:
        lane, scenario = self.loaded.lane(self.cell.lane), self.loaded.scenario
        return [scenario.inputs(lane, turn, self.table_rows) for turn in turns]

    async def prove(self, turns: list[int]) -> dict[str, Any]:
        """Run *turns* and compare each answer with the reference. Raises WrongAnswerError.

        As many of them as PROOF_NS has room for, at least one.
        """
        answer, first, took = self.loaded.scenario.answer, "", list[int]()
        async with watchdog(self.timeout):
            for turn in turns:
                if took and sum(took) + took[-1] > PROOF_NS:
                    break
                (values,) = self._inputs([turn])
                given, ns = await self.clients.once(values)
                took.append(ns)
                if turn == turns[0]:
                    first, sql = sample(given), list(self.bound.statements)
                if answer is not None:
                    expected = call_for_turn(answer, turn, self.table_rows)
                    if wrong := difference(turn, given, expected):
                        raise WrongAnswerError(wrong)
        self.quiet()
        checked = len(took) if answer else 0
        return {"sample": first, "sql": sql, "checked": checked, "took_ns": took}

    def quiet(self) -> None:
        """Stop listening to the SQL: called once, before anything is timed."""
        self.bound.quiet()

    async def turns(self, first: int, count: int) -> int:
        """Run *count* operations, one after the other, unrecorded; how long that took, in ns."""
        inputs, started = self._inputs(range(first, first + count)), time.perf_counter_ns()
        async with watchdog(self.timeout):
            for values in inputs:
                await self.clients.once(values)
        return time.perf_counter_ns() - started

    async def warm_up(self, first: int, most: int | None = None) -> dict[str, Any]:
        """Run operations until caches are warm; the fastest one is the estimate of their time.

        Of *most* turns at most; where they are too few it is not "over", and goes on when it is
        asked again.
        """
        async with watchdog(self.timeout):
            used = await self.warming.go_on(first, most)
        fastest, is_over = self.warming.fastest, self.warming.is_over
        return {"turns": used, "operation_ns": fastest, "over": is_over}

    async def slice(
        self, first: int, settling: int, operations: int, seed: int, *, runs_on: bool = False
    ) -> dict[str, Any]:
        """Run the turns from *first* on; the first *settling* of them are not recorded.

        Where it *runs_on*, nobody rests in between: see TaskClients.run_on.
        """
        inputs = self._inputs(range(first, first + settling + operations))
        gc.collect()
        async with watchdog(self.timeout):
            several = self.cell.clients > 1 and settling
            if runs_on and several and isinstance(self.clients, TaskClients):
                return await self._run_on(self.clients, inputs, settling)
            before = await self._settle(inputs[:settling])
            opened, start = self.bound.opened(), time.perf_counter_ns()
            lap = await self._record(inputs[settling:], start, seed)
        return self._answer(lap, opened, before)

    async def _run_on(
        self, clients: TaskClients, inputs: Sequence[tuple[Any, ...]], settling: int
    ) -> dict[str, Any]:
        looks: list[tuple[int, dict[str, Any]]] = []
        self.bound.outcomes.take()
        lap = await clients.run_on(
            inputs,
            settling,
            lambda: looks.append((self.bound.opened(), self.bound.outcomes.take())),
        )
        (opened, before), (opened_then, meanwhile) = looks
        after = self.bound.outcomes.take()  # of operations that were in their midst at the end
        return {
            **self._answer(lap, opened, together(before, after)),
            "new": opened_then - opened,
            "outcomes": meanwhile,
        }

    async def settle(self, turns: range, settling: int) -> None:
        """A slice up to where other processes join it: the first *settling* of its *turns*."""
        inputs = self._inputs(turns)
        gc.collect()
        async with watchdog(self.timeout):
            self.settled = inputs[settling:], await self._settle(inputs[:settling])

    async def begin(self, start: int, seed: int) -> dict[str, Any]:
        """The rest of that slice, at *start* of ``time.perf_counter_ns``, in all processes at once.

        Its answer is that of `slice`, and when it ended on the same clock.
        """
        (inputs, before), self.settled = self.settled, NOTHING
        async with watchdog(self.timeout):
            await _until(start)
            opened = self.bound.opened()
            lap = await self._record(inputs, start, seed)
            ended = time.perf_counter_ns()
        return {**self._answer(lap, opened, before), "ended_ns": ended}

    async def _settle(self, inputs: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
        """Run what is not recorded; the outcomes of it."""
        self.bound.outcomes.take()
        due = Closed().due(len(inputs), NOW)
        await self.clients.run(zip(due, inputs, strict=True))
        return self.bound.outcomes.take()

    async def _record(self, inputs: Sequence[tuple[Any, ...]], start: int, seed: int) -> Lap:
        due = schedule(self.cell, seed).due(len(inputs), start + LEAD_NS)
        return await self.clients.run(zip(due, inputs, strict=True))

    def _answer(self, lap: Lap, opened: int, before: dict[str, Any]) -> dict[str, Any]:
        return {
            "wall_ns": lap.wall_ns,
            "cpu_ns": lap.cpu_ns,
            "service_ns": self.times.record(lap.recorded),
            "new": self.bound.opened() - opened,
            "outcomes": self.bound.outcomes.take(),
            "settling": before,  # the outcomes of operations that were not recorded
        }

    async def lag(self, first: int, operations: int) -> int:
        """The event loop's lateness (99th percentile, ns) over a slice that is not recorded."""
        inputs = self._inputs(range(first, first + operations))
        async with watchdog(self.timeout), Probe() as probe:
            await self.clients.run(zip(Closed().due(operations, NOW), inputs, strict=True))
        return probe.p99_ns()

    async def waits(self, first: int, operations: int, settling: int = 0) -> str | None:
        """The histogram of checkout waits over a slice that is not recorded; None: not timed.

        Without the first *settling* of them: they end before everybody waits for somebody.
        """
        if self.bound.waits is None:
            return None
        inputs, found = self._inputs(range(first, first + operations)), Histogram()
        with self.bound.waits() as waits:
            async with watchdog(self.timeout):
                due = Closed().due(operations, NOW)
                await self.clients.run(zip(due, inputs, strict=True))
        found.record(waits[settling:])
        return found.encode() if found.count else None

    async def counters(self, times: int, *, flush: bool) -> list[Reading]:
        """The server's counters of each connection, read that often; none without a database."""
        target = TARGETS.get(self.cell.target)
        if target is None:
            return [{} for _ in range(times)]
        async with watchdog(self.timeout):
            return [await read(self.bound.ask, target.server, flush=flush) for _ in range(times)]

    async def close(self) -> None:
        """Close clients and connections."""
        self.clients.close()
        await self.bound.close()
