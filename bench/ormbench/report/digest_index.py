"""The trials of a run by arm and block, and what became of each cell."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ormbench.cell import Cell, Group
from ormbench.results.count import Count
from ormbench.results.folder import RunRecord
from ormbench.results.trial import Proof, Slice, Status, Trial
from ormbench.stats.paired import Pair, paired

_WORST_FIRST: tuple[Status, ...] = (
    "INCORRECT",
    "ERROR",
    "TIMEOUT",
    "UNSUPPORTED",
    "SKIPPED",
    "OK",
)
_NOT_REACHED = "no finished block reached it"


@dataclass(frozen=True, slots=True)
class Arm:
    """One occurrence of a cell: its place in a group, its trials in run order."""

    group: Group
    number: int
    trials: tuple[Trial, ...]

    @property
    def cell(self) -> Cell:
        """The cell that this arm measured."""
        return self.group.cells[self.number]

    @property
    def blocks(self) -> tuple[tuple[Slice, ...], ...]:
        """The slices that hold operations and time, of each block that has any."""
        timed = (tuple(s for s in t.slices if _is_timed(s)) for t in self.trials)
        return tuple(slices for slices in timed if slices)


class Index:
    """The arms of a run, found by group and by cell."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        trials: dict[tuple[str, int], list[Trial]] = {}
        for trial in (trial for block in record.blocks for trial in block.trials):
            trials.setdefault((trial.group, trial.arm), []).append(trial)
        self.arms = tuple(
            Arm(group, number, tuple(trials.get((group.name, number), ())))
            for group in record.manifest.groups
            for number in range(len(group.cells))
        )
        self._by_cell: dict[Cell, tuple[Arm, ...]] = {}
        for arm in self.arms:
            self._by_cell[arm.cell] = (*self._by_cell.get(arm.cell, ()), arm)
        self._counts: dict[str, Count] = {}
        for count in (count for block in record.blocks for count in block.counts):
            self._counts.setdefault(count.cell, count)  # a resumed run counts again

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Each cell once, in the order of the plan."""
        return tuple(self._by_cell)

    def arms_of(self, cell: Cell) -> tuple[Arm, ...]:
        """The arms of a cell, in the order of the plan."""
        return self._by_cell[cell]

    def home(self, cell: Cell) -> Arm:
        """The arm that a cell's absolute values come from: its first that was measured."""
        arms = self.arms_of(cell)
        return next((arm for arm in arms if arm.blocks), arms[0])

    def status(self, cell: Cell) -> tuple[Status, str]:
        """The worst end of a cell's trials, with its reason: one wrong answer takes them all."""
        trials = [trial for arm in self.arms_of(cell) for trial in arm.trials]
        if not trials:
            return "SKIPPED", _NOT_REACHED
        worst = min(trials, key=lambda trial: _WORST_FIRST.index(trial.status))
        if worst.status == "OK" and not self.home(cell).blocks:
            return "SKIPPED", "no slice of it holds an operation"
        return worst.status, worst.reason

    def is_ok(self, cell: Cell) -> bool:
        """Whether a cell has numbers."""
        return self.status(cell)[0] == "OK"

    def count(self, cell: Cell) -> Count | None:
        """What the wire relay saw of a cell; None where no block has a count of it.

        With the transcript of the cell that was counted for both, where there is one.
        """
        own = self._counts.get(cell.id)
        like = self._counts.get(own.like) if own else None
        return replace(own, transcript=like.transcript) if own and like else own

    @property
    def is_counted(self) -> bool:
        """Whether this run counted on the wire at all: those of older versions did not."""
        return bool(self._counts)

    def proofs(self, cell: Cell) -> Iterator[Proof]:
        """What the arms of a cell showed before they were timed."""
        proofs = (proof for block in self.record.blocks for proof in block.proofs)
        return (proof for proof in proofs if proof.cell == cell.id)

    def pairs(self, candidate: Arm, reference: Arm) -> dict[int, tuple[Pair, ...]]:
        """Paired slices of two arms of a group, by block number, for the blocks that have any."""
        others = {trial.block: trial.slices for trial in reference.trials}
        both = {
            trial.block: paired(trial.slices, others[trial.block])
            for trial in candidate.trials
            if trial.block in others
        }
        return {block: pairs for block, pairs in both.items() if pairs}

    def arm(self, group: Group, number: int) -> Arm:
        """An arm of a group by its number."""
        return next(arm for arm in self.arms if arm.group is group and arm.number == number)


def _is_timed(one: Slice) -> bool:
    return bool(one.operations and one.service_ns and one.wall_ns)
