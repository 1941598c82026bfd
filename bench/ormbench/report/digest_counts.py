"""What the wire and the server's own counters say of a cell, from a run folder's records."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ormbench.cell import Cell
from ormbench.report.digest_index import Index
from ormbench.report.findings import CellFinding
from ormbench.results.trial import Trial


def with_counts(index: Index, found: CellFinding) -> CellFinding:
    """*found* with its count, and with what became of its trials' server counters."""
    trials = trials_of(index, found.cell)
    compared = [one for one in trials if one.counters and not one.unverified]
    reasons = Counter(one.unverified for one in trials if one.unverified)
    sums = sum((Counter(one.counters) for one in compared), Counter[str]())
    return replace(
        found,
        count=index.count(found.cell),
        agreed=sum(one.status == "OK" for one in compared),
        compared=len(compared),
        unverified=max(reasons, key=lambda reason: reasons[reason], default=""),
        unverified_trials=reasons.total(),
        counters=tuple(sums.items()),
        turns=sum(one.turns for one in compared),
        added_rtt=_added(trials),
    )


def trials_of(index: Index, cell: Cell) -> tuple[Trial, ...]:
    """All trials of *cell*, in whichever group it stands."""
    return tuple(trial for arm in index.arms_of(cell) for trial in arm.trials)


def _added(trials: Sequence[Trial]) -> float | None:
    """The mean round-trip time that the relay added, in ns; None where it added none."""
    known = [one.added_rtt_ns for one in trials if one.added_rtt_ns is not None]
    return sum(known) / len(known) if known else None
