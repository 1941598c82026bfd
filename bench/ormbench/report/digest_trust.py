"""Whether a run may be read at all, from its doubts and its A/A pairs."""

import math
from collections.abc import Sequence

from ormbench.report.digest_cells import estimate
from ormbench.report.digest_index import Index
from ormbench.report.doubts_run import MANY_PAIRS, moved
from ormbench.report.findings import AACount, CellFinding, Comparison, Doubt, Estimate, Trust
from ormbench.report.quantities import has_interval
from ormbench.stats.absolute import mean_wall, over_blocks
from ormbench.stats.verdict import differs

HARNESS = "empty"  # the scenario that does nothing
_ONE_PERCENT = 0.01


def trust(
    index: Index,
    cells: Sequence[CellFinding],
    comparisons: Sequence[Comparison],
    doubts: tuple[Doubt, ...],
) -> Trust:
    """Usable unless a fatal doubt stands; the first one is the cause."""
    fatal = next((doubt for doubt in doubts if doubt.fatal), None)
    aa = _shown_pair(comparisons, index.record.manifest.focus)
    asked = [one for one in cells if one.cell.target != "none"]
    checked = [one for one in asked if one.status not in ("UNSUPPORTED", "SKIPPED")]
    compared = [one for one in asked if one.compared and not one.unverified]
    return Trust(
        usable=fatal is None,
        cause=_cause(fatal) if fatal else "",
        correct=sum(_proven(index, one) for one in checked),
        checked=len(checked),
        agreed=sum(one.agreed == one.compared for one in compared),
        compared=len(compared),
        aa=aa,
        sees=sees(aa.ratio) if aa else None,
        harness=_harness(index),
        doubts=doubts,
        known_errors=sum(_broke_as_known(index, one) for one in checked),
    )


def sees(ratio: Estimate) -> float | None:
    """The smallest difference that a run can tell: the A/A interval's half-width, rounded up.

    To 0.1 % below 1 %, to 1 % above; None where the pair has no interval.
    """
    if not has_interval(ratio):
        return None
    half_width = (ratio.high - ratio.low) / 2
    step = 0.001 if half_width < _ONE_PERCENT else _ONE_PERCENT
    return round(math.ceil(half_width / step - 1e-9) * step, 3)


def aa_count(comparisons: Sequence[Comparison]) -> AACount | None:
    """How many A/A pairs came out different; None where there are too few to count."""
    pairs = [one for one in comparisons if one.kind == "aa"]
    if len(pairs) < MANY_PAIRS:
        return None
    return AACount(len(pairs), sum(differs(one.ratio.low, one.ratio.high) for one in pairs))


def _cause(doubt: Doubt) -> str:
    return doubt.seen if doubt.about == "run" else f"{doubt.about} is {doubt.seen}"


def _shown_pair(comparisons: Sequence[Comparison], focus: str) -> Comparison | None:
    """An A/A pair that moved, else one of the focus, else any."""
    pairs = [one for one in comparisons if one.kind == "aa"]
    ranked = sorted(pairs, key=lambda one: (not moved(one), one.candidate.scenario != focus))
    return next(iter(ranked), None)


def _proven(index: Index, found: CellFinding) -> bool:
    """Whether the answers or the state of a cell were compared with the reference, and equal."""
    if found.status == "INCORRECT":
        return False
    return any(proof.answers_checked or proof.state_checked for proof in index.proofs(found.cell))


def _broke_as_known(index: Index, found: CellFinding) -> bool:
    """Whether a cell ended in an error, and in none but what its lane declares."""
    trials = [trial for arm in index.arms_of(found.cell) for trial in arm.trials]
    return found.status == "ERROR" and not any(one.is_unforeseen for one in trials)


def _harness(index: Index) -> Estimate | None:
    for cell in index.cells:
        if cell.scenario == HARNESS and index.is_ok(cell):
            return estimate(over_blocks(index.home(cell).blocks, mean_wall), "ns/op")
    return None
