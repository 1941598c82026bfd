"""Distance: does it matter on my network? Ratios against the round-trip time that a relay adds.

One panel a scenario and product, one line a lane, with its interval as a ribbon. Distances stand
evenly, since 0, 0.5, 1 and 5 ms would stick together on any other axis. Where a distance has no
ratio the line has a gap.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes

from ormbench.report.chart_axis import clipped, upright_ratio_axis
from ormbench.report.chart_sheet import SMALL, Palette, Sheet, Sketch
from ormbench.report.digest_distance import Line, Panel, panels
from ormbench.report.distance_note import note
from ormbench.report.distance_table import lane_names, panel_name
from ormbench.report.distance_words import headline
from ormbench.report.findings import Comparison, Findings
from ormbench.report.focus import CONTENDER, Focus
from ormbench.report.quantities import counted_text, has_interval
from ormbench.report.round_trips import trips
from ormbench.report.spread import spread
from ormbench.results.count import Count

LIMIT = 6  # panels; the tables below the chart have them all
PLACES = ((0.0, "same host"), (0.5, "same zone"), (1.0, "other zone"))  # ms; the last one up to 2
_FAR = 2.0  # ms: where "other zone" ends
_LEFT, _RIGHT = 0.62, 1.42  # inches beside a plot: its ticks, and the names at the lines' ends
_TITLE, _WORDS, _PLOT, _FOOT = 0.42, 0.3, 1.75, 0.56  # inches of a panel, from its top
_PITCH = 0.155  # inches between two names
_TINY, _LETTER = 7.0, 0.062  # of the words for orientation: points, and inches a letter
_SPARE = 0.1  # inches between a plot and the names at the lines' ends


@dataclass(frozen=True, slots=True)
class Label:
    """A name at the right end of a line."""

    words: str
    height: float  # where its line ends, inches above the foot of the plot
    colour: str
    reaches: bool  # whether its line goes on to the right edge of the plot


def sketch(findings: Findings) -> Sketch | None:
    """Prepare the chart; None where no two lanes were compared at two distances."""
    found = panels(findings.comparisons, findings.cells)
    if not found:
        return None
    shown = found[:LIMIT]
    focus = Focus(findings.focus, findings.focus_target, len(findings.servers) <= 1)
    title = headline(findings.comparisons, findings.cells, focus)
    return Sketch(
        "distance",
        title,
        note(findings, found, len(shown)),
        partial(_height, shown),
        partial(_paint, shown),
    )


def _columns(shown: Sequence[Panel], *, narrow: bool) -> int:
    return 1 if narrow or len(shown) == 1 else 2


def _height(shown: Sequence[Panel], narrow: bool) -> float:  # noqa: FBT001 - called through Sketch.height
    rows = math.ceil(len(shown) / _columns(shown, narrow=narrow))
    return rows * (_TITLE + _WORDS + _PLOT + _FOOT)


def _paint(shown: Sequence[Panel], sheet: Sheet) -> None:
    columns = _columns(shown, narrow=sheet.narrow)
    each = _TITLE + _WORDS + _PLOT + _FOOT
    for place, panel in enumerate(shown):
        row, column = divmod(place, columns)
        _paint_panel(panel, sheet, column * sheet.width / columns, row * each, columns)


def _paint_panel(panel: Panel, sheet: Sheet, left: float, top: float, columns: int) -> None:
    names, muted = lane_names(panel), sheet.palette.muted
    against = names[panel.reference]
    title = clipped(panel_name(panel), 44)
    sheet.text(left + 0.08, top + 0.04, title, weight="bold", size=SMALL)
    words = clipped(f"time vs {against} (log): lower is better", 52)
    sheet.text(left + 0.08, top + 0.22, words, size=SMALL, color=muted)
    width = sheet.width / columns - _LEFT - _RIGHT
    axes = sheet.axes(left + _LEFT, top + _TITLE + _WORDS, width, _PLOT)
    ends = upright_ratio_axis(axes, *_span(panel), sheet)
    _distances(axes, panel, sheet)
    _orientation(axes, panel, width, sheet)
    axes.axhline(1.0, color=muted, lw=1.0, zorder=2)
    labels = [Label(_end_text(against, panel.count), _inches(1.0, ends), muted, reaches=True)]
    for line, look in zip(panel.lines, _looks(panel.lines, sheet.palette), strict=True):
        paint_line(axes, line, look, sheet.palette)
        last = max((one for one in line.points if one.found), key=_rank(panel))
        height = _inches(last.found.ratio.value if last.found else 1.0, ends)
        reaches = last.rtt == panel.rtts[-1]
        words = _end_text(names[line.candidate], line.count)
        labels.append(Label(words, height, look["color"], reaches))
    _name_ends(axes, labels, width, sheet)


def _rank(panel: Panel) -> Any:
    return lambda point: panel.rtts.index(point.rtt)


def _span(panel: Panel) -> tuple[float, float]:
    found = [one.found.ratio for line in panel.lines for one in line.points if one.found]
    lows = [one.low if has_interval(one) and one.low > 0 else one.value for one in found]
    highs = [one.high if has_interval(one) else one.value for one in found]
    return max(min(lows), 1e-3), min(max(highs), 1e4)


def _distances(axes: Axes, panel: Panel, sheet: Sheet) -> None:
    """Make x an axis of the panel's distances, side by side."""
    axes.set_xlim(-0.12, len(panel.rtts) - 1 + 0.06)
    names = ["direct" if rtt is None else f"+{rtt:g}" for rtt in panel.rtts]
    axes.set_xticks(range(len(names)), names)
    words = "round-trip time added, ms"
    axes.set_xlabel(words, size=SMALL, color=sheet.palette.muted, loc="left")


