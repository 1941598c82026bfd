"""What a run says of isolation levels, by rule: the title of the chart, the answer.

"hot_row, 8 clients: SERIALIZABLE gives 412 correct operations/s; READ COMMITTED loses 640 per
1,000": of the levels that do the work the best, and who does not do it, however fast. Where an
interval decides nothing, the words say so.
"""

from collections.abc import Iterator, Sequence

from ormbench.cell import Cell
from ormbench.policy import POLICY
from ormbench.report.digest_isolation import Level, Panel, Setting, Way, panels, settings
from ormbench.report.findings import CellFinding, Comparison
from ormbench.report.focus import CONTENDER, Focus
from ormbench.report.names import axes_text, driver_name, lane_name, opened, product_name
from ormbench.report.quantities import (
    counted_text,
    interval_of,
    number_text,
    rate_text,
    ratio_text,
    span_text,
    without_interval,
)
from ormbench.report.round_trips import trips
from ormbench.report.wrong_data import PER, briefly, happened
from ormbench.stats.verdict import EQUIVALENCE

RETRIES = f"Made again {POLICY.words}."
LADDER = ("core", "raw", "raw_held", "raw_pool", "orm_columns", CONTENDER)
"""Lanes that differ in what they cost, and not in what they protect from."""
_PLAIN = ("scenario", "lane", "target", "placement", "clients", "isolation")
_MOST = 3  # other lanes, and other scenarios, that are spoken of


def headline(cells: Sequence[CellFinding], focus: Focus) -> str:
    """The answer in one line, the chart's title; "" where the focus was run at one level only."""
    panel = spoken_of(cells, focus)
    return title(panel, alone=focus.alone) if panel else ""


def title(panel: Panel, *, alone: bool = True) -> str:
    """What *panel* says in one line; the product is named where it is not *alone*."""
    main = contender(panel)
    best, wrong = main.best, _worst(main)
    first = f"{_leading(main, best)} {_rate(best)}" if best else "each level gives wrong data"
    return f"{_where(panel, alone=alone)}: {'; '.join(filter(None, [first, wrong]))}"


