"""What the charts share: axes from zero, logarithmic axes of ratios, whiskers, clipped names."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from ormbench.report.chart_sheet import SMALL, Sheet
from ormbench.report.findings import Estimate
from ormbench.report.quantities import has_interval

_GAP = 4.0  # points from a name to its axis
_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
_RATIOS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.5, 2, 3, 5)
_MORE_RATIOS = (10, 20, 50, 100, 200, 500, 1000)
_FINE_RATIOS = (0.94, 0.96, 0.98, 1.02, 1.04, 1.06)


def clipped(name: str, room: int) -> str:
    """*name* on one line, in at most *room* characters."""
    name = " ".join(name.split())
    return name if len(name) <= room else name[: room - 1] + "…"


def unit_of(most: float) -> tuple[float, str]:
    """The unit for times up to *most* nanoseconds, as (nanoseconds, name)."""
    return next((one for one in _UNITS if most >= one[0]), _UNITS[-1])


def from_zero(axes: Axes, most: float, words: str, sheet: Sheet) -> float:
    """Make x an axis of time from 0 to *most* nanoseconds; return nanoseconds per unit of x."""
    scale, unit = unit_of(most)
    plain_from_zero(axes, most / scale, f"{unit} {words}", sheet)
    return scale


def plain_from_zero(axes: Axes, most: float, words: str, sheet: Sheet) -> None:
    """Make x a linear axis from 0 to *most*, with about four round ticks and a label in words."""
    axes.set_xlim(0, most * 1.02 or 1.0)
    step = round_step(most / (3.5 if sheet.narrow else 6.5))
    ticks = [step * number for number in range(int(most * 1.02 / step) + 1)]
    axes.set_xticks(ticks, [f"{tick:,.10g}" for tick in ticks])
    axes.grid(axis="x", color=sheet.palette.rule, lw=0.6)
    axes.set_xlabel(words, size=SMALL, color=sheet.palette.muted, loc="left")


def round_step(least: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that is not below *least*."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(one * power for one in (1.0, 2.0, 5.0, 10.0) if one * power >= least * 0.999)


def ratio_axis(axes: Axes, low: float, high: float, words: str, sheet: Sheet) -> None:
    """Make x a logarithmic axis of ratios, with as many ticks as have room."""
    low, high = _with_margin(low, high)
    ticks = _ratio_ticks(low, high, 5 if sheet.narrow else 11)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_xticks(ticks, [f"{tick:g}x" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.grid(axis="x", color=sheet.palette.rule, lw=0.6)
    axes.set_xlabel(words, size=SMALL, color=sheet.palette.muted, loc="left")


def upright_ratio_axis(axes: Axes, low: float, high: float, sheet: Sheet) -> tuple[float, float]:
    """Make y a logarithmic axis of ratios; return its lower and upper end."""
    low, high = _with_margin(low, high)
    ticks = _ratio_ticks(low, high, 7)
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.set_yticks(ticks, [f"{tick:g}x" for tick in ticks], size=SMALL, color=sheet.palette.muted)
    axes.set_yticks([], minor=True)
    axes.grid(axis="y", color=sheet.palette.rule, lw=0.6)
    return low, high


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """At most *most* round numbers from *low* to *high*, evenly apart on a logarithmic axis."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [one * 10.0**power for power in powers for one in steps]
        ticks = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(ticks) <= most:
            return ticks
    return ticks[:: -(-len(ticks) // most)]


def _with_margin(low: float, high: float) -> tuple[float, float]:
    return min(low, 0.95) / 1.03, max(high, 1.05) * 1.03


def _ratio_ticks(low: float, high: float, most: int) -> list[float]:
    """1 and about *most* other round ratios from *low* to *high*, evenly apart on the log axis."""
    known = sorted((*_RATIOS, *_MORE_RATIOS, *(_FINE_RATIOS if high / low < 1.3 else ())))  # noqa: PLR2004
    apart = math.log(high / low) / most
    ticks = [1.0]
    for tick in sorted(known, key=lambda one: abs(math.log(one))):
        free = all(abs(math.log(tick / other)) >= apart for other in ticks)
        if low <= tick <= high and free:
            ticks.append(tick)
    return sorted(ticks)


def whisker(
    axes: Axes, estimate: Estimate, scale: float, y: float, *, colour: str, offset: float = 0.0
) -> float:
    """Draw an interval at height *y*; return its right end in units of x.

    *scale* is what one unit of x is worth; *offset* is where the estimate counts from.
    """
    if not has_interval(estimate):
        return offset + estimate.value / scale
    low, high = offset + estimate.low / scale, offset + estimate.high / scale
    axes.plot([low, high], [y, y], color=colour, lw=1.3, zorder=4, solid_capstyle="butt")
    return high


def beside(
    axes: Axes, words: str, at: tuple[float, float], points: float, *, edge: bool, **style: Any
) -> None:
    """Write *words* some *points* right of a place; with *edge* its x is 0 to 1 of the axes."""
    axes.annotate(
        words,
        at,
        (points, 0),
        xycoords=axes.get_yaxis_transform() if edge else "data",
        textcoords="offset points",
        va="center",
        clip_on=False,
        annotation_clip=False,
        **style,
    )


def name_row(axes: Axes, lines: Sequence[str], y: float, pitch: float, sheet: Sheet) -> None:
    """Write *lines* left of the plot, around *y* and *pitch* apart, both in the units of y.

    A text each: a font that a page has and matplotlib has not would not let them end alike.
    """
    style: dict[str, Any] = {"edge": True, "size": SMALL, "color": sheet.palette.ink, "ha": "right"}
    for place, line in enumerate(lines):
        down = pitch * (place - (len(lines) - 1) / 2)
        beside(axes, line, (0.0, y + down), -_GAP, **style)
