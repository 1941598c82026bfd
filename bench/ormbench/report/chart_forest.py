"""The forest: which differences are real? One ratio a row, with its interval, on a log axis.

Position carries the ratio, shape the verdict; colour only repeats it. The grey band is what
two identical lanes differ by in this run.
"""

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from ormbench.report.batch_panels import cells_of, moved_text
from ormbench.report.chart_axis import beside, clipped, ratio_axis, whisker
from ormbench.report.chart_sheet import SMALL, Palette, Sheet, Sketch
from ormbench.report.comparison_words import short_ratio
from ormbench.report.findings import Comparison, Estimate, Findings, Verdict
from ormbench.report.forest_names import heading_of, label_of
from ormbench.report.names import product_name
from ormbench.report.quantities import has_interval
from ormbench.report.wrong_data import briefly, sound
from ormbench.stats.verdict import WRONG_DATA

LIMIT = 48  # rows; the table below the chart has them all
_PITCH, _HEAD, _FOOT = 0.235, 0.36, 0.5
_STACKED = 0.4  # inches a row that has its name above its mark
_LETTER, _SHORT = 0.066, 20  # inches of a letter; letters of a name that fits beside its mark
_LEFT, _RIGHT = (2.55, 3.4), (1.5, 2.1)  # inches beside the axes of a wide sheet, least and most
_ORDER: tuple[Verdict, ...] = ("slower", "faster", "same", "cannot tell", WRONG_DATA)
_MARKED = _ORDER[:-1]  # what stands on the axis; wrong data has no place there

Row = Comparison | str  # a comparison, or the heading of the rows below it


def sketch(findings: Findings) -> Sketch | None:
    """Prepare the forest; None where nothing was compared."""
    compared = [one for one in findings.comparisons if one.kind != "aa"]
    compared = compared or list(findings.comparisons)
    if not compared:
        return None
    compared, moved = _without_grids(compared, findings)
    if not compared:
        return None
    shown = _limited(compared, findings.focus)
    rows = tuple(_rows(shown))
    tally = ((verdict, sum(one.verdict == verdict for one in compared)) for verdict in _ORDER)
    title = "Against the reference: " + ", ".join(f"{n} {verdict}" for verdict, n in tally if n)
    blocks = min((one.ratio.blocks for one in _timed(compared)), default=findings.blocks)
    note = (
        "Ratio of times, candidate / reference, on a log axis; line: 99 % interval over "
        f"{blocks} blocks. Grey: what two identical lanes differ by here "
        f"(A/A{_of_which(findings)})."
    )
    if len(sound(compared)) < len(compared):
        note += " Wrong data: lost updates or a broken invariant, and so no ratio."
    if len(shown) < len(compared):
        note += f" {len(shown)} of {len(compared)} rows drawn; the table below has all."
    note += moved
    band = findings.trust.aa.ratio if findings.trust.aa else None
    return Sketch("forest", title, note, partial(_height, rows), partial(_paint, rows, band))


def _height(rows: tuple[Row, ...], narrow: bool) -> float:  # noqa: FBT001 - called through Sketch.height
    return _HEAD + len(rows) * _pitch(rows, narrow=narrow) + _FOOT


def _pitch(rows: tuple[Row, ...], *, narrow: bool) -> float:
    return _STACKED if narrow and _is_long_beside(rows) else _PITCH


def _is_long_beside(rows: tuple[Row, ...]) -> bool:
    """Whether a narrow sheet has too little room for names beside their marks."""
    return any(len(label_of(one)) > _SHORT for one in rows if isinstance(one, Comparison))


def _without_grids(compared: list[Comparison], findings: Findings) -> tuple[list[Comparison], str]:
    """*compared*, where there are too many of them without those of grids; and a sentence on it."""
    inside = cells_of(findings) if len(compared) > LIMIT else frozenset()
    rest = [one for one in compared if one.candidate not in inside]
    return rest, moved_text(one.candidate for one in compared if one.candidate in inside)


def _of_which(findings: Findings) -> str:
    """On which server the A/A pair ran, where there are several."""
    pair = findings.trust.aa
    several = pair is not None and len(findings.servers) > 1
    return f", {product_name(pair.candidate.target)}" if pair and several else ""


def _limited(compared: list[Comparison], focus: str) -> list[Comparison]:
    """All of the focus scenario first, then the largest differences, in the order they had."""

    def rank(one: Comparison) -> tuple[bool, float]:
        if one.verdict == WRONG_DATA:  # never left out for a difference that is one
            return one.candidate.scenario != focus, -math.inf
        return one.candidate.scenario != focus, -abs(math.log(max(one.ratio.value, 1e-9)))

    kept = {id(one) for one in sorted(compared, key=rank)[:LIMIT]}
    return [one for one in compared if id(one) in kept]


def _rows(compared: Iterable[Comparison]) -> Iterator[Row]:
    groups: dict[str, list[Comparison]] = {}
    for one in compared:
        groups.setdefault(heading_of(one), []).append(one)
    for heading, group in groups.items():
        yield heading
        yield from group


