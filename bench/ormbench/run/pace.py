"""What operations take, as far as this run has measured, and which cells are too slow for it. Pure.

A prediction is linear in the rows of an operation, from the largest smaller number of them that
was measured. What an operation costs whatever its rows are is multiplied, too: so it is rather too
much than too little, and nothing is predicted from less than a hundredth of the rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ormbench.cell import Cell
from ormbench.plan.plan import LONGEST
from ormbench.results.trial import Status, Trial

NS = 1_000_000_000
FARTHEST = 100  # times as many rows: beyond that a prediction is made of what rows do not cost
HOLDS: tuple[Status, ...] = ("SKIPPED", "TIMEOUT")  # ends of a cell that no later block tries again


@dataclass(slots=True)
class Paces:
    """The time of an operation, by cell; and which cells have ended for good."""

    longest: float = LONGEST  # seconds of an operation that the plan waits for
    limits: Mapping[str, float] = field(default_factory=dict)  # of cells with another, by Cell.id
    first: bool = True  # no block is finished: little is known yet
    ended: dict[str, tuple[Status, str]] = field(default_factory=dict)  # by Cell.id
    _measured: dict[Cell, dict[int, int]] = field(default_factory=dict)  # ns, by rows
    _timed: set[str] = field(default_factory=set)  # Cell.id

    def guess(self, cell: Cell, rows: int, ns: int) -> None:
        """An operation of *cell* takes about so many *ns*; of a timed one better is known."""
        if cell.id not in self._timed:
            self._measured.setdefault(_whatever_rows(cell), {})[rows] = ns

    def time(self, cell: Cell, rows: int, ns: int) -> None:
        """It takes so many *ns*, and *cell* is timed: from now on, in each block."""
        self._timed.add(cell.id)
        self._measured.setdefault(_whatever_rows(cell), {})[rows] = ns

    def end(self, cell: Cell, status: Status, reason: str) -> None:
        """Let *cell* end so in later blocks, too, if it was not timed, and time would not help."""
        if status in HOLDS and cell.id not in self._timed:
            self.ended[cell.id] = status, reason

    def too_slow(self, cell: Cell, rows: int, first_ns: int) -> str:
        """Why *cell*, whose first operation took so long, is not timed; "" where it is."""
        if first_ns <= self._limit(cell) * NS or cell.id in self._timed:
            return ""
        self.guess(cell, rows, first_ns)
        return f"its first operation took {_seconds(first_ns)}; {self._told(cell)}"

    def predicted(self, cell: Cell, rows: int) -> str:
        """Why *cell*, of which fewer rows were measured, is not even tried; "" where it is."""
        measured = self._measured.get(_whatever_rows(cell), {})
        nearest = max((fewer for fewer in measured if 0 < fewer < rows), default=0)
        if cell.id in self._timed or nearest * FARTHEST < rows:
            return ""
        ns = measured[nearest] if nearest else 0
        if ns * rows <= self._limit(cell) * NS * nearest:
            return ""
        return (
            f"predicted {_seconds(ns * rows // nearest)} an operation: {_seconds(ns)} at "
            f"{nearest:,} row{'s' * (nearest != 1)}, and {rows:,} are {rows / nearest:.3g} times "
            f"as many; {self._told(cell)}"
        )

    def recall(self, trials: Iterable[tuple[Cell, int, Trial]]) -> None:
        """Go on with what finished blocks have found: *trials* with their cells and rows."""
        known = list(trials)
        for cell, rows, trial in known:
            times = [one.service_ns // one.operations for one in trial.slices if one.operations]
            if times:
                self.time(cell, rows, min(times))
            elif trial.turns:  # it ended after its first slice
                self._timed.add(cell.id)
        for cell, _, trial in known:
            self.end(cell, trial.status, trial.reason)
            self.first = False

    def _limit(self, cell: Cell) -> float:
        """Seconds that its plan waits for an operation of *cell*."""
        return self.limits.get(cell.id, self.longest)

    def _told(self, cell: Cell) -> str:
        return f"this plan takes operations up to {self._limit(cell):g} s"


def _whatever_rows(cell: Cell) -> Cell:
    return replace(cell, batch=None)


def _seconds(ns: int) -> str:
    """As precise as a prediction is: "0.31 s", "3.1 s", "31 s"."""
    seconds = ns / NS
    if seconds < 1:
        return f"{seconds:.2g} s"
    return f"{seconds:.1f} s" if round(seconds, 1) < 10 else f"{seconds:,.0f} s"  # noqa: PLR2004 - two digits
