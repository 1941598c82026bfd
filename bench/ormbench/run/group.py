"""One group in one block: open, prove, warm up, then rounds of slices in random order."""

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from random import Random
from typing import Any

from ormbench.cell import Cell, Group, Loop, Placement
from ormbench.load.calibration import SliceSize, slice_size, warm_turns
from ormbench.loader import blocks_loop
from ormbench.results.trial import Proof, Slice, Trial
from ormbench.run.arm import ArmState, EndedError
from ormbench.run.context import Context
from ormbench.run.foreign import ForeignLoad
from ormbench.run.worker import WorkerProcess
from ormbench.servers.placement import CAN_PIN, allowed_cpus, cores, stay_on
from ormbench.truth.answers import state_difference

PROOF_TURNS = 5
LAG_NS = 30_000_000
SQL_SIZE = 600


def shorten_sql(text: str) -> str:
    """A statement as a report shows it: a list of a hundred VALUES says no more than its start."""
    return text if len(text) <= SQL_SIZE else f"{text[:SQL_SIZE]} … ({len(text)} characters in all)"


class Turns:
    """Turn numbers of a block: none is given out twice."""

    def __init__(self) -> None:
        self._next = 0

    def take(self, count: int) -> int:
        """The first of *count* fresh numbers."""
        first, self._next = self._next, self._next + count
        return first