def place_of(rtt: float, rtts: Sequence[float | None]) -> float | None:
    """Where *rtt* stands among *rtts*, one apart each; None beyond them."""
    known = [(place, one) for place, one in enumerate(rtts) if one is not None]
    for (place, low), (_, high) in pairwise(known):
        if low <= rtt <= high:
            return place + (rtt - low) / (high - low)
    return None


def _orientation(axes: Axes, panel: Panel, width: float, sheet: Sheet) -> None:
    """Verticals where usual networks are, with their names above the plot."""
    low, high = axes.get_xlim()
    palette, far = sheet.palette, place_of(min(_FAR, panel.behind_relay[-1]), panel.rtts)
    known = [(x, words) for rtt, words in PLACES if (x := place_of(rtt, panel.rtts)) is not None]
    starts = [(x - low) / (high - low) * width for x, _ in known]  # inches
    for (x, words), place in zip(known, placed_words(starts, width), strict=True):
        axes.axvline(x, color=palette.rule, lw=0.9, ls=(0, (2, 2)), zorder=0)
        if words == PLACES[-1][1] and far is not None and far > x:
            axes.axvspan(x, far, color=palette.band, alpha=0.45, lw=0, zorder=0)
        if place is None:
            continue
        row, left = place
        style: dict[str, Any] = {"size": _TINY, "color": palette.muted, "annotation_clip": False}
        style |= {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points"}
        side = "left" if left else "right"
        axes.annotate(words, (x, 1.0), (0, 3 + 9.5 * row), ha=side, **style)


def placed_words(starts: Sequence[float], width: float) -> list[tuple[int, bool] | None]:
    """Of words at *starts* inches in a plot so wide: in which of two rows, and whether right of it.

    None for a word that has no room: none is written over another, nor over the lines' names.
    """
    long = max(len(words) for _, words in PLACES) * _LETTER
    taken, found = [-math.inf, -math.inf], []
    for x in starts:
        left = x + long <= width + _SPARE
        start = x if left else x - long
        row = next((row for row in (0, 1) if start >= taken[row]), None)
        found.append(None if row is None else (row, left))
        if row is not None:
            taken[row] = start + long
    return found


def _looks(lines: Sequence[Line], palette: Palette) -> Iterator[dict[str, Any]]:
    """A shape and a colour for each line; the ORM's has the accent, if it is there."""
    others = iter(((palette.ink, "s", "-"), (palette.muted, "D", "--"), (palette.step, "P", "-")))
    lanes = [one.candidate.lane for one in lines]
    accented = lanes.index(CONTENDER) if CONTENDER in lanes else 0
    for place, _ in enumerate(lines):
        colour, shape, style = (palette.accent, "o", "-") if place == accented else next(others)
        yield {"color": colour, "marker": shape, "ls": style}


def paint_line(axes: Axes, line: Line, look: dict[str, Any], palette: Palette) -> None:
    """Draw a line with its marks and ribbon, with a gap where a point is missing."""
    places = {one.rtt: place for place, one in enumerate(line.points)}
    colour = look["color"]
    for stretch in line.stretches:
        found = [(places[one.rtt], one.found) for one in stretch if one.found]
        xs, ys = [x for x, _ in found], [one.ratio.value for _, one in found]
        axes.plot(xs, ys, color=colour, ls=look["ls"], lw=1.5, zorder=3, clip_on=False)
        if len(found) > 1 and all(has_interval(one.ratio) for _, one in found):
            lows, highs = [one.ratio.low for _, one in found], [one.ratio.high for _, one in found]
            axes.fill_between(xs, lows, highs, color=colour, alpha=0.18, lw=0, zorder=1)
    for one in line.points:
        if one.found:
            _mark(axes, places[one.rtt], one.found, look, palette)


def _mark(axes: Axes, x: int, found: Comparison, look: dict[str, Any], palette: Palette) -> None:
    colour = look["color"]
    if has_interval(found.ratio):
        bounds = [found.ratio.low, found.ratio.high]
        axes.plot([x, x], bounds, color=colour, lw=1.0, zorder=4, clip_on=False)
    inside = palette.surface if found.verdict == "cannot tell" else colour
    shape = {"marker": look["marker"], "ms": 4.8, "mew": 1.2, "mfc": inside, "color": colour}
    axes.plot([x], [found.ratio.value], ls="none", zorder=5, clip_on=False, **shape)


def _end_text(name: str, count: Count | None) -> str:
    """As "orm, 3 trips"; the name alone where nothing was counted."""
    span = trips(count)
    words = f", {counted_text(span, 'trip')}" if span else ""
    return clipped(name, 21 - len(words)) + words


def _inches(ratio: float, ends: tuple[float, float]) -> float:
    """How high above the foot of the plot *ratio* stands."""
    low, high = ends
    return _PLOT * math.log(ratio / low) / math.log(high / low)


def _name_ends(axes: Axes, labels: Sequence[Label], width: float, sheet: Sheet) -> None:
    """Write the names right of the plot, none over another, each led to by its line."""
    heights = spread([one.height for one in labels], _PITCH, _PLOT)
    for label, height in zip(labels, heights, strict=True):
        y = height / _PLOT
        if label.reaches:
            xs, ys = [1.0 + 0.04 / width, 1.0 + 0.13 / width], [label.height / _PLOT, y]
            lead: dict[str, Any] = {"color": label.colour, "lw": 0.7, "clip_on": False}
            axes.plot(xs, ys, transform=axes.transAxes, **lead)
        x = 1.0 + 0.16 / width
        ink = sheet.palette.ink
        axes.text(x, y, label.words, transform=axes.transAxes, size=SMALL, va="center", color=ink)
