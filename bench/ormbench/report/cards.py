"""The five decisions of the first screen: each card has a verdict, or says it was not measured."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ormbench.cell import Cell, ContrastKind
from ormbench.report import batch_words, distance_words, pool_words
from ormbench.report.digest_cells import estimate
from ormbench.report.findings import Card, CellFinding, Comparison, Trust
from ormbench.report.focus import Focus, contender, elsewhere
from ormbench.report.names import bare_driver, driver_name, lane_name, opened, product_name
from ormbench.report.quantities import ratio_text
from ormbench.report.sentences import takes, wrong_text
from ormbench.report.wrong_data import sound
from ormbench.stats.location import locate
from ormbench.stats.verdict import WRONG_DATA, verdict

ORM_OR_CORE = "ORM OR CORE?"
DRIVER = "WHICH DRIVER?"
ASYNC = "IS ASYNC WORTH IT?"
_NOT_MEASURED = "not measured by this plan"
_ORM_CORE = ("orm", "core")
_CARDS = 5  # for which the first screen has room


def cards(
    comparisons: Sequence[Comparison],
    focus: Focus,
    trust: Trust,
    cells: Sequence[CellFinding] = (),
) -> tuple[Card, ...]:
    """The five cards, in reading order; of strategies instead of one that was not measured."""
    measured = [
        _orm_or_core(comparisons, focus),
        _driver(comparisons, focus),
        distance_words.card(comparisons, cells, focus),
        pool_words.card(comparisons, cells, focus),
    ]
    if strategies := batch_words.card(comparisons, cells, focus):
        absent = next((one for one in measured if not one.measured), None)
        measured = [strategies, *(one for one in measured if one is not absent)]
    if not trust.usable:
        measured = [_no_answer(card, trust.cause) for card in measured]
    return (*measured, _unmeasured(ASYNC))[:_CARDS]


def _orm_or_core(comparisons: Sequence[Comparison], focus: Focus) -> Card:
    lanes = focus.lanes(comparisons)
    main = contender(lanes)
    if main is None and lanes:
        return _wrong_data(ORM_OR_CORE, lanes[0])
    if main is None or (main.candidate.lane, main.reference.lane) != _ORM_CORE:
        return _unmeasured(ORM_OR_CORE)
    others = elsewhere(main, comparisons)
    texts = [f"{o.candidate.scenario} {ratio_text(o.ratio, o.verdict)}" for o in others]
    where = driver_name(focus.target)
    if not (focus.alone or where.startswith(focus.product)):
        where = f"{focus.product}, {where}"
    detail = f"for {focus.scenario} on {where}{_distance(main.candidate)}"
    if texts:
        detail += f"; {', '.join(texts)}"
    beside = tuple(_on_other_products(comparisons, focus))
    return Card(ORM_OR_CORE, opened(takes(main)), detail, measured=True, others=beside)


def _on_other_products(
    comparisons: Sequence[Comparison], focus: Focus
) -> Iterator[tuple[str, str]]:
    """ORM against Core on each other product, through the first driver that it has there."""
    for product, found in _by_product(sound(comparisons), "lane").items():
        lanes = [one for one in found if (one.candidate.lane, one.reference.lane) == _ORM_CORE]
        lanes.sort(key=lambda one: one.candidate.scenario != focus.scenario)
        if product == focus.product or not lanes:
            continue
        cell = lanes[0].candidate
        scenario = "" if cell.scenario == focus.scenario else f" for {cell.scenario}"
        yield product, f"{bare_driver(cell.target)}: {takes(lanes[0])}{scenario}{_distance(cell)}"


def _distance(cell: Cell) -> str:
    """As " at +5 ms"; "" where nothing is added."""
    return "" if cell.rtt is None else f" at {distance_words.rtt_text(cell.rtt)}"


def _by_product(
    comparisons: Sequence[Comparison], kind: ContrastKind
) -> dict[str, list[Comparison]]:
    found: dict[str, list[Comparison]] = {}
    for one in comparisons:
        if one.kind == kind:
            found.setdefault(product_name(one.candidate.target), []).append(one)
    return found


def _driver(comparisons: Sequence[Comparison], focus: Focus) -> Card:
    """What each driver takes against its product's first; every product for itself."""
    here = [one for one in comparisons if one.candidate.scenario == focus.scenario]
    found = _by_product(sound(here), "target")
    if not found:
        wrong = [one for one in here if one.kind == "target"]
        return _wrong_data(DRIVER, wrong[0]) if wrong else _unmeasured(DRIVER)
    first = focus.product if focus.product in found else next(iter(found))
    pairs = list(_driver_pairs(found[first]))
    agree = ", ".join(_agreement(one, named=len(pairs) > 1) for one in pairs)
    lanes = ", ".join(lane_name(one.candidate.lane) for one in pairs[0])
    detail = f"{agree} lanes of {focus.scenario} ({lanes})"
    if not (focus.alone or driver_name(focus.target).startswith(first)):
        detail = f"on {first}: {detail}"
    others = tuple(
        (product, _drivers_take(list(_driver_pairs(compared))))
        for product, compared in found.items()
        if product != first
    )
    return Card(DRIVER, opened(_drivers_take(pairs)), detail, measured=True, others=others)


def _drivers_take(pairs: Sequence[Sequence[Comparison]]) -> str:
    """As "psycopg takes 1.20x as long as asyncpg [1.19, 1.22], psycopg_sync 1.10x [1.09, 1.11]".

    Those that are decided come first.
    """
    means = sorted(map(geometric_mean, pairs), key=lambda one: one.verdict == "cannot tell")
    names = [bare_driver(one.candidate.target) for one in means]
    takes_first = takes(means[0], names[0], bare_driver(means[0].reference.target))
    further = [
        f"{name} {ratio_text(one.ratio, one.verdict)}"
        for name, one in zip(names[1:], means[1:], strict=True)
    ]
    return ", ".join([takes_first, *further])


def _agreement(alike: Sequence[Comparison], *, named: bool) -> str:
    """In how many lanes the verdict is that of their mean: "4 of 4", "psycopg 4 of 4"."""
    mean = geometric_mean(alike)
    count = f"{sum(one.verdict == mean.verdict for one in alike)} of {len(alike)}"
    return f"{bare_driver(mean.candidate.target)} {count}" if named else count


def _driver_pairs(found: Sequence[Comparison]) -> Iterator[list[Comparison]]:
    """Of each driver of one product, its comparisons with the first: one a lane, alike in axes."""
    pairs: dict[tuple[str, str], list[Comparison]] = {}
    for one in found:
        pairs.setdefault((one.candidate.target, one.reference.target), []).append(one)
    for compared in pairs.values():
        axes = compared[0].candidate.unusual()
        yield [one for one in compared if one.candidate.unusual() == axes]


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


def _wrong_data(question: str, found: Comparison) -> Card:
    """A question that was measured, and whose lanes did not do the work."""
    detail = f"{wrong_text(found)} for {found.candidate.scenario}: no time is an answer"
    return Card(question, WRONG_DATA, detail, measured=True)


def _unmeasured(question: str) -> Card:
    return Card(question, _NOT_MEASURED, "", measured=False)


def _no_answer(card: Card, cause: str) -> Card:
    if not card.measured:
        return card
    return replace(card, verdict="no answer", detail=cause, others=())
