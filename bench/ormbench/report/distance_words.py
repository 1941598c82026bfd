"""What a run says of distance, by rule: the title of the chart, the answer, the card.

"At +5 ms ORM takes 1.08x as long as Core, 1.42x at +0 ms": the farthest distance that has a
ratio, then the nearest. Where an interval decides nothing, the words say so.
"""

from collections.abc import Iterator, Sequence

from ormbench.report.digest_distance import Line, Panel, Point, fades_from, panels
from ormbench.report.findings import Card, CellFinding, Comparison
from ormbench.report.focus import CONTENDER, Focus
from ormbench.report.names import apart, bare_driver, driver_name, opened, product_name
from ormbench.report.quantities import interval_of, ratio_text, without_interval
from ormbench.report.round_trips import both_send
from ormbench.stats.verdict import EQUIVALENCE

QUESTION = "DOES IT MATTER ON MY NETWORK?"
NOT_MEASURED = "not measured: ormbench run rtt"
_WITHIN = f"within {EQUIVALENCE * 100:.0f} %"
_ALIKE = f"the same time {_WITHIN}"


def rtt_text(rtt: float | None) -> str:
    """As "+0.5 ms"; "direct" of what went past the relay."""
    return "direct" if rtt is None else f"+{rtt:g} ms"


def place_text(point: Point) -> str:
    """As "at +5 ms"; at +0 all passes through the relay, too, and not straight to the server."""
    return f"at {rtt_text(point.rtt)}"


def headline(comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus) -> str:
    """The answer in one line, which is the chart's title; "" where nobody was compared far away."""
    spoken = _spoken_of(panels(comparisons, cells), focus)
    return opened(verdict_of(spoken[1], _about(spoken[1], focus))) if spoken else ""


