"""The four decisions of the first screen: each card has a verdict, or says it was not measured."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

from ormbench.report.digest_cells import estimate
from ormbench.report.findings import Card, Comparison, Trust
from ormbench.report.names import driver_name, lane_name, opened
from ormbench.report.quantities import ratio_text
from ormbench.report.sentences import Focus, contender, elsewhere, takes
from ormbench.stats.location import locate
from ormbench.stats.verdict import verdict

ORM_OR_CORE = "ORM OR CORE?"
DRIVER = "WHICH DRIVER?"
POOL = "WHICH POOL?"
ASYNC = "IS ASYNC WORTH IT?"
_NOT_MEASURED = "not measured by this plan"


def cards(comparisons: Sequence[Comparison], focus: Focus, trust: Trust) -> tuple[Card, ...]:
    """The four cards, in reading order."""
    measured = [_orm_or_core(comparisons, focus), _driver(comparisons, focus)]
    if not trust.usable:
        measured = [_no_answer(card, trust.cause) for card in measured]
    return (*measured, _unmeasured(POOL), _unmeasured(ASYNC))


def _orm_or_core(comparisons: Sequence[Comparison], focus: Focus) -> Card:
    main = contender(focus.lanes(comparisons))
    if main is None or (main.candidate.lane, main.reference.lane) != ("orm", "core"):
        return _unmeasured(ORM_OR_CORE)
    others = elsewhere(main, comparisons)
    texts = [f"{o.candidate.scenario} {ratio_text(o.ratio, o.verdict)}" for o in others]
    detail = f"for {focus.scenario} on {driver_name(focus.target)}"
    if texts:
        detail += f"; {', '.join(texts)}"
    return Card(ORM_OR_CORE, opened(takes(main)), detail, measured=True)


def _driver(comparisons: Sequence[Comparison], focus: Focus) -> Card:
    found = [
        one
        for one in comparisons
        if one.kind == "target" and one.candidate.scenario == focus.scenario
    ]
    if not found:
        return _unmeasured(DRIVER)
    first = found[0]
    targets = (first.candidate.target, first.reference.target)
    alike = [one for one in found if (one.candidate.target, one.reference.target) == targets]
    mean = geometric_mean(alike)
    agree = sum(one.verdict == mean.verdict for one in alike)
    lanes = ", ".join(lane_name(one.candidate.lane) for one in alike)
    names = [driver_name(target) for target in targets]
    detail = f"{agree} of {len(alike)} lanes of {focus.scenario} ({lanes})"
    return Card(DRIVER, opened(takes(mean, *names)), detail, measured=True)


def geometric_mean(alike: Sequence[Comparison]) -> Comparison:
    """The first of *alike* with the ratio of them all: geometric mean of the cells, block by block.

    Comparisons that lack a block which others have are left out of the mean.
    """
    blocks = max(len(one.block_ratios) for one in alike)
    whole = [one.block_ratios for one in alike if len(one.block_ratios) == blocks]
    logs = [statistics.fmean(map(math.log, ratios)) for ratios in zip(*whole, strict=True)]
    ratio = locate(logs).exp()
    judged = verdict(ratio.low, ratio.high)
    return replace(alike[0], verdict=judged, ratio=estimate(ratio, "ratio"))


def _unmeasured(question: str) -> Card:
    return Card(question, _NOT_MEASURED, "", measured=False)


def _no_answer(card: Card, cause: str) -> Card:
    return replace(card, verdict="no answer", detail=cause) if card.measured else card
