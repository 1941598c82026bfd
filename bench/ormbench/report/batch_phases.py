"""From how many rows on which strategy: a grid in a sentence of a clause or more, by rule.

"With 1 row nothing beats core; from 10 rows copy_binary, 2.1x the rows per second of core": of
few rows first. Neighbouring numbers of rows share a clause where the same strategies are the
fastest, as far as the intervals can tell.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from ormbench.report.batches import Grid, Tier
from ormbench.report.quantities import interval_of, ratio_text, without_interval
from ormbench.stats.verdict import EQUIVALENCE

GAIN = "the rows per second of"  # the reference, whose name follows
DRIVER_ALONE = "(driver alone)"  # what the lane raw is
_RAW = re.compile(r"\braw\b")
_MOST = 3  # strategies that a clause names


@dataclass(frozen=True, slots=True)
class Phase:
    """Neighbouring numbers of rows with the same fastest strategies."""

    batches: tuple[int, ...]
    lanes: tuple[str, ...]  # the fastest at the most of them first
    absent: tuple[str, ...] = ()  # lanes of the phase before that have no number with its fewest


def rows_text(batch: int) -> str:
    """As "1 row", "1,000 rows"."""
    return f"{batch:,} row{'' if batch == 1 else 's'}"


def phases(grid: Grid) -> tuple[Phase, ...]:
    """From few rows to many: as long as some strategies stay the choice, one phase."""
    found: list[Phase] = []
    for tier in grid.tiers:
        lanes = _choice(grid, tier)
        before = found[-1] if found else Phase((), lanes)
        both = [lane for lane in lanes if lane in before.lanes]
        if not both:
            absent = tuple(one for one in before.lanes if not _is_measured(grid, one, tier.batch))
            found.append(Phase((tier.batch,), _first(tier.fastest, lanes), absent))
        else:
            batches = (*before.batches, tier.batch)
            found[-1:] = [Phase(batches, _first(tier.fastest, both), before.absent)]
    return tuple(found)


def _choice(grid: Grid, tier: Tier) -> tuple[str, ...]:
    """Of the fastest those decidedly ahead of the reference, all of them where none is."""
    points = [grid.point(lane, tier.batch) for lane in tier.equals]
    ahead = tuple(one.cell.lane for one in points if one and one.verdict == "faster")
    return ahead or tier.equals


def _is_measured(grid: Grid, lane: str, batch: int) -> bool:
    point = grid.point(lane, batch)
    return point is not None and point.found is not None


def _first(lane: str, lanes: Sequence[str]) -> tuple[str, ...]:
    return (*([lane] if lane in lanes else []), *(one for one in lanes if one != lane))


def explained(text: str) -> str:
    """*text*, whose first "raw" says that it is the driver without SQLAlchemy."""
    return _RAW.sub(rf"\g<0> {DRIVER_ALONE}", text, count=1)


def says(grid: Grid) -> str:
    """From how many rows on which strategy, in one line with its intervals."""
    return "; ".join(clauses(grid))


def clauses(grid: Grid, *, bounds: bool = True, ties: bool = True) -> tuple[str, ...]:
    """The same, a clause a phase; with intervals if *bounds*.

    If *ties*, the first says up to how many rows another strategy was not told from its own.
    """
    if all(one.verdict == "cannot tell" for one in grid.points if one.cell.lane != grid.reference):
        return ("this run cannot tell the strategies apart",)
    first, *others = phases(grid)
    told = _clause(grid, first, bounds=bounds) + (_tie(grid, first) if ties else "")
    return (told, *(_clause(grid, one, bounds=bounds) for one in others))


def _clause(grid: Grid, phase: Phase, *, bounds: bool) -> str:
    """As "from 10 rows copy_binary, 2.1x the rows per second of core [1.9, 2.4] at 1,000"."""
    if grid.reference in phase.lanes:
        beats = "nothing beats" if _unbeaten(grid, phase) else "nothing decidedly beats"
        return f"{_span(grid, phase)} {beats} {grid.reference}"
    return f"{_span(grid, phase)} {_listed(phase.lanes)}{_gain(grid, phase, bounds=bounds)}"


def _span(grid: Grid, phase: Phase) -> str:
    """As "with 1 row", "up to 10 rows" of the first phase; "from 100 rows" of any other."""
    first, last = phase.batches[0], phase.batches[-1]
    if first != grid.tiers[0].batch:
        absent = f" ({_listed(phase.absent)} not measured)" if phase.absent else ""
        return f"from {rows_text(first)}{absent}"
    if last == grid.batches[-1]:
        return f"with {first:,} to {rows_text(last)}"
    return f"with {rows_text(first)}" if first == last else f"up to {rows_text(last)}"


def _gain(grid: Grid, phase: Phase, *, bounds: bool) -> str:
    """As ", 2.1x the rows per second of core [1.9, 2.4] at 1,000"; "" where none is decided.

    With the most rows of *phase* with which its first lane is decidedly ahead of the reference.
    """
    lane = phase.lanes[0]
    points = (grid.point(lane, batch) for batch in phase.batches)
    ahead = [(o.batch, o.ratio) for o in points if o and o.ratio and o.ratio.high < 1]
    if not ahead:
        return ""
    batch, ratio = ahead[-1]
    gain = replace(ratio, value=1 / ratio.value, low=1 / ratio.high, high=1 / ratio.low)
    text = ratio_text(gain, "faster")
    whose = f"{lane} " if len(phase.lanes) > 1 else ""
    times = f"{without_interval(text)} the rows per second of {grid.reference}"
    interval = interval_of(text) if bounds else ""
    at = f" at {batch:,}" if len(phase.batches) > 1 else ""
    return f", {whose}{times}{interval}{at}"


def best_with_most(grid: Grid) -> str:
    """As "copy or copy_binary", "core": what to choose with the most rows."""
    lanes = phases(grid)[-1].lanes
    if grid.reference in lanes:
        return grid.reference
    level = grid.reference in _choice(grid, grid.tiers[-1])
    return _listed((*lanes, grid.reference) if level else lanes)


def _tie(grid: Grid, phase: Phase) -> str:
    """As ", raw not told from it up to 10 rows" of a phase of one lane; "" where none is."""
    if len(phase.lanes) != 1 or grid.reference in phase.lanes:
        return ""
    choices = {one.batch: _choice(grid, one) for one in grid.tiers if one.batch in phase.batches}
    fewest = grid.tiers[0]
    lanes = [one for one in choices[fewest.batch] if one not in phase.lanes]
    if not lanes:
        return ""
    lane = _first(grid.reference, _first(fewest.fastest, lanes))[0]
    alike = list(takewhile(lambda batch: lane in choices[batch], phase.batches))
    span = f"with {rows_text(alike[0])}" if len(alike) == 1 else f"up to {rows_text(alike[-1])}"
    return f", {lane} not told from it {span}"


def _unbeaten(grid: Grid, phase: Phase) -> bool:
    """Whether the intervals leave no strategy that could be 5 % faster than the reference."""
    others = [one for one in grid.points if one.batch in phase.batches and one.found]
    return all(one.ratio and one.ratio.low >= 1 / (1 + EQUIVALENCE) for one in others)


def _listed(lanes: Sequence[str]) -> str:
    """As "copy", "copy or copy_binary", "copy, copy_binary or 4 others"."""
    names = list(lanes)
    if len(names) > _MOST:
        names = [*names[: _MOST - 1], f"{len(names) - _MOST + 1} others"]
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
