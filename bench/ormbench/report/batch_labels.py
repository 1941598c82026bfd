"""The words in the plots of the chart of rows an operation: names of lines, and where they cross.

Inches are those of a plot, from its left and its foot, where nothing else is said.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes

from ormbench.report.batch_looks import Look, looks
from ormbench.report.batch_panels import Line
from ormbench.report.batches import Crossing
from ormbench.report.chart_axis import clipped
from ormbench.report.chart_sheet import SMALL, Sheet
from ormbench.report.spread import spread

PITCH = 0.165  # inches between two names, and between two lines of words
LETTER = 0.061  # inches of a letter
_LEAD, _MARK = 0.13, 0.09  # inches from the plot to a name's mark, and from there to the name
_APART = 0.17  # inches between two numbers of crossings


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot: its size in inches, and the ends of its two logarithmic axes."""

    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, rows: float) -> float:
        """How far right of the plot's left *rows* an operation stand."""
        return self.width * _share(rows, self.x)

    def up(self, value: float) -> float:
        """How high above the plot's foot *value* stands."""
        return self.height * _share(value, self.y)


def _share(value: float, ends: tuple[float, float]) -> float:
    low, high = ends
    return math.log(value / low) / math.log(high / low)


@dataclass(frozen=True, slots=True)
class _End:
    """A name at the right of the plot."""

    words: str
    height: float
    look: Look
    reaches: bool  # whether its line goes on to the largest number of rows


def name_ends(
    axes: Axes, shown: Sequence[Line], frame: Frame, most: int, sheet: Sheet, room: float
) -> None:
    """Write the named lines' names right of the plot, in *room* inches, none over another.

    A name has its line's mark before it, and says so where its line ends before *most* rows.
    """
    ends = list(_ends(shown, frame, most, sheet, int((room - _LEAD - _MARK) / LETTER)))
    heights = spread([one.height for one in ends], PITCH, frame.height)
    for end, height in zip(ends, heights, strict=True):
        y, mark = height / frame.height, 1.0 + _LEAD / frame.width
        if end.reaches:
            xs, ys = [frame.across(most) / frame.width, mark], [end.height / frame.height, y]
            lead: Look = {"color": end.look["color"], "lw": 0.7, "clip_on": False, "zorder": 2}
            axes.plot(xs, ys, transform=axes.transAxes, **lead)
        style: Look = {**end.look, "ls": "none", "ms": 4.4, "mew": 0, "clip_on": False}
        axes.plot([mark], [y], transform=axes.transAxes, **style)
        x = mark + _MARK / frame.width
        words: Look = {"size": SMALL, "va": "center", "color": sheet.palette.ink}
        axes.text(x, y, end.words, transform=axes.transAxes, **words)


def _ends(
    shown: Sequence[Line], frame: Frame, most: int, sheet: Sheet, letters: int
) -> Iterator[_End]:
    for line, look in zip(shown, looks(shown, sheet.palette), strict=True):
        if look is None:
            continue
        last = line.last
        until = "" if last.batch == most else f" to {last.batch:,}"
        words = clipped(line.strategy.lane, letters - len(until)) + until
        yield _End(words, frame.up(last.rows_per_second or 1.0), look, not until)


def mark_crossings(
    axes: Axes, named: Sequence[Crossing], shown: Sequence[Line], frame: Frame, sheet: Sheet
) -> None:
    """A number above the plot for each crossing, over a vertical and a ring where it happens."""
    palette = sheet.palette
    places = spread([frame.across(one.at) for one in named], _APART, frame.width)
    for number, (one, place) in enumerate(zip(named, places, strict=True), 1):
        axes.axvline(one.at, color=palette.muted, lw=0.7, ls=(0, (1, 2)), zorder=1)
        passing = next(line for line in shown if line.strategy.lane == one.passes)
        if (height := _height_at(one.at, passing)) is not None:
            ring: Look = {"marker": "o", "ms": 8.0, "mfc": "none", "color": palette.ink, "mew": 0.9}
            axes.plot([one.at], [height], ls="none", zorder=6, **ring)
        style: Look = {"size": 7.0, "ha": "center", "va": "bottom", "weight": "bold"}
        x, y = place / frame.width, 1.0 + 0.02 / frame.height
        axes.text(x, y, str(number), transform=axes.transAxes, color=palette.ink, **style)


def _height_at(rows: float, line: Line) -> float | None:
    """Where *line* stands at so many *rows*: on its straight piece there, None if it has none."""
    for stretch in line.stretches:
        for here, there in pairwise(stretch):
            low, high = here.rows_per_second, there.rows_per_second
            if low and high and here.batch <= rows <= there.batch:
                share = _share(rows, (here.batch, there.batch))
                return float(low * (high / low) ** share)
    return None


def crossing_words(one: Crossing) -> str:
    """As "core passes add_all at ~3 rows": no more digits than an interpolation has."""
    rounded = float(f"{one.at:.2g}") if one.at >= 10 else float(f"{one.at:.1g}")  # noqa: PLR2004 - below, one digit
    return f"{one.passes} passes {one.passed} at ~{rounded:,.10g} row{'' if rounded == 1 else 's'}"
