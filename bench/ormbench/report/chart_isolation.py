"""Isolation: what do I pay and what am I protected from? Goodput against what was lost or broken.

One panel a scenario and product, one point a lane and level. Levels that did all of the work stand
in the strip at the foot, a row each, so that no two names meet; above it, on shaded ground, stands
what gave wrong data, as high as it lost or broke. The larger a point, the more attempts were
aborted.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from ormbench.report.chart_axis import clipped, round_step
from ormbench.report.chart_sheet import SMALL, Palette, Sheet, Sketch
from ormbench.report.digest_isolation import Panel, panels
from ormbench.report.findings import Estimate, Findings
from ormbench.report.isolation_labels import (
    across,
    lower,
    name_right,
    name_wrong,
    room_for,
    upper,
)
from ormbench.report.isolation_note import note
from ormbench.report.isolation_points import Point, drawn, points
from ormbench.report.isolation_words import panel_name, title

_LEFT, _RIGHT = 0.55, 0.2  # inches beside a plot
_TICK = 0.5  # inches from one number of the axis to the next, at least
_LEGEND, _TITLE, _FOOT = 0.34, 0.28, 0.62  # inches: above all panels, above a plot, below it
_MANY = 1_000  # aborted attempts per 1,000 operations: no point is larger
_ROW, _QUIET, _HIGH = 0.2, 0.32, 1.35  # inches: a row; the shaded ground, without and with points


def sketch(findings: Findings) -> Sketch | None:
    """Prepare the chart; None where nothing that is audited was run at two levels."""
    found = [one for one in panels(findings.cells) if one.audited]
    if not found:
        return None
    shown = drawn(found, findings.focus)
    alone = len(findings.servers) <= 1
    return Sketch(
        "isolation",
        title(shown[0], alone=alone),
        note(found, shown),
        partial(_height, shown),
        partial(_paint, shown),
    )


def _right(panel: Panel) -> list[Point]:
    return [one for one in points(panel) if one.level.found.wrong is None]


def _wrong(panel: Panel) -> list[Point]:
    return [one for one in points(panel) if one.level.found.wrong is not None]


def _ground(panel: Panel) -> float:
    """Inches of the shaded ground."""
    return _HIGH if _wrong(panel) else _QUIET


def _strip(panel: Panel) -> float:
    """Inches of the strip of those that did their work."""
    return max(1, len(_right(panel))) * _ROW + 0.1


def _tall(panel: Panel) -> float:
    return _TITLE + _ground(panel) + _strip(panel) + _FOOT


def _columns(shown: Sequence[Panel], *, narrow: bool) -> int:
    return 1 if narrow or len(shown) == 1 else 2


def _rows(shown: Sequence[Panel], *, narrow: bool) -> list[tuple[float, Sequence[Panel]]]:
    """Panels side by side, with the inches that each row of them takes."""
    columns = _columns(shown, narrow=narrow)
    rows = [shown[start : start + columns] for start in range(0, len(shown), columns)]
    return [(max(_tall(panel) for panel in row), row) for row in rows]


def _height(shown: Sequence[Panel], narrow: bool) -> float:  # noqa: FBT001 - called through Sketch.height
    legend = _LEGEND * (2 if narrow else 1)
    return legend + sum(tall for tall, _ in _rows(shown, narrow=narrow))


def _paint(shown: Sequence[Panel], sheet: Sheet) -> None:
    _legend(sheet)
    top = _LEGEND * (2 if sheet.narrow else 1)
    columns = _columns(shown, narrow=sheet.narrow)
    for tall, row in _rows(shown, narrow=sheet.narrow):
        for column, panel in enumerate(row):
            _paint_panel(panel, sheet, column * sheet.width / columns, top, sheet.width / columns)
        top += tall


def _paint_panel(panel: Panel, sheet: Sheet, left: float, top: float, room: float) -> None:
    palette = sheet.palette
    sheet.text(left + 0.08, top + 0.06, clipped(panel_name(panel), 48), weight="bold", size=SMALL)
    width, ground, strip = room - _LEFT - _RIGHT, _ground(panel), _strip(panel)
    above = sheet.axes(left + _LEFT, top + _TITLE, width, ground)
    below = sheet.axes(left + _LEFT, top + _TITLE + ground, width, strip)
    most = max(upper(one.level.goodput) for one in points(panel))
    free = width / (width - room_for(points(panel), width))
    _goodput_axis(below, most, (most * free, width), sheet)
    above.set_xlim(below.get_xlim())
    above.set_xticks([])
    above.spines["bottom"].set_color(palette.ink)
    _paint_wrong(above, panel, (width, ground), sheet)
    _paint_right(below, panel, width, sheet)


def _goodput_axis(axes: Axes, most: float, size: tuple[float, float], sheet: Sheet) -> None:
    """Make x an axis of goodput, with a few round ticks up to *most*.

    *size* is how far it goes on, for the names, and how many inches that is.
    """
    right, width = size
    step = round_step(max(most / 4.5, _TICK * right / width))
    ticks = [step * number for number in range(int(most / step) + 1)]
    axes.set_xlim(0, right or 1.0)
    axes.set_xticks(ticks, [f"{tick:,.10g}" for tick in ticks])
    axes.grid(axis="x", color=sheet.palette.rule, lw=0.6)
    words, muted = "goodput, op/s: higher is better", sheet.palette.muted
    axes.set_xlabel(words, size=SMALL, color=muted, loc="left")


def _paint_right(axes: Axes, panel: Panel, width: float, sheet: Sheet) -> None:
    """The strip: a row for each level that neither lost nor broke anything."""
    right = _right(panel)
    axes.set_ylim(max(1, len(right)) - 0.4, -0.6)
    axes.set_yticks([(max(1, len(right)) - 1) / 2], ["0"], size=SMALL, color=sheet.palette.muted)
    axes.tick_params(axis="y", pad=10)
    if not right:
        style: dict[str, Any] = {"size": SMALL, "color": sheet.palette.muted, "va": "center"}
        words = "no level did all of its work"
        axes.text(0.02, 0, words, transform=axes.get_yaxis_transform(), **style)
    for y, point in enumerate(right):
        _whisker(axes, point.level.goodput, y, _colour(point, sheet.palette))
        _mark(axes, point, y, sheet.palette)
        name_right(axes, point, y, width, sheet)


def _paint_wrong(axes: Axes, panel: Panel, size: tuple[float, float], sheet: Sheet) -> None:
    """The shaded ground: as high as a level lost or broke, per 1,000 operations."""
    wrong, (_, tall) = _wrong(panel), size
    most = max((one.level.harm for one in wrong), default=0.0)
    axes.set_facecolor(sheet.palette.band)
    axes.patch.set_alpha(0.45)
    axes.set_ylim(0, most * 1.28 or 1.0)
    style: dict[str, Any] = {"size": SMALL, "color": sheet.palette.slower, "va": "top"}
    words = "wrong data: lost or broken, per 1,000" if wrong else "wrong data: none seen"
    axes.text(0.02, 1 - 0.06 / tall, words, transform=axes.transAxes, **style)
    axes.set_yticks([])
    if not wrong:
        return
    step = round_step(most / 3)
    ticks = [step * number for number in range(1, int(most / step) + 1)]
    muted = sheet.palette.muted
    axes.set_yticks(ticks, [f"{tick:,.10g}" for tick in ticks], size=SMALL, color=muted)
    name_wrong(axes, wrong, size, sheet)
    for point in wrong:
        _whisker(axes, point.level.goodput, point.level.harm, sheet.palette.slower)
        _mark(axes, point, point.level.harm, sheet.palette)


def _whisker(axes: Axes, goodput: Estimate, y: float, colour: str) -> None:
    ends = [lower(goodput), upper(goodput)]
    axes.plot(ends, [y, y], color=colour, lw=1.3, zorder=4, clip_on=False)


def _mark(axes: Axes, point: Point, y: float, palette: Palette) -> None:
    colour, wrong = _colour(point, palette), point.level.found.wrong is not None
    look = mark(point.level.aborted, colour, palette, wrong=wrong, chosen=point.chosen)
    axes.plot([point.level.goodput.value], [y], zorder=5, clip_on=False, **look)


def mark(
    aborted: float, colour: str, palette: Palette, *, wrong: bool, chosen: bool
) -> dict[str, Any]:
    """How a level looks: a cross with wrong data, full where it is the best, else hollow."""
    shape = "X" if wrong else "o"
    inside = colour if wrong or chosen else palette.surface
    size = across(aborted) * (1.15 if wrong else 1.0)
    return {"marker": shape, "ms": size, "mew": 1.2, "mfc": inside, "color": colour, "ls": "none"}


def _colour(point: Point, palette: Palette) -> str:
    if point.level.found.wrong is not None:
        return palette.slower
    return palette.accent if point.chosen else palette.ink


def _legend(sheet: Sheet) -> None:
    """What shapes mean, and what sizes do."""
    palette, rows = sheet.palette, 2 if sheet.narrow else 1
    axes = sheet.axes(0.0, 0.0, sheet.width, _LEGEND * rows)
    axes.axis("off")
    axes.set_xlim(0, sheet.width)
    axes.set_ylim(rows - 0.5, -0.5)
    looks = (
        ("best level of a lane", mark(100, palette.accent, palette, wrong=False, chosen=True)),
        ("another level", mark(100, palette.ink, palette, wrong=False, chosen=False)),
        ("wrong data", mark(100, palette.slower, palette, wrong=True, chosen=False)),
    )
    x = 0.16
    for words, look in looks:
        x = _entry(axes, x, 0, words, look, palette)
    x, y = (0.16, 1) if sheet.narrow else (x + 0.14, 0)
    axes.text(x - 0.08, y, "aborted per 1,000:", size=SMALL, va="center", color=palette.muted)
    x += 1.2
    for aborted in (0, 100, _MANY):
        look = mark(aborted, palette.muted, palette, wrong=False, chosen=False)
        more = " or more" if aborted == _MANY else ""
        x = _entry(axes, x, y, f"{aborted:,}{more}", look, palette)


def _entry(
    axes: Axes, x: float, y: float, words: str, look: dict[str, Any], palette: Palette
) -> float:
    """A mark and its words; where the next one may stand."""
    axes.plot([x], [y], clip_on=False, **look)
    axes.text(x + 0.13, y, words, size=SMALL, va="center", color=palette.muted)
    return x + 0.3 + 0.058 * len(words)