class GroupInBlock:
    """Measures one group once. Workers run, one at a time; this decides what and in which order."""

    def __init__(
        self,
        context: Context,
        workers: Mapping[Loop, WorkerProcess],
        group: Group,
        block: int,
        turns: Turns,
        foreign: ForeignLoad,
    ) -> None:
        self.context, self.group, self.block = context, group, block
        self.workers = {cell.loop: workers[cell.loop] for cell in group.cells}
        self.turns, self.foreign = turns, foreign
        self.random = Random(f"{context.seed}/{block}/{group.name}")  # noqa: S311 - an order
        self.placed: Placement | None = None
        places = self.random.sample(range(len(group.cells)), len(group.cells))
        self.arms = [self._arm(*pair) for pair in enumerate(zip(group.cells, places, strict=True))]

    def _arm(self, number: int, pair: tuple[Cell, int]) -> ArmState:
        cell, place = pair
        loaded = self.context.scenario(cell)
        site = self.context.site(cell)
        schema = site.tables.schema(loaded, place) if site else ""
        return ArmState(number, cell, loaded, place, schema, site)

    def measure(self) -> tuple[list[Trial], list[Proof]]:
        """All of it; an arm that ends early has its status and reason, and no slices."""
        for arm in self._shuffled():
            self._attempt(arm, self._open)
        for arm in self._shuffled():
            self._attempt(arm, self._prove)
        for arm in self._shuffled():
            self._attempt(arm, self._warm_up)
        size = self._size()
        self._demand("freeze")
        started = time.monotonic()
        with self.foreign.window(*self._measured()):
            for number in range(size.rounds):
                self._round(number, size)
        self.context.in_rounds += time.monotonic() - started
        for arm in self._running():
            self._attempt(arm, self._lag)
        trials = [self._trial(arm) for arm in self.arms]
        self._demand("close")
        return trials, [arm.proof for arm in self.arms if arm.proof]

    def _measured(self) -> tuple[frozenset[int], list[int]]:
        """The cores that this group measures on, and which of our processes are there."""
        chosen = [cores(cell.placement, allowed_cpus()) for cell in self.group.cells]
        cpus = frozenset[int]().union(*(one.client | one.server for one in chosen))
        beside = frozenset[int]().union(*(one.coordinator for one in chosen)) & cpus
        pids = [worker.pid for worker in self.workers.values()]
        return cpus, [*pids, *([os.getpid()] if beside else [])]

    def _demand(self, do: str, **what: Any) -> None:
        """Ask it of every worker that has an arm of this group."""
        for worker in self.workers.values():
            worker.demand(do, **what)

    def _running(self) -> list[ArmState]:
        return [arm for arm in self.arms if arm.ended is None]

    def _shuffled(self) -> list[ArmState]:
        running = self._running()
        return self.random.sample(running, len(running))

    def _attempt(self, arm: ArmState, step: Any, *what: Any) -> None:
        try:
            step(arm, *what)
        except EndedError as ended:
            arm.ended = ended
            arm.slices.clear()

    def _ask(self, arm: ArmState, do: str, **what: Any) -> dict[str, Any]:
        answer = self.workers[arm.cell.loop].ask(do, arm=arm.number, **what)
        if "status" in answer:
            raise EndedError(answer["status"], answer["reason"])
        return answer

    def _open(self, arm: ArmState) -> None:
        self._place(arm)
        self._ask(arm, "open", cell=asdict(arm.cell), schema=arm.schema)

    def _place(self, arm: ArmState) -> None:
        """Pin workers, server and this process, where the last arm was placed otherwise."""
        placement = arm.cell.placement
        if placement == self.placed or not CAN_PIN:
            return
        self.placed = placement
        chosen = cores(placement, allowed_cpus())
        self._demand("place", cpus=sorted(chosen.client))
        if arm.site is not None:
            arm.site.server.place(chosen.server)
        stay_on(chosen.coordinator)

    def _prove(self, arm: ArmState) -> None:
        """The first turns must give the reference answers and leave the reference state."""
        first = self.turns.take(PROOF_TURNS)
        numbers = list(range(first, first + PROOF_TURNS))
        started = time.perf_counter_ns()
        arm.reset()
        arm.reset_ns = time.perf_counter_ns() - started if arm.loaded.scenario.state else 0
        answer = self._ask(arm, "prove", turns=numbers)
        self._check_state(arm, numbers)
        arm.proof = Proof(
            self.group.name,
            arm.number,
            arm.cell.id,
            self.block,
            answer["checked"],
            arm.loaded.scenario.state is not None,
            tuple(shorten_sql(text) for text in answer["sql"]),
            answer["sample"],
        )

    def _check_state(self, arm: ArmState, turns: list[int]) -> None:
        state, site = arm.loaded.scenario.state, arm.site
        if state is None or site is None:
            return
        try:
            found = site.tables.state(arm.loaded, arm.place, state)
            expected = site.tables.expected(state, turns)
        except Exception as error:
            words = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise EndedError("ERROR", f"reading or expecting its state: {words}") from error
        if wrong := state_difference(found, expected):
            raise EndedError("INCORRECT", f"after turns {turns[0]} to {turns[-1]}, {wrong}")

    def _warm_up(self, arm: ArmState) -> None:
        first = self.turns.take(warm_turns(arm.cell.clients))
        arm.operation_ns = self._ask(arm, "warm", first=first)["operation_ns"]

    def _size(self) -> SliceSize:
        """The group's slices: found in the first block, the same in all others."""
        context, name = self.context, self.group.name
        if name not in context.sizes:
            slowest = max((arm.operation_ns for arm in self._running()), default=1)
            clients = max(cell.clients for cell in self.group.cells)
            reset_ns = max((arm.reset_ns for arm in self._running()), default=0)
            size = slice_size(slowest, clients, context.rounds, context.blocks, reset_ns)
            rates = [cell.rate for cell in self.group.cells if cell.rate]
            if rates:
                enough = max(size.operations, int(min(rates) / 4))
                size = replace(size, operations=min(enough, int(min(rates) * 2) + 1))
            context.sizes[name] = size
        return context.sizes[name]

    def _round(self, number: int, size: SliceSize) -> None:
        first = self.turns.take(size.turns)
        for place, arm in enumerate(self._shuffled()):
            self._attempt(arm, self._slice, number, place, first, size)

    def _slice(self, arm: ArmState, number: int, place: int, first: int, size: SliceSize) -> None:
        self._place(arm)
        arm.reset()
        before = arm.server_cpu_ns()
        seed = self.context.seed + self.block * 1_000 + number
        answer = self._ask(
            arm, "slice", first=first, settling=size.settling, operations=size.operations, seed=seed
        )
        after = arm.server_cpu_ns()
        used = None if before is None or after is None else max(0, after - before)
        arm.slices.append(
            Slice(
                number,
                place,
                size.operations,
                answer["wall_ns"],
                answer["service_ns"],
                answer["cpu_ns"],
                used,
            )
        )
        arm.new_connections += answer["new"]
        if number == size.rounds - 1:
            self._check_state(arm, list(range(first, first + size.turns)))

    def _lag(self, arm: ArmState) -> None:
        """How late the loop was, where anybody could have waited for it or the lane is about it."""
        cell = arm.cell
        if cell.clients == 1 and cell.rate is None and not blocks_loop(cell.lane):
            return
        operations = max(arm.cell.clients, min(200, LAG_NS // max(1, arm.operation_ns)))
        first = self.turns.take(operations)
        answer = self._ask(arm, "lag", first=first, operations=operations)
        arm.lag_p99_ns = answer["lag_p99_ns"]

    def _trial(self, arm: ArmState) -> Trial:
        histograms = {} if arm.ended else self._ask(arm, "trial")
        return arm.trial(self.group.name, self.block, histograms)