def answer(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> tuple[str, ...]:
    """The answer of a run that swept distance, in sentences; () where it did not."""
    found = panels(comparisons, cells)
    spoken = _spoken_of(found, focus)
    if spoken is None:
        return ()
    panel, line = spoken
    sentences = [
        verdict_of(line, _about(line, focus), bounds=True),
        _fades(line),
        _sent(panel, line),
        _elsewhere(found, line),
    ]
    return tuple(f"{opened(one)}." for one in sentences if one)


def card(comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus) -> Card:
    """The card: what a distance leaves of the difference, and from where on nothing."""
    found = panels(comparisons, cells)
    spoken = _spoken_of(found, focus)
    if spoken is None:
        return Card(QUESTION, NOT_MEASURED, "", measured=False)
    panel, line = spoken
    workload = f"for {line.candidate.scenario} on {driver_name(line.candidate.target)}"
    far, near = ends_of(line, bounds=True)
    detail = "; ".join(filter(None, [near, _fades(line), _sent(panel, line), workload]))
    others = tuple(_on_other_products(found, line))
    return Card(QUESTION, opened(far), detail, measured=True, others=others)


def verdict_of(line: Line, about: str = "", *, bounds: bool = False) -> str:
    """What *line* says at its far end and at its near one; with the intervals if *bounds*.

    *about* names the workload, as " for get_by_id".
    """
    far, near = ends_of(line, about, bounds=bounds)
    here, there = _ends(line)
    brief = {here.verdict, there.verdict} <= {"slower", "faster"}
    return f"{far}{', ' if brief else '; '}{near}" if near else far


def ends_of(line: Line, about: str = "", *, bounds: bool = False) -> tuple[str, str]:
    """The words of the far end and of the near one; "" for that where the first speak of both."""
    (near, far), (here, there) = (line.measured[0], line.measured[-1]), _ends(line)
    one, other = _names(line)
    if here.verdict == there.verdict and here.verdict in ("same", "cannot tell"):
        takes = f"{one} takes the same time as {other} {_WITHIN}"
        says = takes if here.verdict == "same" else f"this run cannot tell {one} from {other}"
        places = f"{_placed(near, here, bounds)} and {_placed(far, there, bounds)}"
        return f"{says}{about}, {places}", ""
    opening = {
        "same": f"{one} takes the same time as {other} {_WITHIN}",
        "cannot tell": f"this run cannot tell {one} from {other}",
    }.get(there.verdict, f"{one} takes {_ratio(there)} as long as {other}")
    closing = {
        "same": f"{place_text(near)} they take {_ALIKE}",
        "cannot tell": f"{place_text(near)} this run cannot tell",
    }.get(here.verdict, f"{place_text(near)} {one} takes {_ratio(here)} as long")
    if {here.verdict, there.verdict} <= {"slower", "faster"}:
        closing = f"{_ratio(here)} {place_text(near)}"
    opening += _bounds(there, bounds)
    return f"{place_text(far)} {opening}{about}", closing + _bounds(here, bounds)


def _placed(point: Point, found: Comparison, bounds: bool) -> str:  # noqa: FBT001 - handed through
    return f"{place_text(point)}{_bounds(found, bounds)}"


def _bounds(found: Comparison, wanted: bool) -> str:  # noqa: FBT001 - handed through
    return interval_of(ratio_text(found.ratio, found.verdict)) if wanted else ""


def _ratio(found: Comparison) -> str:
    return without_interval(ratio_text(found.ratio, found.verdict))


def _names(line: Line) -> tuple[str, str]:
    return apart(line.candidate, line.reference), apart(line.reference, line.candidate)


def _about(line: Line, focus: Focus) -> str:
    product = "" if focus.alone else f" on {product_name(line.candidate.target)}"
    return f" for {line.candidate.scenario}{product}"


def _spoken_of(found: Sequence[Panel], focus: Focus) -> tuple[Panel, Line] | None:
    """The line that the answer is about: of the focus if it has one, and there of the ORM."""

    def elsewhere(panel: Panel) -> tuple[bool, bool]:
        cell = panel.reference
        return cell.scenario != focus.scenario, cell.target != focus.target

    panel = min(found, key=elsewhere, default=None)
    return (panel, _contender(panel)) if panel else None


def _contender(panel: Panel) -> Line:
    """The ORM's line; without one that which differs most where it is nearest."""
    orm = next((one for one in panel.lines if one.candidate.lane == CONTENDER), None)
    return orm or max(panel.lines, key=lambda one: abs(_ends(one)[0].difference.value))


def _ends(line: Line) -> tuple[Comparison, Comparison]:
    """The nearest comparison of a line and the farthest."""
    found = [one.found for one in line.measured if one.found is not None]
    return found[0], found[-1]


def _sent(panel: Panel, line: Line) -> str:
    """As "both send 3 round trips"."""
    words = both_send(line.count, panel.count, *_names(line))
    return words.replace("Both", "both", 1) if words.startswith("Both") else words


def _fades(line: Line) -> str:
    """As "from +1 ms on they take the same time within 5 %"; "" where they do nowhere."""
    rtt = fades_from(line)
    return f"from {rtt_text(rtt)} on they take {_ALIKE}" if rtt is not None else ""


def _elsewhere(found: Sequence[Panel], main: Line) -> str:
    """The same two lanes in other scenarios on the same target, at their far ends."""
    texts = [
        f"{line.candidate.scenario} {place_text(line.measured[-1])} "
        + ratio_text(_ends(line)[1].ratio, _ends(line)[1].verdict)
        for panel in found
        for line in panel.lines
        if _lanes(line) == _lanes(main) and line.candidate.scenario != main.candidate.scenario
    ]
    return f"{' over '.join(_names(main))} elsewhere: {', '.join(texts)}" if texts else ""


def _lanes(line: Line) -> tuple[str, str, str]:
    return line.candidate.lane, line.reference.lane, line.candidate.target


def _on_other_products(found: Sequence[Panel], main: Line) -> Iterator[tuple[str, str]]:
    """The first panel's line of each other product."""
    told = {product_name(main.candidate.target)}
    for panel in found:
        product = product_name(panel.reference.target)
        if product not in told:
            told.add(product)
            line = _contender(panel)
            words = verdict_of(line, f" for {line.candidate.scenario}", bounds=True)
            yield product, f"{bare_driver(line.candidate.target)}: {words}"
