"""The processes of one arm: asked as one, they answer as one.

An arm of one process is its worker, and nothing is between. What several do together they begin
together, and an error of one is the arm's.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from ormbench.cell import Cell
from ormbench.load.calibration import warm_turns
from ormbench.run import shares
from ormbench.run.arm import EndedError
from ormbench.run.shares import Answer, Message
from ormbench.run.worker import WorkerProcess, ask_each

LEAD_NS = 3_000_000  # from the first message to the common start: each has its own by then


class Team:
    """Asks *workers*, one for each process of *cell*. Raises EndedError where one has a status."""

    def __init__(self, cell: Cell, workers: Sequence[WorkerProcess]) -> None:
        self._cell, self._workers = cell, workers[: cell.processes]
        self._size = cell.processes
        self._together: dict[str, Callable[[Message], Answer]] = {
            "open": self._open,
            "drop": lambda what: self._same("drop", what)[0],
            "prove": self._prove,
            "warm": self._warm,
            "slice": self._slice,
            "lag": self._lag,
            "waits": self._waits,
            "counters": lambda what: shares.one_reading(self._same("counters", what)),
            "trial": lambda what: shares.one_trial(self._same("trial", what)),
            "idle_limit": self._idle_limit,
            "after_idle": self._after_idle,
        }

    def ask(self, do: str, what: Message) -> Answer:
        """Ask it of all processes; what several cannot do together, of the first."""
        together = self._together.get(do) if self._size > 1 else None
        return together(what) if together else self.ask_first(do, what)

    def ask_first(self, do: str, what: Message) -> Answer:
        """Ask it of the first process alone: an operation is the same in all of them."""
        return _told([self._workers[0].ask(do, **what)])[0]

    def turns_to_warm(self) -> int:
        """Turn numbers that the warm-up of all processes may use up."""
        return self._size * warm_turns(self._cell.clients // self._size)

    def _each(self, do: str, messages: Sequence[Message]) -> list[Answer]:
        return _told(ask_each(self._workers, do, messages))

    def _same(self, do: str, what: Message) -> list[Answer]:
        return self._each(do, [what] * self._size)

    def _open(self, what: Message) -> Answer:
        """Open it in all; where one cannot, the others give their connections back."""
        try:
            return self._same("open", {**what, "cell": asdict(shares.each(self._cell))})[0]
        except EndedError:
            self._same("drop", {"arm": what["arm"]})
            raise

    def _prove(self, what: Message) -> Answer:
        proof = self.ask_first("prove", what)
        _told(ask_each(self._workers[1:], "quiet", [{"arm": what["arm"]}] * (self._size - 1)))
        return proof

    def _warm(self, what: Message) -> Answer:
        """The first by itself, because it tells what an operation takes; then the others.

        Of "most" turns each has its part.
        """
        turns, each = warm_turns(self._cell.clients // self._size), what
        if "most" in what:
            turns = what["most"] // self._size
            each = {**what, "most": turns}
        firsts = [{**each, "first": what["first"] + number * turns} for number in range(self._size)]
        answer = self.ask_first("warm", firsts[0])
        others = _told(ask_each(self._workers[1:], "warm", firsts[1:]))
        return {**answer, "over": all(one["over"] for one in (answer, *others))}

    def _slice(self, what: Message) -> Answer:
        """Settle in all, and when the last one has, begin in all at one time of their clock."""
        self._each("settle", shares.interleaved(what, self._size))
        start = time.perf_counter_ns() + LEAD_NS
        return shares.one_slice(self._each("begin", shares.beginnings(what, self._cell, start)))

    def _lag(self, what: Message) -> Answer:
        answers = self._each("lag", shares.parts(what, "operations", self._size))
        return {"lag_p99_ns": max(one["lag_p99_ns"] for one in answers)}

    def _waits(self, what: Message) -> Answer:
        each = {**what, "settling": what.get("settling", 0) // self._size}
        answers = self._each("waits", shares.parts(each, "operations", self._size))
        return {"checkout": shares.merged(one["checkout"] for one in answers) or None}

    def _idle_limit(self, what: Message) -> Answer:
        answers = self._same("idle_limit", what)
        return {"connections": [one for answer in answers for one in answer["connections"]]}

    def _after_idle(self, what: Message) -> Answer:
        answers = self._each("after_idle", shares.parts(what, "count", self._size))
        return shares.summed(answers)


def _told(answers: list[Answer]) -> list[Answer]:
    for answer in answers:
        if "status" in answer:
            raise EndedError(answer["status"], answer["reason"])
    return answers