def _paint(rows: tuple[Row, ...], band: Estimate | None, sheet: Sheet) -> None:
    left, right = _sides(rows, narrow=sheet.narrow)
    width = sheet.width - left - right
    axes = sheet.axes(left, _HEAD, width, sheet.height - _HEAD - _FOOT)
    compared = _timed(one for one in rows if isinstance(one, Comparison))
    low, high = _span([one.ratio for one in compared] + ([band] if band else []))
    words = "ratio of times (log): lower is better"
    ratio_axis(axes, low, high, words, sheet)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks([])
    axes.axvline(1.0, color=sheet.palette.muted, lw=0.6, zorder=2)
    if band and has_interval(band):
        axes.axvspan(band.low, band.high, color=sheet.palette.band, zorder=0, lw=0)
    _legend(sheet, banded=band is not None and has_interval(band))
    for y, row in enumerate(rows):
        if isinstance(row, str):
            _name(axes, y, clipped(row, 46 if sheet.narrow else 64), sheet, weight="bold")
        else:
            _paint_row(axes, y, row, sheet, stacked=sheet.narrow and _is_long_beside(rows))


def _sides(rows: tuple[Row, ...], *, narrow: bool) -> tuple[float, float]:
    """Inches left and right of the axes: for names, and for ratios in words."""
    if narrow:
        return (0.2 if _is_long_beside(rows) else 1.5), 0.1
    compared = [one for one in rows if isinstance(one, Comparison)]
    left = 0.3 + _LETTER * max(len(label_of(one)) for one in compared)
    right = 0.15 + 0.06 * max(len(short_ratio(one)) for one in compared)
    return min(max(left, _LEFT[0]), _LEFT[1]), min(max(right, _RIGHT[0]), _RIGHT[1])


def _span(ratios: list[Estimate]) -> tuple[float, float]:
    lows = [one.low if has_interval(one) and one.low > 0 else one.value for one in ratios]
    highs = [one.high if has_interval(one) else one.value for one in ratios]
    return max(min(lows, default=1.0), 1e-3), min(max(highs, default=1.0), 1e3)


def _paint_row(axes: Axes, row: int, one: Comparison, sheet: Sheet, *, stacked: bool) -> None:
    room = (50 if stacked else _SHORT) if sheet.narrow else 46
    _name(axes, row - 0.2 if stacked else row, clipped(label_of(one), room), sheet)
    y = row + 0.2 if stacked else float(row)
    if one.verdict == WRONG_DATA:
        _write_wrong(axes, y, one, sheet)
        return
    look = mark(one.verdict, sheet.palette)
    if one.ratio.blocks:
        whisker(axes, one.ratio, 1.0, y, colour=look["color"])
        axes.plot([one.ratio.value], [y], zorder=5, **look)
    if not sheet.narrow:
        text = short_ratio(one)
        beside(axes, text, (1.0, y), 8, edge=True, size=SMALL, color=sheet.palette.ink)


def _timed(compared: Iterable[Comparison]) -> list[Comparison]:
    """Those that have a ratio: neither wrong data nor operations that failed."""
    return [one for one in sound(compared) if one.ratio.blocks]


def _write_wrong(axes: Axes, y: float, one: Comparison, sheet: Sheet) -> None:
    """Whose data are wrong, in words on a ground that hides the axis: there is no ratio."""
    told = [
        f"{'' if wrong.cell == one.candidate else 'reference '}{briefly(wrong)}"
        for wrong in one.wrong
    ]
    room = (1 - axes.get_position().x0) * sheet.width / _LETTER
    words = clipped(f"{WRONG_DATA}: {'; '.join(told)}", int(room))
    style = {"size": SMALL, "color": sheet.palette.slower, "zorder": 6}
    ground = {"facecolor": sheet.palette.surface, "edgecolor": "none", "pad": 1.2}
    beside(axes, words, (0.0, y), 3, edge=True, bbox=ground, **style)


def mark(verdict: Verdict, palette: Palette) -> dict[str, Any]:
    """How a verdict looks: up slower, down faster, full same, hollow cannot tell."""
    shape, colour = {
        "slower": ("^", palette.slower),
        "faster": ("v", palette.faster),
        "same": ("o", palette.ink),
        "cannot tell": ("o", palette.muted),
    }[verdict]  # none for wrong data
    inside = palette.surface if verdict == "cannot tell" else colour
    return {"marker": shape, "ms": 5.5, "color": colour, "mfc": inside, "mew": 1.2, "ls": "none"}


def _name(axes: Axes, y: float, words: str, sheet: Sheet, **style: Any) -> None:
    """A row's name, from the left edge of the sheet; rows stand in from their heading.

    Where it reaches over the axis of a wide sheet, its ground hides the lines behind it.
    """
    indent = 6.0 if style else 14.0  # points
    whole = axes.get_position().x0 * sheet.width * 72
    style |= {"size": SMALL, "color": sheet.palette.ink, "zorder": 3}
    if not sheet.narrow:
        style["bbox"] = {"facecolor": sheet.palette.surface, "edgecolor": "none", "pad": 0.8}
    beside(axes, words, (0.0, y), indent - whole, edge=True, **style)


def _legend(sheet: Sheet, *, banded: bool) -> None:
    axes = sheet.axes(0.0, 0.0, sheet.width, 0.3)
    axes.axis("off")
    axes.set_xlim(0, sheet.width)
    axes.set_ylim(-1, 1)
    x = 0.16
    for verdict in _MARKED:
        axes.plot([x], [0], clip_on=False, **mark(verdict, sheet.palette))
        axes.text(x + 0.1, 0, verdict, size=SMALL, va="center", color=sheet.palette.muted)
        x += 0.26 + 0.072 * len(verdict)
    if banded:
        words = "A/A" if sheet.narrow else "what two identical lanes differ by here"
        axes.barh(0, 0.16, left=x - 0.05, height=0.9, color=sheet.palette.band)
        axes.text(x + 0.17, 0, words, size=SMALL, va="center", color=sheet.palette.muted)
