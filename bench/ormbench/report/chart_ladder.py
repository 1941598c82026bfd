"""The ladder: where the microseconds go, from the bare driver to the ORM.

Each rung is a paired difference of means, so that the rungs add up; medians would not.
"""

from functools import partial

from matplotlib.axes import Axes

from ormbench.report import batch_words, idle_words, isolation_words, pool_words
from ormbench.report.cell_names import ladder_name
from ormbench.report.chart_axis import beside, clipped, from_zero, whisker
from ormbench.report.chart_sheet import SMALL, Sheet, Sketch
from ormbench.report.digest_distance import panels
from ormbench.report.findings import Findings, Ladder, Rung
from ormbench.report.focus import Focus
from ormbench.report.quantities import difference_text, has_interval, mean_text

_PITCH, _NARROW_PITCH = 0.36, 0.52  # inches a rung; a narrow sheet has its label above the bar
_FOOT = 0.52
_VALUE_ROOM, _LETTER = 1.3, 0.066  # inches right of the axes, at least; of a value's letter
_WIDTH = 6.6  # stands beside the cards


def sketch(findings: Findings, ladder: Ladder, name: str) -> Sketch:
    """Prepare the ladder of one scenario on one target."""
    where = ladder_name(ladder, with_product=len(findings.servers) > 1)
    title = (
        findings.headline if _is_spoken_of(findings, ladder) else f"Where the time goes: {where}"
    )
    blocks = min(rung.adds.blocks for rung in ladder.rungs)
    note = (
        f"{where}. Same statement, same answer; each rung adds one thing. Bar: paired difference "
        f"of means; whisker: its 99 % interval over {blocks} blocks; hollow: the interval does "
        "not exclude 0."
    )
    return Sketch(name, title, note, partial(_height, ladder), partial(_paint, ladder), _WIDTH)


def _is_spoken_of(findings: Findings, ladder: Ladder) -> bool:
    """Whether the run's headline is about *ladder*: not about an axis, which has its own chart."""
    focus = Focus(findings.focus, findings.focus_target, len(findings.servers) <= 1)
    compared, cells = findings.comparisons, findings.cells
    of_axes = (
        isolation_words.headline(cells, focus),
        idle_words.headline(cells, focus),
        *(words.headline(compared, cells, focus) for words in (pool_words, batch_words)),
    )
    here = (focus.scenario, focus.target) == (ladder.scenario, ladder.target)
    return here and findings.headline not in of_axes and not panels(compared, cells)


def _height(ladder: Ladder, narrow: bool) -> float:  # noqa: FBT001 - called through Sketch.height
    return len(ladder.rungs) * (_NARROW_PITCH if narrow else _PITCH) + _FOOT


def _paint(ladder: Ladder, sheet: Sheet) -> None:
    left = 0.12 if sheet.narrow else min(2.4, 0.25 + 0.07 * max(len(r.label) for r in ladder.rungs))
    axes = sheet.axes(left, 0.0, sheet.width - left - _value_room(ladder), sheet.height - _FOOT)
    most = max(_right_end(rung) for rung in ladder.rungs)
    scale = from_zero(axes, most, "per operation, cumulative: lower is better", sheet)
    axes.set_ylim(len(ladder.rungs) - 0.5, -0.5)
    axes.set_yticks([])
    previous: Rung | None = None
    for row, rung in enumerate(ladder.rungs):
        _paint_rung(axes, row, rung, scale, sheet, last=row == len(ladder.rungs) - 1)
        if previous is not None:
            x = previous.reaches / scale
            axes.plot([x, x], [row - 1 + 0.3, row], color=sheet.palette.muted, lw=0.7, zorder=1)
        previous = rung


def _value_room(ladder: Ladder) -> float:
    """Inches that the longest value needs right of the longest bar."""
    longest = max(len(_value(rung, row)) for row, rung in enumerate(ladder.rungs))
    return max(_VALUE_ROOM, 0.12 + longest * _LETTER)


def _value(rung: Rung, row: int) -> str:
    return mean_text(rung.adds) if row == 0 else difference_text(rung.adds)


def _right_end(rung: Rung) -> float:
    start = rung.reaches - rung.adds.value
    return max(rung.reaches, start, start + rung.adds.high if has_interval(rung.adds) else 0.0)


def _paint_rung(
    axes: Axes, row: int, rung: Rung, scale: float, sheet: Sheet, *, last: bool
) -> None:
    palette = sheet.palette
    start = (rung.reaches - rung.adds.value) / scale
    low, high = sorted((start, rung.reaches / scale))
    solid = rung.decided and rung.adds.value > 0
    colour = palette.accent if last else palette.step
    y, thick = (row + 0.16, 0.44) if sheet.narrow else (float(row), 0.58)
    axes.barh(
        y,
        high - low,
        left=low,
        height=thick,
        color=colour if solid else palette.surface,
        edgecolor=colour if solid else palette.muted,
        linewidth=0.9,
        linestyle="-" if solid else (0, (3, 2)),
        zorder=2,
    )
    end = whisker(axes, rung.adds, scale, y, colour=palette.ink, offset=start)
    if has_interval(rung.adds):
        caps = [start + rung.adds.low / scale, end]
        axes.plot(caps, [y, y], color=palette.ink, marker="|", ms=5, mew=1.3, ls="none", zorder=4)
    style = {"color": palette.ink, "weight": "bold" if last else "normal"}
    beside(axes, _value(rung, row), (max(end, high), y), 6, edge=False, size=SMALL, **style)
    _label(axes, row, rung.label, sheet)


def _label(axes: Axes, row: int, label: str, sheet: Sheet) -> None:
    """The rung's name: left of the axes, or above its bar where the sheet is narrow."""
    ink = sheet.palette.ink
    if sheet.narrow:
        beside(axes, clipped(label, 44), (0, row - 0.3), 0, edge=False, size=SMALL, color=ink)
    else:
        beside(axes, clipped(label, 32), (0, row), -8, edge=False, color=ink, ha="right")
