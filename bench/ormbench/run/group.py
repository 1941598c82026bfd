"""One group in one block: open, prove, warm up, then rounds of slices in random order."""

import os
import time
from dataclasses import asdict
from functools import partial
from random import Random
from typing import Any

from ormbench.cell import Cell, Group, Placement
from ormbench.lane import OWN_UNITS
from ormbench.load.calibration import GLACIAL_NS, SliceSize
from ormbench.results.trial import Proof, Slice, Trial
from ormbench.run import stock
from ormbench.run.apart import lag, waits
from ormbench.run.arm import ArmState, EndedError
from ormbench.run.audit import outcome
from ormbench.run.context import Context
from ormbench.run.count import CountPass
from ormbench.run.crew import Workers
from ormbench.run.foreign import ForeignLoad
from ormbench.run.idle import idle_trial
from ormbench.run.ledger import Ledger
from ormbench.run.proof import check_state, prove
from ormbench.run.sizes import runs_on, size_of
from ormbench.run.team import Team
from ormbench.run.turns import Turns
from ormbench.run.worker import demand_all
from ormbench.servers.placement import CAN_PIN, allowed_cpus, cores, stay_on
from ormbench.truth.transactions import unequal_end


class GroupInBlock:
    """Measures one group once. Workers run, one arm at a time; this decides what, and when."""

    def __init__(
        self,
        context: Context,
        workers: Workers,
        group: Group,
        block: int,
        turns: Turns,
        foreign: ForeignLoad,
    ) -> None:
        self.context, self.group, self.block = context, group, block
        self.workers = [worker for on_loop in workers.values() for worker in on_loop]
        self.teams = [Team(cell, workers[cell.loop]) for cell in group.cells]
        self.turns, self.foreign = turns, foreign
        self.random = Random(f"{context.seed}/{block}/{group.name}")  # noqa: S311 - an order
        self.placed: Placement | None = None
        self.counting = CountPass(block, context.counts, context.alike, context.paces)
        self.ledger = Ledger(self._ask, context.alike)
        places = self.random.sample(range(len(group.cells)), len(group.cells))
        self.arms = [self._arm(*pair) for pair in enumerate(zip(group.cells, places, strict=True))]

    def _arm(self, number: int, pair: tuple[Cell, int]) -> ArmState:
        cell, place = pair
        loaded = self.context.scenario(cell)
        site = self.context.site(cell)
        schema = site.tables.schema(loaded, place) if site else ""
        return ArmState(number, cell, loaded, place, schema, site, rows=self.context.rows(cell))

    def measure(self) -> tuple[list[Trial], list[Proof]]:
        """All of it; an arm that ends early has its status and reason, and no slices.

        Raises WorkerError where a worker, or a relay that the group used, has died.
        """
        for arm in sorted(self.arms, key=lambda arm: arm.rows):
            self._attempt(arm, self._admit)
        for step in (self._open, self._prove, self._warm_up):
            for arm in self._shuffled():
                self._attempt(arm, step)
        if self._running():
            self._time()
        trials = [self._trial(arm) for arm in self.arms]
        self._demand("close")
        if self.counting.new or any(arm.route for arm in self.arms):
            self.context.routes.check()
        return trials, [arm.proof for arm in self.arms if arm.proof]

    def _time(self) -> None:
        """The rounds, between two readings of the server's counters, and what is taken apart."""
        size = size_of(self.context, self.group, self._running())
        self._demand("freeze")
        self.ledger.open(self._running())
        started = time.monotonic()
        with self.foreign.window(*self._measured()):
            for number in range(size.rounds):
                self._round(number, size)
        self.context.in_rounds += time.monotonic() - started
        self.ledger.close(self._running(), self.context.counts)
        for arm in self._running():
            self._attempt(arm, lag, self.turns.take, self._ask)
        for arm in self._running():
            self._attempt(arm, waits, size, self.turns.take, self._ask)
        idle_trial(
            self._running(), self._ask, self._attempt, self.turns.take, self.context.progress.say
        )

    def _measured(self) -> tuple[frozenset[int], list[int]]:
        """The cores that this group measures on, and which of our processes are there."""
        chosen = [cores(cell.placement, allowed_cpus()) for cell in self.group.cells]
        cpus = frozenset[int]().union(*(one.client | one.server for one in chosen))
        beside = frozenset[int]().union(*(one.coordinator for one in chosen)) & cpus
        pids = [worker.pid for worker in self.workers]
        return cpus, [*pids, *([os.getpid()] if beside else [])]

    def _demand(self, do: str, **what: Any) -> None:
        """Ask it of every worker that has an arm of this group."""
        demand_all(self.workers, do, **what)

    def _running(self) -> list[ArmState]:
        return [arm for arm in self.arms if arm.ended is None]

    def _shuffled(self) -> list[ArmState]:
        running = self._running()
        return self.random.sample(running, len(running))

    def _attempt(self, arm: ArmState, step: Any, *what: Any) -> None:
        try:
            step(arm, *what)
        except EndedError as ended:
            arm.ended = ended.with_defect(arm.loaded.lane(arm.cell.lane).defect(arm.cell.target))
            arm.slices.clear()
            self.context.paces.end(arm.cell, arm.ended.status, arm.ended.reason)

    def _ask(self, arm: ArmState, do: str, **what: Any) -> dict[str, Any]:
        """Ask it of the arm's processes. Raises EndedError where the answer is a status."""
        return self.teams[arm.number].ask(do, {"arm": arm.number, **what})

    def _tell(self, arm: ArmState, do: str, /, **what: Any) -> dict[str, Any]:
        """Ask it of the first of them alone, of an arm that *what* names."""
        return self.teams[arm.number].ask_first(do, what)

    def _admit(self, arm: ArmState) -> None:
        """Count it, unless it has ended for good, or is too slow, or its tables are too small."""
        paces = self.context.paces
        if ended := paces.ended.get(arm.cell.id):
            raise EndedError(*ended)
        stock.check(arm)
        if reason := paces.predicted(arm.cell, arm.rows):
            raise EndedError("SKIPPED", reason)
        self._count(arm)

    def _count(self, arm: ArmState) -> None:
        """Its count pass, unless an earlier block had it."""
        if arm.site is None:
            return
        if self.counting.lacks(arm):
            self._place(arm)
            way = partial(self.context.routes.counting, arm.site.server.address)
            started, tell = time.monotonic(), partial(self._tell, arm)
            self.counting.count(arm, way, self.turns.take, tell)
            self.context.in_counting += time.monotonic() - started

    def _open(self, arm: ArmState) -> None:
        self._place(arm)
        through = {}
        if arm.site is not None and arm.cell.rtt is not None:
            arm.route = self.context.routes.distant(arm.site.server.address, arm.cell.rtt)
            through = {"address": asdict(arm.route.address)}
        self._ask(arm, "open", cell=asdict(arm.cell), schema=arm.schema, **through)

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
        self.context.routes.place(chosen.coordinator)

    def _prove(self, arm: ArmState) -> None:
        paces = self.context.paces
        prove(arm, self.group.name, self.block, self.turns.take, self._ask, paces)
        count = self.context.counts.get(arm.cell.id)
        owns = arm.loaded.lane(arm.cell.lane).receives in OWN_UNITS
        ends = partial(unequal_end, arm.cell.transaction, owns_units=owns)
        if count and (wrong := ends(count.operations)):
            raise EndedError("INCORRECT", wrong)

    def _warm_up(self, arm: ArmState) -> None:
        """Warm it, in several goes where its tables last for less; a long proof did it already."""
        over = arm.operation_ns > GLACIAL_NS and arm.cell.clients == 1
        wanted = self.teams[arm.number].turns_to_warm()
        while not over:
            count = stock.put_back(arm, wanted)
            most = {"most": count} if count < wanted else {}
            answer = self._ask(arm, "warm", first=self.turns.take(count), **most)
            arm.operation_ns, over = answer["operation_ns"], answer["over"]
        self.context.paces.guess(arm.cell, arm.rows, arm.operation_ns)

    def _round(self, number: int, size: SliceSize) -> None:
        first = self.turns.take(size.turns)
        for place, arm in enumerate(self._shuffled()):
            self._attempt(arm, self._slice, number, place, first, size)

    def _slice(self, arm: ArmState, number: int, place: int, first: int, size: SliceSize) -> None:
        self._place(arm)
        arm.reset()
        if arm.route is not None:
            arm.route.achieved()  # what it added up to now is no part of this slice
        before = arm.server_cpu_ns()
        seed = self.context.seed + self.block * 1_000 + number
        answer = self._ask(
            arm,
            "slice",
            first=first,
            settling=size.settling,
            operations=size.operations,
            seed=seed,
            runs_on=runs_on(self.group.cells),
        )
        after = arm.server_cpu_ns()
        turns = range(first, first + size.turns)
        told = outcome(arm, turns, answer)
        arm.turns += size.turns
        self.context.paces.time(arm.cell, arm.rows, arm.operation_ns)
        if arm.route is not None and (added := arm.route.achieved()) is not None:
            arm.added_rtts.append(added)
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
                *told,
                answer.get("idle_ns", 0) * arm.cell.clients // arm.cell.processes,
            )
        )
        arm.new_connections += answer["new"]
        if number == size.rounds - 1 and arm.loaded.scenario.audit is None:
            check_state(arm, list(turns))

    def _trial(self, arm: ArmState) -> Trial:
        histograms = {} if arm.ended else self._ask(arm, "trial")
        return arm.trial(self.group.name, self.block, histograms)
