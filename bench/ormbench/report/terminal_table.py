"""The focus scenario as a table of plain text: lane, time, a dot on a scale, ratio, counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

from ormbench.report import lateness, questions
from ormbench.report.comparison_words import short_ratio
from ormbench.report.findings import CellFinding, Findings
from ormbench.report.quantities import time_text
from ormbench.report.round_trips import any_counted, trips_text
from ormbench.report.terminal_rows import Rows
from ormbench.report.terminal_scale import Scale
from ormbench.report.wrong_data import fails

_TIME = 9
_NEW = 5
_BAR = 6  # columns at least


def table(findings: Findings, rows: Rows, width: int, *, plain: bool) -> Iterator[str]:
    """Lines of the table, its heading first; without times where the run is not usable."""
    if not rows.cells:
        return
    if findings.trust.usable:
        yield from _with_times(findings, rows, width, plain=plain)
    else:
        yield from _without_times(rows)
    if rows.left:
        yield f" {rows.left} more cells: see the report"
    if findings.trust.usable:
        yield from _late(rows, width, plain=plain)


def _with_times(findings: Findings, rows: Rows, width: int, *, plain: bool) -> Iterator[str]:
    columns = _Columns.over(findings, rows, width)
    against = f"vs {questions.reference_name(findings)}"
    head = f" {rows.heading:<{columns.lane}}{'per op':>{_TIME}}  {columns.scale.ticks(plain=plain)}"
    trips = f"{'trips':>{columns.trips}}" if columns.trips else ""
    yield f"{head} {against:<{columns.ratio}}{trips}{'new':>{_NEW}}"
    for one in rows.cells:
        name = _short(rows.names[one.cell], columns.lane)
        yield f" {name:<{columns.lane}}{_row(findings, one, columns, plain=plain)}"


def _late(rows: Rows, width: int, *, plain: bool) -> Iterator[str]:
    """Which cells were timed while the event loop was late, and by how much."""
    late = [
        f"{rows.names[one.cell]} {time}"
        for one in rows.cells
        if (time := lateness.lag_time(one, plain=plain))
    ]
    if late:
        words = f"event loop late, p99: {', '.join(late)}"
        yield from wrap(words, width, initial_indent=" ", subsequent_indent="   ")


@dataclass(frozen=True, slots=True)
class _Columns:
    """How wide the columns are whose text decides it, and the ruler in what is left."""

    lane: int
    ratio: int
    trips: int  # 0 where nothing was counted: there is no such column then
    scale: Scale

    @classmethod
    def over(cls, findings: Findings, rows: Rows, width: int) -> "_Columns":
        shown = rows.cells
        timed = [one for one in shown if one.service and not fails(one)]
        ratios = [_ratio(findings, one) for one in timed]
        ratio = max(len(f"vs {questions.reference_name(findings)}"), *map(len, ratios), 0)
        counted = [trips_text(one) for one in shown] if any_counted(shown) else []
        trips = max([len("trips"), *map(len, counted)]) + 2 if counted else 0
        room = width - 1 - _TIME - 3 - ratio - trips - _NEW
        lane = min(max(24, room - _BAR), max(8, *(len(rows.names[one.cell]) for one in shown)))
        bar = max(_BAR, room - lane)
        times = (one.service.value for one in timed if one.service)
        return cls(lane, ratio, trips, Scale.over(times, bar))


def _row(findings: Findings, one: CellFinding, columns: _Columns, *, plain: bool) -> str:
    if one.service is None:
        return f"{'-':>{_TIME}}  {one.status}: {one.reason}"
    if fails(one):
        return f"{'-':>{_TIME}}  {fails(one)}"
    time = time_text(one.service.value, plain=plain)
    ratio = _ratio(findings, one)
    trips = f"{trips_text(one):>{columns.trips}}" if columns.trips else ""
    new = f"{one.new_per_1000:.2g}" if one.new_per_1000 < 100 else f"{one.new_per_1000:.0f}"  # noqa: PLR2004
    bar = columns.scale.bar(one.service.value)
    return f"{time:>{_TIME}}  {bar} {ratio:<{columns.ratio}}{trips}{new:>{_NEW}}"


def _ratio(findings: Findings, one: CellFinding) -> str:
    comparison = questions.against_reference(findings, one.cell)
    if comparison is not None:
        return short_ratio(comparison)
    return "reference" if questions.is_reference(findings, one.cell) else "not compared"


def _without_times(rows: Rows) -> Iterator[str]:
    room = min(32, max(8, *(len(name) for name in rows.names.values())))
    counted = any_counted(rows.cells)
    head = "  trips" if counted else ""
    words = "outcome (no times: they would not be evidence)"
    yield f" {'lane':<{room}}  {'operations':>10}{head}   {words}"
    for one in rows.cells:
        outcome = f"{one.status}: {one.reason}" if one.reason else one.status
        trips = f"{trips_text(one):>7}" if counted else ""
        name = _short(rows.names[one.cell], room)
        yield f" {name:<{room}}  {one.operations:>10,}{trips}   {outcome}"


def _short(name: str, room: int) -> str:
    """*name* without its middle where it is too long: its end tells pools and levels apart."""
    name = name if len(name) <= room else name.replace(" pool=", " ").replace(" isolation=", " ")
    if len(name) <= room:
        return name
    end = (room - 2) * 2 // 3
    return f"{name[: room - 2 - end]}..{name[-end:]}"
