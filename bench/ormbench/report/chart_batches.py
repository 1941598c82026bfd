"""Rows an operation: which strategy gets the most rows a second, from how many rows on.

A panel a server and driver, a line a strategy: rows a second over rows an operation, log-log, and
in a strip below the round trips that it takes. Where a number is missing the line has a gap.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from matplotlib.axes import Axes

from ormbench.report import batch_looks, batch_note, batch_words
from ormbench.report.batch_labels import PITCH, Frame, crossing_words, mark_crossings, name_ends
from ormbench.report.batch_looks import Look, looks
from ormbench.report.batch_panels import (
    LIMIT,
    Line,
    by_scenario,
    lines,
    named_crossings,
)
from ormbench.report.batches import Crossing, Grid, Point
from ormbench.report.chart_axis import clipped, log_ticks
from ormbench.report.chart_sheet import SMALL, Palette, Sheet, Sketch
from ormbench.report.findings import Findings
from ormbench.report.quantities import has_interval

_LEFT, _RIGHT = 0.66, 1.5  # inches beside a plot: its ticks, and the names at the lines' ends
_TITLE, _ABOVE, _PLOT = 0.4, 0.17, 1.95  # inches of a panel, from its top
_HEAD, _STRIP, _FOOT = 0.24, 0.56, 0.46
_TINY, _DIGIT, _COMMA, _SPACE = 7.0, 0.062, 0.031, 0.05  # of the names of x: points, and inches
_COMMITS = "One commit per operation, or as a strategy says."
_AUTOCOMMIT = "Autocommit: each statement commits itself."

Value = Callable[[Point], float | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """A grid with what is drawn of it."""

    grid: Grid
    lines: tuple[Line, ...]
    crossings: tuple[Crossing, ...]


def sketches(findings: Findings) -> Iterator[Sketch]:
    """Prepare a chart for each scenario with a grid, the focus first."""
    for place, (scenario, found) in enumerate(by_scenario(findings).items()):
        panels = [_panel(grid) for grid in found[:LIMIT]]
        name = "batches" if place == 0 else f"batches-{re.sub(r'[^a-z0-9_]+', '-', scenario)}"
        yield Sketch(
            name,
            _title(scenario, found[:LIMIT]),
            _note(findings, found),
            partial(_height, panels),
            partial(_paint, panels),
        )


def _title(scenario: str, drawn: Sequence[Grid]) -> str:
    """What each panel says of the most rows; what is drawn, where nothing was compared."""
    said = batch_words.with_most_rows(drawn)
    return f"{scenario}: {said or 'rows per second by rows an operation'}"


def _note(findings: Findings, found: Sequence[Grid]) -> str:
    """The caption, which says who commits, and when."""
    shapes = {point.cell.transaction for grid in found for point in grid.points}
    commits = _AUTOCOMMIT if shapes == {"autocommit"} else _COMMITS
    return f"{commits} {batch_note.note(findings, found, min(len(found), LIMIT))}"


def _panel(grid: Grid) -> Panel:
    shown = lines(grid)
    return Panel(grid, shown, named_crossings(grid, shown))


def _columns(panels: Sequence[Panel], *, narrow: bool) -> int:
    return 1 if narrow or len(panels) == 1 else 2


def _rows(panels: Sequence[Panel], *, narrow: bool) -> list[tuple[Panel, ...]]:
    """The panels that stand side by side."""
    columns = _columns(panels, narrow=narrow)
    return [tuple(panels[start : start + columns]) for start in range(0, len(panels), columns)]


def _tall(row: Sequence[Panel]) -> float:
    words = max(len(panel.crossings) for panel in row) * PITCH
    return _TITLE + _ABOVE + _PLOT + _HEAD + _STRIP + _FOOT + words + 0.12


def _height(panels: Sequence[Panel], narrow: bool) -> float:  # noqa: FBT001 - called through Sketch.height
    legend = batch_looks.height([panel.lines for panel in panels], narrow=narrow)
    return legend + sum(_tall(row) for row in _rows(panels, narrow=narrow))


def _paint(panels: Sequence[Panel], sheet: Sheet) -> None:
    drawn = [panel.lines for panel in panels]
    batch_looks.paint(drawn, sheet)
    top = batch_looks.height(drawn, narrow=sheet.narrow)
    columns = _columns(panels, narrow=sheet.narrow)
    for row in _rows(panels, narrow=sheet.narrow):
        for column, panel in enumerate(row):
            _paint_panel(panel, sheet, column * sheet.width / columns, top, columns)
        top += _tall(row)


def _paint_panel(panel: Panel, sheet: Sheet, left: float, top: float, columns: int) -> None:
    width = sheet.width / columns - _LEFT - _RIGHT
    style: Look = {"size": SMALL, "color": sheet.palette.muted}
    title = clipped(panel.grid.place, 46)
    sheet.text(left + 0.08, top + 0.04, title, weight="bold", size=SMALL)
    sheet.text(left + 0.08, top + 0.22, "rows per second (log): higher is better", **style)
    top += _TITLE + _ABOVE
    _paint_rates(panel, (left + _LEFT, top, width, _PLOT), sheet)
    top += _PLOT
    words = "round trips an operation (log): lower is better"
    sheet.text(left + 0.08, top + 0.07, words, **style)
    strip = _axes(panel, _trips, (left + _LEFT, top + _HEAD, width, _STRIP), sheet)
    _batches(strip, panel.grid.batches, width, sheet)
    _draw_lines(strip, panel.lines, _trips, sheet)
    top += _HEAD + _STRIP + _FOOT
    for number, one in enumerate(panel.crossings, 1):
        words = clipped(f"{number}: {crossing_words(one)}", 58)
        sheet.text(left + 0.08, top + (number - 1) * PITCH, words, size=SMALL)


def _paint_rates(panel: Panel, place: tuple[float, float, float, float], sheet: Sheet) -> None:
    """Draw the rows per second with their names and crossings."""
    axes = _axes(panel, _rate, place, sheet)
    axes.set_xticks(panel.grid.batches, [])
    frame = Frame(place[2], place[3], axes.get_xlim(), axes.get_ylim())
    _draw_lines(axes, panel.lines, _rate, sheet)
    mark_crossings(axes, panel.crossings, panel.lines, frame, sheet)
    name_ends(axes, panel.lines, frame, panel.grid.batches[-1], sheet, _RIGHT)


def _rate(point: Point) -> float | None:
    return point.rows_per_second


def _trips(point: Point) -> float | None:
    return point.trips or None  # 0 has no place on a logarithmic axis


def _axes(
    panel: Panel, value: Value, place: tuple[float, float, float, float], sheet: Sheet
) -> Axes:
    """Logarithmic axes for every value of a panel, with round ticks on y and none yet on x."""
    axes = sheet.axes(*place)
    low, high = _extent(panel, value)
    margin = 1.25 * max((high / low) ** 0.03, 1.0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    first, last = panel.grid.batches[0], panel.grid.batches[-1]
    edge = (last / first) ** 0.03
    axes.set_xlim(first / edge, last * edge)
    axes.set_ylim(low / margin, high * margin)
    frame = Frame(place[2], place[3], axes.get_xlim(), axes.get_ylim())
    ticks = log_ticks(*frame.y, 5)
    if value is _trips:  # counts are exact, so the least and the most are said as they are
        ticks = _spaced([low, high, *log_ticks(low, high, 3)], frame)
    style: Look = {"size": SMALL, "color": sheet.palette.muted}
    axes.set_yticks(ticks, [f"{float(f'{tick:.4g}'):,.10g}" for tick in ticks], **style)
    axes.set_xticks([], minor=True)
    axes.set_yticks([], minor=True)
    axes.grid(axis="both", color=sheet.palette.rule, lw=0.6)
    return axes


def _extent(panel: Panel, value: Value) -> tuple[float, float]:
    """The least and the most that a panel shows; of rows per second with the named intervals."""
    known = [one for line in panel.lines for point in line.points if (one := value(point))]
    if value is _rate:
        named = [point for line in panel.lines if line.role for point in line.points]
        known += [bound for point in named for bound in _bounds(point)]
    return min(known, default=1.0), max(known, default=1.0)


def _spaced(values: Sequence[float], frame: Frame) -> list[float]:
    """Those of *values* that have room on y; the first of two that are too close."""
    kept: list[float] = []
    for value in values:
        if all(abs(frame.up(value) - frame.up(one)) >= PITCH for one in kept):
            kept.append(value)
    return sorted(kept)


def _batches(axes: Axes, batches: Sequence[int], width: float, sheet: Sheet) -> None:
    """Name the numbers of rows below the strip, as many as have room, the largest of all first."""
    low, high = (math.log(end) for end in axes.get_xlim())
    free, names = math.inf, []
    for batch in reversed(batches):
        name = f"{batch:,}"
        half = (name.count(",") * (_COMMA - _DIGIT) + len(name) * _DIGIT + _SPACE) / 2
        middle = (math.log(batch) - low) / (high - low) * width
        fits = middle + half <= free
        names.append(name if fits else "")
        free = middle - half if fits else free
    axes.set_xticks(batches, names[::-1], size=_TINY)
    words = "rows an operation (log)"
    axes.set_xlabel(words, size=SMALL, color=sheet.palette.muted, loc="left", labelpad=2)


def _draw_lines(axes: Axes, shown: Sequence[Line], value: Value, sheet: Sheet) -> None:
    """Draw the grey lines, and the named ones over them."""
    for line, look in zip(shown, looks(shown, sheet.palette), strict=True):
        for stretch in line.stretches:
            _draw_stretch(axes, stretch, value, look, sheet.palette)


def _draw_stretch(
    axes: Axes, stretch: Sequence[Point], value: Value, look: Look | None, palette: Palette
) -> None:
    """A line over neighbouring numbers of rows, parted where one has no *value*."""
    xs = [point.batch for point in stretch]
    ys = [value(point) or math.nan for point in stretch]
    if look is None:
        single: Look = {"marker": ".", "ms": 3.0} if len(xs) == 1 else {}
        axes.plot(xs, ys, color=palette.step, lw=0.8, zorder=2, **single)
        return
    whole: Look = {"mew": 0, "ms": 4.4, "lw": 1.5, "clip_on": False, "zorder": 4}
    axes.plot(xs, ys, **look, **whole)
    for point in stretch if value is _rate else ():
        _draw_interval(axes, point, look["color"])


def _draw_interval(axes: Axes, point: Point, colour: str) -> None:
    if bounds := _bounds(point):
        axes.plot([point.batch] * 2, bounds, color=colour, lw=1.0, zorder=3)


def _bounds(point: Point) -> tuple[float, ...]:
    """The interval of a point's rows a second: that of its ratio to the reference; () if none."""
    ratio, rate = point.ratio, point.rows_per_second
    if ratio is None or rate is None or not has_interval(ratio) or ratio.low <= 0:
        return ()
    return rate * ratio.value / ratio.high, rate * ratio.value / ratio.low
