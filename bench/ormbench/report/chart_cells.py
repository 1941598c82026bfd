"""Throughput and service times: what each cell did, one panel a scenario, every axis from zero."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from ormbench.cell import Cell
from ormbench.report import questions
from ormbench.report.batch_panels import cells_of, moved_text
from ormbench.report.cell_panels import TITLE, Panel, panels, room_for
from ormbench.report.chart_axis import (
    beside,
    clipped,
    from_zero,
    name_row,
    plain_from_zero,
    whisker,
)
from ormbench.report.chart_sheet import SMALL, Palette, Sheet, Sketch
from ormbench.report.conditions import placement_text
from ormbench.report.findings import CellFinding, Estimate, Findings
from ormbench.report.quantities import (
    has_interval,
    mean_text,
    percentile_name,
    rate_text,
    without_interval,
)
from ormbench.report.row_names import own_names
from ormbench.report.wrong_data import fails

_TOLD, _LONGEST = 4, 90  # cells that a title tells one by one, and letters that may take
_LEGEND = 0.3  # inches
_LINE = 0.4  # of a row's height, from one line of its name to the next
_SHOWN = (50.0, 90.0, 99.0)  # with the mean four series, as many as one panel bears

PaintPanel = Callable[[Axes, Sequence[CellFinding], str, Sheet], None]


def throughput(findings: Findings) -> Sketch | None:
    """Prepare the chart of throughput; None where no cell has a number."""
    found = panels(findings)
    answer = _answer(findings, found, _rate, lambda one: without_interval(rate_text(one)))
    note = _note(findings, found, "Dot: mean; line: 99 % interval.")
    paint = partial(_paint, found, _throughputs, "op/s: higher is better", 0.0)
    title = f"Throughput: {answer}"
    return Sketch("throughput", title, note, partial(_height, found, 0.0), paint) if found else None


def service_times(findings: Findings) -> Sketch | None:
    """Prepare the chart of service times; None where no cell has a number."""
    found = panels(findings, without=fails)
    answer = _answer(findings, found, _mean, mean_text)
    note = _note(
        findings,
        found,
        "From start to end of an operation; percentiles as far as the operations support them. "
        "Line: 99 % interval of the mean. Cells with failed operations have no time here.",
    )
    paint = partial(_paint, found, _times, "service time: lower is better", _LEGEND)
    title, height = f"Mean service time: {answer}", partial(_height, found, _LEGEND)
    return Sketch("service_times", title, note, height, paint) if found else None


def _height(known: Sequence[Panel], legend: float, narrow: bool) -> float:  # noqa: FBT001 - a Sketch's
    room = room_for(known, narrow=narrow)
    return legend + sum(panel.height(room) for panel in known)


def _rate(one: CellFinding) -> Estimate | None:
    return one.throughput


def _mean(one: CellFinding) -> Estimate | None:
    return None if fails(one) else one.service


def _answer(
    findings: Findings,
    known: Sequence[Panel],
    number: Callable[[CellFinding], Estimate | None],
    words: Callable[[Estimate], str],
) -> str:
    """The lanes that the answer is about, in the focus scenario, as far as they are drawn."""
    drawn = {one.cell for panel in known for one in panel.cells}
    lane, _ = questions.elsewhere(findings)
    found = {
        one.cell: value
        for one in questions.focus_cells(findings)
        if (one.cell.lane == lane or questions.is_reference(findings, one.cell))
        and one.cell in drawn
        and (value := number(one))
    }
    shared, names = own_names(list(found))
    texts = [f"{names[cell]} {words(value)}" for cell, value in found.items()]
    if len(texts) > _TOLD or len(", ".join(texts)) > _LONGEST:
        texts = list(_spans(found, words))
    where = f" on {findings.servers[0][0]}" if len(findings.servers) > 1 else ""
    return ", ".join([f"{findings.focus}{where}", *shared, *texts]) if texts else "all cells"


def _spans(found: Mapping[Cell, Estimate], words: Callable[[Estimate], str]) -> Iterator[str]:
    """Of each lane its least and its most: "core 121 op/s to 3,600 op/s"."""
    for lane in dict.fromkeys(cell.lane for cell in found):
        values = sorted((v for cell, v in found.items() if cell.lane == lane), key=_value_of)
        ends = dict.fromkeys(without_interval(words(one)) for one in (values[0], values[-1]))
        yield f"{lane} {' to '.join(ends)}"


def _value_of(one: Estimate) -> float:
    return one.value


def _note(findings: Findings, known: Sequence[Panel], reading: str) -> str:
    cells = [one.cell for panel in known for one in panel.cells]
    numbers = [one.cell for one in findings.cells if one.service and one.cell.target != "none"]
    inside = cells_of(findings)
    rest = sum(cell not in inside for cell in numbers)
    more = f" {len(cells)} of {rest} cells drawn." if len(cells) < rest else ""
    more += moved_text(cell for cell in numbers if cell in inside)
    placed = placement_text(cells)
    return f"{reading} {placed[:1].upper()}{placed[1:]}. {findings.blocks} blocks.{more}"


def _paint(
    known: Sequence[Panel], inside: PaintPanel, words: str, legend: float, sheet: Sheet
) -> None:
    room = room_for(known, narrow=sheet.narrow)
    width = sheet.width - room - (0.15 if sheet.narrow else 1.75)
    top = legend
    if legend:
        _legend(known, sheet)
    for panel in known:
        title = clipped(panel.title, 44 if sheet.narrow else 95)
        sheet.text(0.08, top + 0.04, title, weight="bold", size=SMALL)
        axes = sheet.axes(room, top + TITLE, width, panel.rows(room))
        axes.set_ylim(len(panel.cells) - 0.4, -0.6)
        axes.set_yticks([])
        for y, lines in enumerate(panel.labels(room)):
            name_row(axes, lines, y, _LINE, sheet)
        placed = placement_text(one.cell for one in panel.cells)
        apart = ";\n" if ";" in placed else "; "
        inside(axes, panel.cells, words if sheet.narrow else f"{words}{apart}{placed}", sheet)
        if sheet.narrow:  # the words may be longer than the axis, and have room on its left
            axes.set_xlabel(axes.get_xlabel(), loc="right")
        top += panel.height(room)


def _throughputs(axes: Axes, cells: Sequence[CellFinding], words: str, sheet: Sheet) -> None:
    numbers = [(y, one.throughput) for y, one in enumerate(cells) if one.throughput]
    plain_from_zero(axes, max((_upper(one) for _, one in numbers), default=1.0), words, sheet)
    for y, one in numbers:
        whisker(axes, one, 1.0, y, colour=sheet.palette.accent)
        axes.plot([one.value], [y], zorder=5, **_mean_mark(sheet.palette))
        _value(axes, y, rate_text(one), sheet)


def _times(axes: Axes, cells: Sequence[CellFinding], words: str, sheet: Sheet) -> None:
    values = [_upper(one.service) for one in cells if one.service]
    values += [value for one in cells for name, value in one.percentiles if name in _SHOWN]
    scale = from_zero(axes, max(values, default=1.0), words, sheet)
    for y, one in enumerate(cells):
        if one.service is None:
            continue
        for name, value in one.percentiles:
            if name in _SHOWN:
                axes.plot([value / scale], [y], zorder=3, **_percentile_mark(name, sheet.palette))
        whisker(axes, one.service, scale, y, colour=sheet.palette.accent)
        axes.plot([one.service.value / scale], [y], zorder=5, **_mean_mark(sheet.palette))
        _value(axes, y, mean_text(one.service), sheet)


def _upper(estimate: Estimate) -> float:
    return estimate.high if has_interval(estimate) else estimate.value


def _value(axes: Axes, y: int, words: str, sheet: Sheet) -> None:
    if not sheet.narrow:
        beside(axes, words, (1.0, y), 8, edge=True, size=SMALL, color=sheet.palette.ink)


def _mean_mark(palette: Palette) -> dict[str, Any]:
    return {"marker": "o", "ms": 4.8, "color": palette.accent, "ls": "none"}


def _percentile_mark(percentile: float, palette: Palette) -> dict[str, Any]:
    shape = {50.0: "|", 90.0: "D", 99.0: ">"}[percentile]
    size = 8.0 if shape == "|" else 4.2
    plain = {"mfc": palette.surface, "mew": 1.1, "ls": "none"}
    return {"marker": shape, "ms": size, "color": palette.muted, **plain}


def _legend(known: Sequence[Panel], sheet: Sheet) -> None:
    axes = sheet.axes(0.0, 0.0, sheet.width, 0.26)
    axes.axis("off")
    axes.set_xlim(0, sheet.width)
    axes.set_ylim(-1, 1)
    shown = {name for panel in known for one in panel.cells for name, _ in one.percentiles}
    marks = [("mean", _mean_mark(sheet.palette))]
    marks += [
        (percentile_name(name), _percentile_mark(name, sheet.palette))
        for name in _SHOWN
        if name in shown
    ]
    x = 0.16
    for words, style in marks:
        axes.plot([x], [0], clip_on=False, **style)
        axes.text(x + 0.1, 0, words, size=SMALL, va="center", color=sheet.palette.muted)
        x += 0.34 + 0.075 * len(words)
