"""The names beside the points of the chart of isolation levels: none over another one.

Inches are those of a plot, from its left and its foot.
"""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from ormbench.report.chart_axis import clipped
from ormbench.report.chart_sheet import SMALL, Sheet
from ormbench.report.findings import Estimate
from ormbench.report.isolation_points import Point
from ormbench.report.quantities import has_interval
from ormbench.report.spread import spread
from ormbench.report.wrong_data import PER, briefly

_PITCH = 0.155  # inches between two names on the shaded ground
_SMALLEST, _LARGEST, _MOST = 4.0, 13.0, 1_000.0  # points across, at 0 and at so many aborts
_LETTER = 0.061  # inches of a name's letter
_GAP = 0.07  # inches between a point and its name
_ABOVE = 0.1  # inches between a name and the foot of the shaded ground
_NEAR = 0.03  # inches that need no lead


def across(aborted: float) -> float:
    """How large a point is, in points across: its area grows with *aborted*, up to a limit."""
    least, most = _SMALLEST**2, _LARGEST**2
    return math.sqrt(least + (most - least) * min(aborted / _MOST, 1.0))


def name_wrong(axes: Axes, wrong: Sequence[Point], size: tuple[float, float], sheet: Sheet) -> None:
    """Write names beside points on a plot of *size* inches, and lead each to its own."""
    (width, tall), (_, right), (_, top) = size, axes.get_xlim(), axes.get_ylim()
    heights = [one.level.harm / top * tall for one in wrong]
    ends = [_edges(one, width / right)[1] for one in wrong]
    lifted = [height - _ABOVE for height in heights]
    moved = [one + _ABOVE for one in spread(lifted, _PITCH, tall - _ABOVE - 0.28)]
    for point, edge, height, end in zip(wrong, _clear(ends, heights), moved, ends, strict=True):
        start = edge + _GAP
        room = width - start - 0.03
        words = clipped(_told(point, room), int(room / _LETTER))
        x, y = start / width * right, height / tall * top
        style: dict[str, Any] = {"size": SMALL, "va": "center", "ha": "left", "zorder": 6}
        axes.text(x, y, words, color=sheet.palette.ink, **style)
        if edge != end or abs(y - point.level.harm) / top * tall > _NEAR:
            leads = [x, point.level.goodput.value], [y, point.level.harm]
            axes.plot(*leads, color=sheet.palette.muted, lw=0.6, zorder=3)


def _clear(ends: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Of each point the most of the *ends* of those about as high: there names are over none."""
    return [
        max(end for end, other in zip(ends, heights, strict=True) if abs(other - own) < 2 * _PITCH)
        for own in heights
    ]


def room_for(known: Sequence[Point], width: float) -> float:
    """Inches to keep free at the right of a plot so wide: the longest name, or most of it."""
    longest = max((len(_told(one, math.inf).rstrip()) for one in known), default=0)
    return min(longest * _LETTER + 3 * _GAP, 0.62 * width)


def _told(point: Point, room: float) -> str:
    """A name with what was lost or broken, where there is room for it."""
    wrong = point.level.found.wrong
    told = briefly(wrong).removesuffix(f" per {PER:,}") if wrong else ""
    words = f"{point.name} {told}"
    return words if len(words) * _LETTER <= room else point.name


def _edges(point: Point, inches: float) -> tuple[float, float]:
    """Where a point with its whisker begins and ends, in inches of x."""
    goodput, half = point.level.goodput, across(point.level.aborted) / 144
    middle = goodput.value * inches
    low, high = lower(goodput) * inches, upper(goodput) * inches
    return min(low, middle - half), max(high, middle + half)


def name_right(axes: Axes, point: Point, y: float, width: float, sheet: Sheet) -> None:
    """Write a name right of its point and whisker; left of them where that has more room for it."""
    low, high = _edges(point, width / axes.get_xlim()[1])
    room, long = width - high - _GAP, len(point.name) * _LETTER
    left = long > room and low - _GAP > room
    room = low - _GAP if left else room
    x = (low - _GAP if left else high + _GAP) / width
    style: dict[str, Any] = {"size": SMALL, "va": "center", "ha": "right" if left else "left"}
    words = clipped(point.name, max(8, int(room / _LETTER)))
    where = axes.get_yaxis_transform()
    axes.text(x, y, words, transform=where, color=sheet.palette.ink, **style)


def lower(one: Estimate) -> float:
    """The lower end of a whisker; the value where no interval is known."""
    return max(0.0, one.low) if has_interval(one) else one.value


def upper(one: Estimate) -> float:
    """The upper end."""
    return one.high if has_interval(one) else one.value
