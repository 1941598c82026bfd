"""The headline and the answer, by rule: which comparison is spoken of, and in which words.

No adjectives. The headline speaks of ORM against the reference lane, where that is decided, else
of the largest decided difference between lanes of the focus; the answer of ORM against the
reference lane, of the largest rung, and of the other scenarios.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ormbench.report.findings import AACount, CellFinding, Comparison, Estimate, Ladder, Rung
from ormbench.report.focus import Focus, contender, elsewhere
from ormbench.report.lateness import stood_still
from ormbench.report.names import apart, driver_name, lane_name, opened
from ormbench.report.quantities import (
    difference_text,
    has_interval,
    interval_of,
    ratio_text,
    share_text,
    without_interval,
)
from ormbench.report.round_trips import both_send
from ormbench.report.wrong_data import happened, sound
from ormbench.stats.verdict import EQUIVALENCE, WRONG_DATA

_NS_PER_S = 1_000_000_000


def headline(comparisons: Sequence[Comparison], focus: Focus) -> str:
    """One line about the contender, if it is decided, else the largest decided difference."""
    lanes = focus.lanes(comparisons)
    decided = [one for one in lanes if one.verdict in ("slower", "faster")]
    largest = contender(decided)
    if largest is None:
        return _undecided(lanes, focus)
    ratio = without_interval(ratio_text(largest.ratio, largest.verdict))
    line = f"{_candidate(largest)} takes {ratio} as long as {_reference(largest)}"
    line = f"{opened(line)} for {focus.scenario}{_on(focus)}"
    if not _is_decided(largest.difference):
        return line
    return f"{line}: {without_interval(difference_text(largest.difference))} per operation"


def answer(
    comparisons: Sequence[Comparison],
    ladders: Sequence[Ladder],
    focus: Focus,
    at_rate: float,
    cells: Sequence[CellFinding] = (),
) -> tuple[str, ...]:
    """The answer in a few sentences; *at_rate* operations per second price the CPU.

    Speaks of the focus's product, and of the harm that *cells* did to their event loop.
    """
    lanes = focus.lanes(comparisons)
    main = contender(lanes)
    if main is None:
        return tuple(f"{one}." for one in (headline(comparisons, focus), *_harm(cells)))
    where = "" if focus.alone else f"on {focus.product}, "
    sentences = [where + takes(main) + _costs(main, at_rate)]
    sentences += _no_choice(lanes)
    sentences += _sent(main, cells)
    sentences += _harm(cells)
    sentences += _largest_rung(ladders, focus)
    sentences += _elsewhere(main, comparisons)
    return tuple(f"{opened(one)}." for one in sentences)


def _no_choice(lanes: Sequence[Comparison]) -> Iterator[str]:
    """What lost updates or broke an invariant, however fast it was."""
    names = {
        wrong.cell: (_candidate(one) if wrong.cell == one.candidate else _reference(one), wrong)
        for one in lanes
        for wrong in one.wrong
    }
    for name, wrong in names.values():
        yield f"{name} {happened(wrong)} and is no choice"


def _sent(found: Comparison, cells: Sequence[CellFinding]) -> Iterator[str]:
    """How many round trips the two lanes send, where both were counted."""
    counts = {one.cell: one.count for one in cells}
    mine, theirs = counts.get(found.candidate), counts.get(found.reference)
    text = both_send(mine, theirs, _candidate(found), _reference(found))
    if text:
        yield text


def _harm(cells: Sequence[CellFinding]) -> Iterator[str]:
    """The lane that held the event loop up longest."""
    harmful = [one for one in cells if stood_still(one)]
    if harmful:
        worst = max(harmful, key=lambda one: one.lag or 0)
        ran = f"{worst.cell.lane} of {worst.cell.scenario} ran on {driver_name(worst.cell.target)}"
        yield f"While {ran}, {stood_still(worst)}"


def called_different(identical: AACount) -> str:
    """As "2 of 100 comparisons of identical lanes were called different at 99 %"."""
    were = "was" if identical.different == 1 else "were"
    return (
        f"{identical.different} of {identical.comparisons} comparisons of identical lanes "
        f"{were} called different at 99 %"
    )


def by_chance(identical: AACount) -> str:
    """How many that should be."""
    expected = identical.comparisons / 100
    return f"At that level about {expected:.2g} would be by chance."


def takes(found: Comparison, candidate: str = "", reference: str = "") -> str:
    """As "ORM takes 1.10x as long as Core [1.08, 1.13]", in the words of its verdict."""
    text = ratio_text(found.ratio, found.verdict)
    one, other = candidate or _candidate(found), reference or _reference(found)
    if found.verdict == WRONG_DATA:
        return f"{wrong_text(found)}: the times of {one} and {other} say nothing"
    if found.verdict == "same":
        margin = f"{EQUIVALENCE:.0%}".replace("%", " %")
        return f"{one} takes the same time as {other} within {margin}{interval_of(text)}"
    if found.verdict == "cannot tell":
        return f"this run cannot tell {one} from {other}{interval_of(text)}"
    return f"{one} takes {without_interval(text)} as long as {other}{interval_of(text)}"


def wrong_text(found: Comparison) -> str:
    """As "ORM loses 640 updates per 1,000 operations"; of both, where both data are wrong."""
    names = {found.candidate: _candidate(found), found.reference: _reference(found)}
    return ", ".join(f"{names[one.cell]} {happened(one)}" for one in found.wrong)


def cpu_share(found: Comparison, at_rate: float) -> Estimate:
    """The client CPU that the candidate takes more, as a fraction of one core at *at_rate*/s."""
    cpu, factor = found.cpu_difference, at_rate / _NS_PER_S
    scaled = {name: getattr(cpu, name) * factor for name in ("value", "low", "high")}
    return replace(cpu, **scaled, unit="share of one core")


def _costs(found: Comparison, at_rate: float) -> str:
    if found.verdict == "cannot tell":
        return ""
    costs = []
    if _is_decided(found.difference):
        costs.append(f"{difference_text(found.difference)} per operation")
    share = cpu_share(found, at_rate)
    if _is_decided(share):
        costs.append(f"client CPU {share_text(share)} of a core at {at_rate:,g}/s")
    return f": {', '.join(costs)}" if costs else ""


def _largest_rung(ladders: Sequence[Ladder], focus: Focus) -> Iterator[str]:
    here = (focus.scenario, focus.target)
    own = next((one for one in ladders if (one.scenario, one.target) == here), None)
    steps: list[Rung] = [rung for rung in own.rungs[1:] if rung.decided] if own else []
    if own and len(steps) > 1:
        largest = max(steps, key=lambda rung: rung.adds.value)
        name = largest.label.removeprefix("+ ")
        first = lane_name(own.rungs[0].cell.lane)
        yield (
            f"the largest step up from {first} is {name}: "
            f"{difference_text(largest.adds)} per operation"
        )


def _elsewhere(main: Comparison, comparisons: Sequence[Comparison]) -> Iterator[str]:
    others: dict[str, Comparison] = {}
    for one in elsewhere(main, comparisons):
        others.setdefault(one.candidate.scenario, one)
    texts = [f"{name} {ratio_text(one.ratio, one.verdict)}" for name, one in others.items()]
    if texts:
        yield f"{_candidate(main)} over {_reference(main)} elsewhere: {', '.join(texts)}"


def _undecided(lanes: Sequence[Comparison], focus: Focus) -> str:
    if not lanes:
        return f"{focus.scenario} on {driver_name(focus.target)}: no two lanes were compared"
    if not sound(lanes):
        return f"{opened(wrong_text(lanes[0]))} for {focus.scenario}{_on(focus)}"
    if all(one.verdict == "same" for one in sound(lanes)):
        within = f"take the same time within {EQUIVALENCE * 100:.0f} %"
        return f"All lanes of {focus.scenario} {within}{_on(focus)}"
    return f"This run cannot tell the lanes of {focus.scenario} apart{_on(focus)}"


def _on(focus: Focus) -> str:
    return "" if focus.alone else f" on {focus.product}"


def _is_decided(estimate: Estimate) -> bool:
    return has_interval(estimate) and not estimate.low <= 0.0 <= estimate.high


def _candidate(found: Comparison) -> str:
    return apart(found.candidate, found.reference)


def _reference(found: Comparison) -> str:
    return apart(found.reference, found.candidate)
