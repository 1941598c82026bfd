"""Throughput and service times: what each cell did, one panel a scenario, every axis from zero."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from ormbench.cell import Cell
from ormbench.report import questions
from ormbench.report.batch_panels import cells_of, moved_text
from ormbench.report.chart_axis import beside, clipped, from_zero, plain_from_zero, whisker
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
from ormbench.report.row_names import own_names, row_names
from ormbench.report.wrong_data import fails

LIMIT = 60  # rows of a chart; the table of cells has them all
_TOLD, _LONGEST = 4, 90  # cells that a title tells one by one, and letters that may take
_LETTER = 0.068  # inches of a name's letter
_PITCH, _TITLE, _FOOT, _LEGEND = 0.235, 0.26, 0.56, 0.3
_SHOWN = (50.0, 90.0, 99.0)  # with the mean four series, as many as one panel bears

PaintPanel = Callable[[Axes, Sequence[CellFinding], str, Sheet], None]


@dataclass(frozen=True, slots=True)
class Panel:
    """The cells of one scenario on one server product, on an axis of their own."""

    title: str
    cells: tuple[CellFinding, ...]

    @property
    def height(self) -> float:
        """Inches, with its title above and its axis below."""
        return _TITLE + len(self.cells) * _PITCH + _FOOT


def throughput(findings: Findings) -> Sketch | None:
    """Prepare the chart of throughput; None where no cell has a number."""
    panels = _panels(findings)
    answer = _answer(findings, panels, _rate, lambda one: without_interval(rate_text(one)))
    note = _note(findings, panels, "Dot: mean; line: 99 % interval.")
    paint = partial(_paint, panels, _throughputs, "op/s: higher is better", 0.0)
    height = sum(panel.height for panel in panels)
    title = f"Throughput: {answer}"
    return Sketch("throughput", title, note, lambda _: height, paint) if panels else None


def service_times(findings: Findings) -> Sketch | None:
    """Prepare the chart of service times; None where no cell has a number."""
    panels = _panels(findings, without=fails)
    answer = _answer(findings, panels, _mean, mean_text)
    note = _note(
        findings,
        panels,
        "From start to end of an operation; percentiles as far as the operations support them. "
        "Line: 99 % interval of the mean. Cells with failed operations have no time here.",
    )
    paint = partial(_paint, panels, _times, "service time: lower is better", _LEGEND)
    height = _LEGEND + sum(panel.height for panel in panels)
    title = f"Mean service time: {answer}"
    return Sketch("service_times", title, note, lambda _: height, paint) if panels else None


def _rate(one: CellFinding) -> Estimate | None:
    return one.throughput


def _mean(one: CellFinding) -> Estimate | None:
    return None if fails(one) else one.service


def _panels(
    findings: Findings, without: Callable[[CellFinding], object] = lambda _: False
) -> tuple[Panel, ...]:
    room, panels, inside = LIMIT, [], cells_of(findings)
    measured = [
        one
        for one in findings.cells
        if one.service and one.cell.target != "none" and one.cell not in inside
    ]
    for title, those in questions.sections(findings):
        cells = [one for one in those if one in measured and not without(one)]
        if cells and room > 0:
            panels.append(Panel(title, tuple(cells[:room])))
            room -= len(cells)
    return tuple(panels)


def _answer(
    findings: Findings,
    panels: Sequence[Panel],
    number: Callable[[CellFinding], Estimate | None],
    words: Callable[[Estimate], str],
) -> str:
    """The lanes that the answer is about, in the focus scenario, as far as they are drawn."""
    drawn = {one.cell for panel in panels for one in panel.cells}
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


def _note(findings: Findings, panels: tuple[Panel, ...], reading: str) -> str:
    cells = [one.cell for panel in panels for one in panel.cells]
    numbers = [one.cell for one in findings.cells if one.service and one.cell.target != "none"]
    inside = cells_of(findings)
    rest = sum(cell not in inside for cell in numbers)
    more = f" {len(cells)} of {rest} cells drawn." if len(cells) < rest else ""
    more += moved_text(cell for cell in numbers if cell in inside)
    placed = placement_text(cells)
    return f"{reading} {placed[:1].upper()}{placed[1:]}. {findings.blocks} blocks.{more}"


def _paint(
    panels: tuple[Panel, ...], inside: PaintPanel, words: str, legend: float, sheet: Sheet
) -> None:
    named = [row_names(panel.title, [one.cell for one in panel.cells]) for panel in panels]
    room = _room([name for _, names in named for name in names], narrow=sheet.narrow)
    left, right = (room, 0.15) if sheet.narrow else (room, 1.75)
    top = legend
    if legend:
        _legend(panels, sheet)
    for panel, (title, names) in zip(panels, named, strict=True):
        words_of_title = clipped(title, 44 if sheet.narrow else 95)
        sheet.text(0.08, top + 0.04, words_of_title, weight="bold", size=SMALL)
        height = len(panel.cells) * _PITCH
        axes = sheet.axes(left, top + _TITLE, sheet.width - left - right, height)
        axes.set_ylim(len(panel.cells) - 0.4, -0.6)
        labels = [clipped(name, int((left - 0.1) / _LETTER)) for name in names]
        axes.set_yticks(range(len(labels)), labels, size=SMALL)
        placed = placement_text(one.cell for one in panel.cells)
        apart = ";\n" if ";" in placed else "; "
        inside(axes, panel.cells, words if sheet.narrow else f"{words}{apart}{placed}", sheet)
        if sheet.narrow:  # the words may be longer than the axis, and have room on its left
            axes.set_xlabel(axes.get_xlabel(), loc="right")
        top += panel.height


def _room(names: Sequence[str], *, narrow: bool) -> float:
    """Inches for the longest of *names*, as far as the plot can spare them."""
    least, most = (1.5, 2.0) if narrow else (2.1, 2.7)
    return min(max(max(map(len, names), default=0) * _LETTER + 0.11, least), most)


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


def _legend(panels: tuple[Panel, ...], sheet: Sheet) -> None:
    axes = sheet.axes(0.0, 0.0, sheet.width, 0.26)
    axes.axis("off")
    axes.set_xlim(0, sheet.width)
    axes.set_ylim(-1, 1)
    known = {name for panel in panels for one in panel.cells for name, _ in one.percentiles}
    marks = [("mean", _mean_mark(sheet.palette))]
    marks += [
        (percentile_name(name), _percentile_mark(name, sheet.palette))
        for name in _SHOWN
        if name in known
    ]
    x = 0.16
    for words, style in marks:
        axes.plot([x], [0], clip_on=False, **style)
        axes.text(x + 0.1, 0, words, size=SMALL, va="center", color=sheet.palette.muted)
        x += 0.34 + 0.075 * len(words)
