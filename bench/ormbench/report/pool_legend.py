"""The legend of the chart of pools: shades of goodput, the outline, the stair, and the marks."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ormbench.report.chart_sheet import SMALL, Sheet

SHADES = ((0.95, 0.45), (0.80, 0.28), (0.50, 0.14), (0.0, 0.04))  # from a share on: opacity
STAIR: dict[str, Any] = {"lw": 1.6, "ls": (0, (3, 1.5))}
_LINE, _LETTER = 0.2, 0.066  # inches
_ENTRIES = (
    ("0.95", "95 % or more"),
    ("0.8", "80"),
    ("0.5", "50"),
    ("0", "less"),
    ("outline", "smallest within 5 %"),
    ("stair", "clients = size"),
    ("S", "starves"),
    ("W", "wastes"),
    ("C", "churns"),
    ("F", "fails"),
    ("?", "cannot tell"),
)


def shade(share: float) -> float:
    """The opacity of a cell's fill: dark enough for the eye, light enough for its number."""
    return next(opacity for least, opacity in SHADES if share >= least)


def height(*, narrow: bool) -> float:
    """Inches, with a gap below."""
    return _LINE * len(_lines(narrow=narrow)) + 0.1


def _lines(*, narrow: bool) -> list[list[tuple[float, str, str]]]:
    """(x in inches, mark, words) of each entry, line by line."""
    room = 3.5 if narrow else 7.5
    lines: list[list[tuple[float, str, str]]] = [[]]
    x = 0.08
    for mark, words in _ENTRIES:
        needed = _mark_width(mark) + _LETTER * len(words) + 0.14
        if x + needed > room or (mark == "S" and lines[-1]):
            lines.append([])
            x = 0.08
        lines[-1].append((x, mark, words))
        x += needed
    return lines


def _mark_width(mark: str) -> float:
    return 0.17 if len(mark) == 1 and not mark.isdigit() else 0.27


def paint(sheet: Sheet) -> None:
    """Draw the legend at the top of *sheet*."""
    lines = _lines(narrow=sheet.narrow)
    height = _LINE * len(lines)
    axes = sheet.axes(0.0, 0.04, sheet.width, height)
    axes.axis("off")
    axes.set_xlim(0, sheet.width)
    axes.set_ylim(height, 0)
    for place, line in enumerate(lines):
        for x, mark, words in line:
            _entry(axes, (x, _LINE * (place + 0.5)), mark, words, sheet)


def _entry(axes: Axes, at: tuple[float, float], mark: str, words: str, sheet: Sheet) -> None:
    (x, y), palette = at, sheet.palette
    if mark == "outline":
        axes.add_patch(Rectangle((x, y - 0.06), 0.2, 0.12, fc="none", ec=palette.ink, lw=1.6))
    elif mark == "stair":
        axes.plot([x, x + 0.2], [y, y], color=palette.slower, **STAIR)
    elif mark[0].isdigit():
        fill, opacity = palette.accent, shade(float(mark))
        axes.add_patch(Rectangle((x, y - 0.06), 0.2, 0.12, fc=fill, alpha=opacity, lw=0))
        axes.add_patch(Rectangle((x, y - 0.06), 0.2, 0.12, fc="none", ec=palette.rule, lw=0.6))
    else:
        axes.text(x, y, mark, size=SMALL, weight="bold", va="center", color=palette.ink)
    left = x + _mark_width(mark)
    axes.text(left, y, words, size=SMALL, va="center", color=palette.muted)