def answer(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> tuple[str, ...]:
    """The answer where the focus was run at several levels, in sentences; () where it was not."""
    panel = spoken_of(cells, focus)
    if panel is None:
        return ()
    main = contender(panel)
    place = f"{_where(panel, alone=focus.alone)}, {lane_name(main.lane)}"
    first, *further = _says(main)
    sentences = [
        f"{place}: {first}",
        *_no_ratio(comparisons, main),
        *further,
        *_other_ways(panel, main),
        *_set_where(settings(cells, comparisons), focus),
        *_elsewhere(panels(cells), panel, main),
    ]
    return tuple(f"{opened(one)}." for one in sentences)


def spoken_of(cells: Sequence[CellFinding], focus: Focus) -> Panel | None:
    """The panel that the answer is about: of the focus, on its target, with the most clients."""
    here = [one for one in panels(cells) if one.place.scenario == focus.scenario]
    return min(here, key=lambda one: one.place.target != focus.target, default=None)


def contender(panel: Panel) -> Way:
    """The way that the answer is about: the ORM's, else the first with a choice of levels."""
    choices = [one for one in panel.ways if one.is_choice]
    return next((one for one in choices if one.lane == CONTENDER), choices[0])


def level_text(level: Level) -> str:
    """As "SERIALIZABLE", or "SERIALIZABLE on the connection" of one set for each checkout."""
    return f"{level.name} on the connection" if level.on_connection else level.name


def panel_name(panel: Panel) -> str:
    """As "hot_row, asyncpg, 8 clients"."""
    place = panel.place
    return ", ".join([place.scenario, driver_name(place.target), *_conditions(place)])


def aborts_text(level: Level) -> str:
    """As "310 aborted attempts per 1,000 operations"; "no aborted attempt"."""
    if not level.aborted:
        return "no aborted attempt"
    return f"{number_text(level.aborted)} aborted attempts per {PER:,} operations"


def _where(panel: Panel, *, alone: bool) -> str:
    product = "" if alone else f" on {product_name(panel.place.target)}"
    return ", ".join([f"{panel.place.scenario}{product}", *_conditions(panel.place)])


def _conditions(place: Cell) -> list[str]:
    """As ["8 clients", "pool=5+10"]: the axes off their default."""
    clients = f"{place.clients} client{'' if place.clients == 1 else 's'}"
    others = {axis: value for axis, value in place.unusual().items() if axis not in _PLAIN}
    return [clients, *axes_text(others)]


def _leading(main: Way, best: Level) -> str:
    """As "SERIALIZABLE gives", or "SERIALIZABLE, which this run cannot tell from ..., gives"."""
    equal = [level_text(one) for one in main.levels if one.standing == "cannot tell"]
    if not equal:
        return f"{level_text(best)} gives"
    return f"{level_text(best)}, which this run cannot tell from {_listed(equal)}, gives"


def _rate(level: Level, *, bounds: bool = False) -> str:
    text = rate_text(level.goodput).replace(" op/s", " correct operations/s")
    return text if bounds else without_interval(text)


def _says(main: Way) -> Iterator[str]:
    """What each level of a way gives: the best, those that are no choice, those behind."""
    no_choice = [
        f"{level_text(one)} {happened(one.found.wrong)} and is no choice"
        for one in main.levels
        if one.found.wrong is not None
    ]
    if best := main.best:  # the first sentence is kept whole wherever there is little room
        leading = f"{_leading(main, best)} {_rate(best, bounds=True)} with {aborts_text(best)}"
        yield "; ".join([leading, *no_choice[:1]])
        yield f"at {level_text(best)} {_unharmed(best)}"
        no_choice = no_choice[1:]
    yield from no_choice
    for one in main.levels:
        if one.standing == "behind":
            yield f"{level_text(one)} gives {_rate(one, bounds=True)} with {aborts_text(one)}"


def _no_ratio(comparisons: Sequence[Comparison], main: Way) -> Iterator[str]:
    """What to run instead where the way's levels were compared with one whose data are wrong."""
    levels = {one.found.cell: one for one in main.levels}
    sound = [one for one in main.levels if one.found.wrong is None]
    sound.sort(key=lambda one: (one.found.cell.isolation != "serializable", one is not main.best))
    wrong = (levels.get(one.reference) for one in comparisons if one.candidate in levels)
    reference = next((one for one in wrong if one and one.found.wrong), None)
    if reference and sound:
        word = sound[0].found.cell.isolation or "default"
        what = "the reference, so nothing here has a ratio to it"
        yield f"{level_text(reference)} was {what}: run it with --reference {word}"


def _unharmed(level: Level) -> str:
    return f"nothing lost or broken in {level.found.operations:,} operations"


def _other_ways(panel: Panel, main: Way) -> Iterator[str]:
    """What other lanes give at their best, those first that are not the ladder's."""
    others = sorted(
        (one for one in panel.ways if one is not main and one.levels),
        key=lambda one: one.lane in LADDER,
    )
    for one in others[:_MOST]:
        name = lane_name(one.lane)
        if best := one.best:
            yield f"{name} at {level_text(best)} gives {_rate(best, bounds=True)}"
        else:
            yield f"{name} is no choice: {_worst(one)}"


def _set_where(known: Sequence[Setting], focus: Focus) -> Iterator[str]:
    """What it costs to set a level on the connection: of the focus, else of the first."""
    here = [one for one in known if one.connection.cell.target == focus.target] or list(known)
    here.sort(key=lambda one: one.connection.cell.scenario != focus.scenario)
    for one in here[:1]:
        cell = one.connection.cell
        place = ", ".join([cell.scenario, *_conditions(cell), *_round_trips(one)])
        yield f"{one.level} set for each checkout {_against_engine(one)} ({place})"


def _against_engine(one: Setting) -> str:
    text = ratio_text(one.ratio, one.verdict)
    if one.verdict == "same":
        within = f"{EQUIVALENCE * 100:.0f} %"
        return f"takes the same time within {within} as set once on the engine{interval_of(text)}"
    if one.verdict == "cannot tell":
        return f"cannot be told from set once on the engine{interval_of(text)}"
    return f"takes {without_interval(text)} as long as set once on the engine{interval_of(text)}"


def _round_trips(one: Setting) -> Iterator[str]:
    """As "7 round trips against 3"; nothing where they were not counted."""
    mine, theirs = trips(one.connection.count), trips(one.engine.count)
    if mine and theirs:
        against = "each" if mine == theirs else f"against {span_text(theirs)}"
        yield f"{counted_text(mine, 'round trip')} {against}"


def _elsewhere(found: Sequence[Panel], panel: Panel, main: Way) -> Iterator[str]:
    """The same lane on the same target in other scenarios: its best level there."""
    told: dict[str, str] = {}
    for other in found:
        place = other.place
        own = next((one for one in other.ways if one.lane == main.lane and one.is_choice), None)
        if own and place.scenario != panel.place.scenario and place.target == panel.place.target:
            told.setdefault(place.scenario, _in_short(own))
    if told:
        texts = [f"{scenario} {text}" for scenario, text in list(told.items())[:_MOST]]
        yield f"{lane_name(main.lane)} elsewhere: {'; '.join(texts)}"


def _in_short(way: Way) -> str:
    first = f"{_leading(way, way.best)} {_rate(way.best)}" if way.best else ""
    return ", ".join(filter(None, [first, _worst(way)]))


def _worst(way: Way) -> str:
    """As "READ COMMITTED loses 640 per 1,000", of the level that did most; "" if none did."""
    worst = max(way.levels, key=lambda one: one.harm)
    return f"{level_text(worst)} {briefly(worst.found.wrong)}" if worst.found.wrong else ""


def _listed(names: Sequence[str]) -> str:
    """As "one, another and a third"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
