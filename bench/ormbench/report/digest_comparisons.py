"""Contrasts of a run folder into comparisons, each with its verdict.

The one place where a comparison gets it: where one of the two lost updates or broke an invariant
it is "wrong data", and there is no ratio that anybody could take for an answer.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from ormbench.cell import Cell, Contrast
from ormbench.report.digest_cells import estimate
from ormbench.report.digest_index import Arm, Index
from ormbench.report.findings import Beside, Comparison, WrongData
from ormbench.report.wrong_data import wrong_data
from ormbench.stats.location import Location
from ormbench.stats.paired import Effect, effect, log_ratio
from ormbench.stats.stalls import exceedances
from ormbench.stats.verdict import WRONG_DATA, verdict

_NOWHERE = Location(math.nan, -math.inf, math.inf, 0)
_UNKNOWN = Effect(_NOWHERE, _NOWHERE, _NOWHERE, _NOWHERE, ())


def comparisons(index: Index) -> tuple[Comparison, ...]:
    """One comparison for each contrast whose cells both have numbers, in the order of the plan.

    Contrasts of two server products are left out: no verdict compares those.
    """
    found = (
        _comparison(index, index.arm(group, contrast.candidate), contrast)
        for group in index.record.manifest.groups
        for contrast in group.contrasts
        if same_product(group.cells[contrast.candidate], group.cells[contrast.reference])
    )
    return tuple(one for one in found if one is not None)


def same_product(one: Cell, other: Cell) -> bool:
    """Whether two cells run on the same server product, whatever the driver."""
    return one.target.partition("+")[0] == other.target.partition("+")[0]


def _comparison(index: Index, candidate: Arm, contrast: Contrast) -> Comparison | None:
    reference = index.arm(candidate.group, contrast.reference)
    if not (index.is_ok(candidate.cell) and index.is_ok(reference.cell)):
        return None
    blocks = index.pairs(candidate, reference)
    if not blocks:
        return None
    wrong = _wrong(index, candidate.cell, reference.cell)
    beside = tuple(_beside(index, candidate, contrast))
    identical = contrast.kind == "aa"  # neither can win, and its noise is that of the machine
    if wrong and not identical:
        found, judged = _UNKNOWN, WRONG_DATA
    else:
        found = effect(tuple(blocks.values()))
        judged = verdict(found.ratio.low, found.ratio.high)
        if not identical and any(_gave_up(arm) for arm in (candidate, reference)):
            found, judged = _without_bounds(found), "cannot tell"  # giving up early takes less
    return Comparison(
        group=candidate.group.name,
        kind=contrast.kind,
        candidate=candidate.cell,
        reference=reference.cell,
        verdict=judged,
        ratio=estimate(found.ratio, "ratio"),
        total_ratio=estimate(found.total_ratio, "ratio"),
        difference=estimate(found.difference, "ns/op"),
        cpu_difference=estimate(found.cpu_difference, "cpu ns/op"),
        stalls=(_stalls(candidate), _stalls(reference)),
        blocks=tuple(blocks) if found.log_ratios else (),
        block_ratios=tuple(math.exp(theta) for theta in found.log_ratios),
        beside=beside,
        wrong=wrong,
    )


def _beside(index: Index, candidate: Arm, contrast: Contrast) -> Iterator[Beside]:
    """The other candidates of its reference, if their times and its own are an answer."""
    if not _is_timed(index, candidate):
        return
    star = contrast.kind, contrast.reference
    alike = (one for one in candidate.group.contrasts if (one.kind, one.reference) == star)
    for other in (index.arm(candidate.group, one.candidate) for one in alike):
        if other.cell != candidate.cell and _is_timed(index, other):
            pairs = index.pairs(candidate, other)
            ratios = tuple(math.exp(log_ratio(block)) for block in pairs.values())
            yield Beside(other.cell, tuple(pairs), ratios)


def _is_timed(index: Index, arm: Arm) -> bool:
    return index.is_ok(arm.cell) and not _wrong(index, arm.cell) and not _gave_up(arm)


def _wrong(index: Index, *cells: Cell) -> tuple[WrongData, ...]:
    found = (wrong_data(index, cell) for cell in dict.fromkeys(cells))
    return tuple(one for one in found if one is not None)


def _gave_up(arm: Arm) -> bool:
    """Whether operations of it ended without a result: their times are those of giving up."""
    return any(one.failed for slices in arm.blocks for one in slices)


def _without_bounds(found: Effect) -> Effect:
    """*found* with intervals that hold everything, over no block: its times show no difference."""

    def open_ended(one: Location) -> Location:
        return replace(one, low=-math.inf, high=math.inf, count=0)

    return Effect(
        open_ended(found.ratio),
        open_ended(found.total_ratio),
        open_ended(found.difference),
        open_ended(found.cpu_difference),
        found.log_ratios,
    )


def _stalls(arm: Arm) -> int:
    return sum(exceedances(slices) for slices in arm.blocks)
