"""Pools: how large a pool for how many clients? Goodput as % of the best of the same column.

One map a lane: x clients, y pools, the number printed in each cell, and beside it (below, where it
is narrow) the checkout wait. A stair divides pools with fewer connections than clients from others.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ormbench.report import pool_legend
from ormbench.report.chart_axis import clipped, name_row
from ormbench.report.chart_sheet import SMALL, TEXT, Sheet, Sketch
from ormbench.report.digest_pools import maps
from ormbench.report.findings import Findings
from ormbench.report.focus import Focus
from ormbench.report.pool_legend import STAIR, shade
from ormbench.report.pool_map import Column, Entry, PoolMap
from ormbench.report.pool_note import note
from ormbench.report.pool_rows import APART, heights, label, stairs
from ormbench.report.pool_table import map_name, wait_of
from ormbench.report.pool_words import headline
from ormbench.report.quantities import whole_percent

LIMIT = 4  # maps; the tables below the chart have them all
_TITLE = "Pools: goodput for as many clients"
_NAME, _HEAD, _ROW, _FOOT = 0.26, 0.22, 0.34, 0.46  # inches of a map, from its top
_WIDEST = 0.8  # inches of a column
_TINY = 7.0  # points
_LINE = 0.38  # of a row: from one line of a pool's name to the next
_EDGE = 0.03  # of a cell, left free on each side

Panel = Callable[[Axes, float, float, Entry, Column, Sheet], None]  # paints one cell


def sketch(findings: Findings) -> Sketch | None:
    """Prepare the chart; None where no lane was measured with several pools."""
    found = maps(findings.comparisons, findings.cells, findings.left_out)
    if not found:
        return None
    shown = found[:LIMIT]
    focus = Focus(findings.focus, findings.focus_target, len(findings.servers) <= 1)
    title = headline(findings.comparisons, findings.cells, focus) or _TITLE
    return Sketch(
        "pools",
        title,
        note(findings, found, len(shown)),
        partial(_height, shown),
        partial(_paint, shown),
    )


def _height(shown: Sequence[PoolMap], narrow: bool) -> float:  # noqa: FBT001 - called through Sketch.height
    return pool_legend.height(narrow=narrow) + sum(
        _NAME + _panels(one, narrow=narrow) * _tall(one) for one in shown
    )


def _panels(found: PoolMap, *, narrow: bool) -> int:
    """How many panels of a map stand one below the other."""
    return 2 if narrow and _has_waits(found) else 1


def _tall(found: PoolMap) -> float:
    return _HEAD + _ROW * (len(found.words) + APART) + _FOOT


def _has_waits(found: PoolMap) -> bool:
    return any(wait_of(entry) for entry in found.entries)


def _paint(shown: Sequence[PoolMap], sheet: Sheet) -> None:
    top = pool_legend.height(narrow=sheet.narrow)
    pool_legend.paint(sheet)
    for found in shown:
        sheet.text(0.08, top + 0.04, clipped(map_name(found), 60), weight="bold", size=SMALL)
        _paint_map(found, top + _NAME, sheet)
        top += _NAME + _panels(found, narrow=sheet.narrow) * _tall(found)


def _paint_map(found: PoolMap, top: float, sheet: Sheet) -> None:
    left, between = (1.08, 0.0) if sheet.narrow else (1.5, 0.35)
    side_by_side = _has_waits(found) and not sheet.narrow
    room = (sheet.width - left - between - 0.12) / (2 if side_by_side else 1)
    width = min(room, _WIDEST * len(found.columns))
    words = "goodput, % of the best for as many clients"
    axes = _grid(found, (left, top, width), words, sheet)
    _names(axes, found, sheet)
    _fill(axes, found, _paint_share, sheet)
    stair(axes, found, sheet)
    if not _has_waits(found):
        return
    words = "checkout wait, ms (p99 where not said)"
    place = (
        (left + room + between, top, width) if side_by_side else (left, top + _tall(found), width)
    )
    axes = _grid(found, place, words, sheet)
    if not side_by_side:
        _names(axes, found, sheet)
    _fill(axes, found, partial(_paint_wait, _span(found)), sheet)


def _grid(found: PoolMap, place: tuple[float, float, float], words: str, sheet: Sheet) -> Axes:
    """Axes of a panel: clients below, a heading above, nothing in its cells."""
    left, top, width = place
    height = _ROW * (len(found.words) + APART)
    start = left if not sheet.narrow else 0.08
    sheet.text(start, top + 0.02, words, size=SMALL, color=sheet.palette.muted)
    axes = sheet.axes(left, top + _HEAD, width, height)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(-0.5, len(found.columns) - 0.5)
    axes.set_ylim(height / _ROW, 0)
    axes.set_xticks(range(len(found.columns)), [f"{one.clients:,}" for one in found.columns])
    axes.set_yticks([])
    axes.set_xlabel("clients", size=SMALL, color=sheet.palette.muted, loc="left", labelpad=2)
    return axes


def _names(axes: Axes, found: PoolMap, sheet: Sheet) -> None:
    """The pools: how many connections each holds at most, and its options below."""
    rows, room = heights(found), 16 if sheet.narrow else 20
    for word in found.words:
        lines = [clipped(line, room) for line in label(found, word)]
        name_row(axes, lines, rows[word] + 0.5, _LINE, sheet)


def _fill(axes: Axes, found: PoolMap, paint: Panel, sheet: Sheet) -> None:
    rows = heights(found)
    for x, column in enumerate(found.columns):
        for entry in column.entries:
            y = rows[entry.cell.pool]
            if entry.found:
                paint(axes, x, y, entry, column, sheet)
            else:
                _missing(axes, x, y, entry, sheet)


def _paint_share(
    axes: Axes, x: float, y: float, entry: Entry, column: Column, sheet: Sheet
) -> None:
    ink = sheet.palette.ink
    share = entry.share.value if entry.share else 0.0
    outlined = entry in column.smallest
    look: dict[str, Any] = {"facecolor": sheet.palette.accent, "lw": 0}
    axes.add_patch(_box(x, y, alpha=shade(share), **look))
    if outlined:
        axes.add_patch(_box(x, y, facecolor="none", edgecolor=ink, lw=1.6, zorder=4))
    marks = marks_of(entry)
    number = whole_percent(entry.share) if entry.share else ""
    style: dict[str, Any] = {"ha": "center", "va": "center", "color": ink, "zorder": 5}
    weight = "bold" if outlined else "normal"
    axes.text(x, y + (0.34 if marks else 0.5), number, size=TEXT, weight=weight, **style)
    axes.text(x, y + 0.74, marks, size=_TINY, weight="bold", **style)


def marks_of(entry: Entry) -> str:
    """As "S C"; F where operations failed, ? where its standing is not decided."""
    fails = ("F",) if entry.failed else ()
    undecided = () if entry.standing in ("within", "below") else ("?",)
    return " ".join((*entry.marks, *fails, *undecided))


def _paint_wait(
    span: tuple[float, float],
    axes: Axes,
    x: float,
    y: float,
    entry: Entry,
    _column: Column,
    sheet: Sheet,
) -> None:
    wait = wait_of(entry)
    if wait is None:
        return
    percentile, waited = wait
    low, high = span
    part = math.log(max(waited, 1) / low) / math.log(high / low) if high > low else 0.0
    axes.add_patch(_box(x, y, facecolor=sheet.palette.band, alpha=0.15 + 0.7 * part, lw=0))
    style: dict[str, Any] = {"ha": "center", "va": "center", "color": sheet.palette.ink}
    usual = percentile == 99.0  # noqa: PLR2004 - what the heading says
    size = SMALL - 0.5 if sheet.narrow else TEXT
    axes.text(x, y + (0.5 if usual else 0.34), ms_text(waited), size=size, **style)
    if not usual:
        axes.text(x, y + 0.74, f"p{percentile:g}", size=_TINY, **style)


def ms_text(nanoseconds: float) -> str:
    """As "0.021", "3.1", "310": milliseconds with two significant digits."""
    ms = nanoseconds / 1e6
    return f"{float(f'{ms:.2g}'):,.10g}"


def _span(found: PoolMap) -> tuple[float, float]:
    waits = [max(wait[1], 1) for entry in found.entries if (wait := wait_of(entry))]
    return min(waits), max(waits)


def _missing(axes: Axes, x: float, y: float, entry: Entry, sheet: Sheet) -> None:
    """A hatched cell, with the first word of why it has no number."""
    muted, surface = sheet.palette.muted, sheet.palette.surface
    axes.add_patch(_box(x, y, facecolor="none", edgecolor=sheet.palette.rule, hatch="////", lw=0.6))
    status, colon, _ = entry.missing.partition(":")
    words = status if colon and status.isupper() else "left out"
    plate = {"facecolor": surface, "edgecolor": "none", "pad": 1.0}
    style: dict[str, Any] = {"ha": "center", "va": "center", "color": muted, "bbox": plate}
    axes.text(x, y + 0.5, clipped(words, 9), size=_TINY - 1, **style)


def _box(x: float, y: float, **look: Any) -> Rectangle:
    side = 1 - 2 * _EDGE
    return Rectangle((x - 0.5 + _EDGE, y + _EDGE), side, side, **look)


def stair(axes: Axes, found: PoolMap, sheet: Sheet) -> None:
    """Draw where clients = size: above it every client can have a connection."""
    xs, ys = [], []
    for x, y in enumerate(stairs(found)):
        xs += [x - 0.5, x + 0.5]
        ys += [y, y]
    axes.plot(xs, ys, zorder=6, clip_on=False, color=sheet.palette.slower, **STAIR)
