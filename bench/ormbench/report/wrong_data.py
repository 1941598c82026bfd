"""Cells that lost updates or broke an invariant: found, put into words, and left without times.

A wrong answer has no time, and neither has lost work: such a cell is WRONG DATA in every rendering,
and a comparison with it has that verdict and no ratio. So it can win nowhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ormbench.cell import Cell
from ormbench.report.digest_index import Index
from ormbench.report.findings import CellFinding, Comparison, Ladder, WrongData
from ormbench.report.quantities import number_text
from ormbench.stats.absolute import goodput
from ormbench.stats.verdict import WRONG_DATA

PER = 1_000  # operations


def wrong_data(index: Index, cell: Cell) -> WrongData | None:
    """What *cell* lost and broke in any of its arms: one of them taints them all."""
    trials = (trial for arm in index.arms_of(cell) for trial in arm.trials)
    slices = [one for trial in trials for one in trial.slices]
    lost, broken = sum(one.lost for one in slices), sum(one.broken for one in slices)
    if not (lost or broken):
        return None
    return WrongData(cell, sum(one.operations for one in slices), lost, broken)


def examined(index: Index, found: CellFinding) -> CellFinding:
    """*found* with its goodput block by block, and with what it lost and broke."""
    if found.status != "OK":
        return found
    trials = index.home(found.cell).trials
    timed = ((trial.block, [s for s in trial.slices if s.wall_ns]) for trial in trials)
    blocks = tuple((block, goodput(slices)) for block, slices in timed if slices)
    return replace(found, goodput_blocks=blocks, wrong=wrong_data(index, found.cell))


def without_times(found: CellFinding) -> CellFinding:
    """*found* as every rendering gets it: where its data are wrong, it has no time.

    Where operations failed, throughput is that of the others.
    """
    if found.wrong is None:
        return replace(found, throughput=found.goodput) if fails(found) else found
    return replace(
        found,
        status="WRONG DATA",
        reason=happened(found.wrong),
        service=None,
        throughput=None,
        client_cpu=None,
        percentiles=(),
        response=(),
        block_means=(),
        bound="",
    )


def sound(comparisons: Iterable[Comparison]) -> tuple[Comparison, ...]:
    """Those of *comparisons* that compare times at all."""
    return tuple(one for one in comparisons if one.verdict != WRONG_DATA)


def sound_ladders(ladders: Iterable[Ladder], cells: Sequence[CellFinding]) -> tuple[Ladder, ...]:
    """Those of *ladders* on which each rung does its work, and gives up none of it."""
    wrong = {one.cell for one in cells if one.wrong or fails(one)}
    return tuple(one for one in ladders if not any(rung.cell in wrong for rung in one.rungs))


def happened(wrong: WrongData) -> str:
    """As "loses 640 updates and breaks the invariant 12 times per 1,000 operations"."""
    told = []
    if wrong.lost:
        told.append(f"loses {per_1000(wrong.lost, wrong.operations)} updates")
    if wrong.broken:
        told.append(f"breaks the invariant {per_1000(wrong.broken, wrong.operations)} times")
    return f"{' and '.join(told)} per {PER:,} operations"


def briefly(wrong: WrongData) -> str:
    """As "loses 640 per 1,000", where there is no room for more."""
    told = [f"loses {per_1000(wrong.lost, wrong.operations)}"] if wrong.lost else []
    told += [f"breaks {per_1000(wrong.broken, wrong.operations)}"] if wrong.broken else []
    return f"{', '.join(told)} per {PER:,}"


def side(comparison: Comparison) -> str:
    """Whose data are wrong, in a column's worth of words: "wrong data" is the candidate's own.

    "against wrong data" is the reference's: nothing is wrong with the candidate.
    """
    own = comparison.candidate in {one.cell for one in comparison.wrong}
    return WRONG_DATA if own else f"against {WRONG_DATA}"


def fails(found: CellFinding) -> str:
    """As "872 of 1,000 operations fail"; "" where none did. Their times are those of giving up."""
    failed = found.outcomes.failed if found.outcomes else 0
    if not failed:
        return ""
    return f"{per_1000(failed, found.operations)} of {PER:,} operations fail"


def per_1000(count: int, operations: int) -> str:
    """As "640", "0.25": *count* of so many *operations*, per 1,000."""
    return number_text(rate(count, operations))


def rate(count: int, operations: int) -> float:
    """*count* of so many *operations*, per 1,000; 0 of none."""
    return PER * count / operations if operations else 0.0
