"""Contrasts of a run folder into comparisons, each with its verdict."""

import math

from ormbench.cell import Cell, Contrast
from ormbench.report.digest_cells import estimate
from ormbench.report.digest_index import Arm, Index
from ormbench.report.findings import Comparison
from ormbench.stats.paired import effect
from ormbench.stats.stalls import exceedances
from ormbench.stats.verdict import verdict


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
    found = effect(tuple(blocks.values()))
    return Comparison(
        group=candidate.group.name,
        kind=contrast.kind,
        candidate=candidate.cell,
        reference=reference.cell,
        verdict=verdict(found.ratio.low, found.ratio.high),
        ratio=estimate(found.ratio, "ratio"),
        total_ratio=estimate(found.total_ratio, "ratio"),
        difference=estimate(found.difference, "ns/op"),
        cpu_difference=estimate(found.cpu_difference, "cpu ns/op"),
        stalls=(_stalls(candidate), _stalls(reference)),
        block_ratios=tuple(math.exp(theta) for theta in found.log_ratios),
    )


def _stalls(arm: Arm) -> int:
    return sum(exceedances(slices) for slices in arm.blocks)
