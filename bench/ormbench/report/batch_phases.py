"""From how many rows on which strategy: a grid in a sentence of a clause or more, by rule.

"With 1 row nothing beats core; from 10 rows copy_binary, 2.1x the rows per second of core": of
few rows first. Neighbouring numbers of rows share a clause where the same strategies are the
fastest, as far as the intervals can tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ormbench.report.batches import Grid, Point
from ormbench.report.findings import Estimate
from ormbench.report.quantities import interval_of, ratio_text, without_interval
from ormbench.stats.verdict import EQUIVALENCE, verdict

_MOST = 3  # strategies that a clause names


@dataclass(frozen=True, slots=True)
class Phase:
    """Neighbouring numbers of rows with the same fastest strategies."""

    batches: tuple[int, ...]
    lanes: tuple[str, ...]  # the fastest at the most of them first


def rows_text(batch: int) -> str:
    """As "1 row", "1,000 rows"."""
    return f"{batch:,} row{'' if batch == 1 else 's'}"


def phases(grid: Grid) -> tuple[Phase, ...]:
    """From few rows to many: as long as some strategies stay among the fastest, one phase."""
    found: list[Phase] = []
    for tier in grid.tiers:
        before = found[-1] if found else Phase((), tier.equals)
        both = [lane for lane in tier.equals if lane in before.lanes]
        if not both:
            found.append(Phase((tier.batch,), _first(tier.fastest, tier.equals)))
        else:
            found[-1:] = [Phase((*before.batches, tier.batch), _first(tier.fastest, both))]
    return tuple(found)


def _first(lane: str, lanes: Sequence[str]) -> tuple[str, ...]:
    return (*([lane] if lane in lanes else []), *(one for one in lanes if one != lane))


def says(grid: Grid) -> str:
    """From how many rows on which strategy, in one line with its intervals."""
    return "; ".join(clauses(grid))


def clauses(grid: Grid, *, bounds: bool = True) -> tuple[str, ...]:
    """The same, a clause a phase; with intervals if *bounds*."""
    known = phases(grid)
    others = [one for one in grid.points if one.cell.lane != grid.reference]
    if not any(map(_decided, others)):
        return ("this run cannot tell the strategies apart",)
    return tuple(_clause(grid, one, is_first=one is known[0], bounds=bounds) for one in known)


def _decided(point: Point) -> bool:
    return bool(point.ratio and verdict(point.ratio.low, point.ratio.high) != "cannot tell")


def _clause(grid: Grid, phase: Phase, *, is_first: bool, bounds: bool) -> str:
    """As "from 10 rows copy_binary, 2.1x the rows per second of core [1.9, 2.4] at 1,000"."""
    first, last = phase.batches[0], phase.batches[-1]
    whole = is_first and last == grid.batches[-1]
    span = f"with {rows_text(first)}" if is_first and first == last else f"from {rows_text(first)}"
    if is_first and last != first:
        span = f"up to {rows_text(last)}"
    if whole:
        span = f"with {first:,} to {rows_text(last)}"
    if grid.reference in phase.lanes:
        beats = "nothing beats" if _unbeaten(grid, phase) else "nothing decidedly beats"
        return f"{span} {beats} {grid.reference}"
    text = f"{span} {_listed(phase.lanes)}"
    ratios = {batch: _ratio(grid, phase.lanes[0], batch) for batch in phase.batches}
    faster = [(batch, one) for batch, one in ratios.items() if one and one.high < 1]
    if not faster:
        return text
    told, ratio = faster[-1]  # the most rows with which that is decided
    gain = replace(ratio, value=1 / ratio.value, low=1 / ratio.high, high=1 / ratio.low)
    said = ratio_text(gain, "faster")
    whose = f"{phase.lanes[0]} " if len(phase.lanes) > 1 else ""
    interval = interval_of(said) if bounds else ""
    times = f"{whose}{without_interval(said)} the rows per second of {grid.reference}{interval}"
    return f"{text}, {times}{'' if first == last else f' at {told:,}'}"


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


def point_of(grid: Grid, lane: str, batch: int) -> Point | None:
    """A lane with so many rows; None where nobody asked for that."""
    return next((o for o in grid.points if (o.cell.lane, o.batch) == (lane, batch)), None)


def _ratio(grid: Grid, lane: str, batch: int) -> Estimate | None:
    point = point_of(grid, lane, batch)
    return point.ratio if point else None
