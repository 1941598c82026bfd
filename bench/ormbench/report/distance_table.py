"""The numbers of the chart of distance as tables: a row a lane, a column a distance."""

from collections.abc import Sequence
from dataclasses import dataclass

from ormbench.cell import Cell
from ormbench.report.cell_names import cell_names
from ormbench.report.comparison_words import short_ratio
from ormbench.report.digest_distance import Panel, Point, panels
from ormbench.report.distance_words import rtt_text
from ormbench.report.findings import Findings
from ormbench.report.names import axes_text, driver_name, product_name
from ormbench.report.quantities import span_text
from ormbench.report.round_trips import NOT_COUNTED, trips
from ormbench.report.rows import Shown
from ormbench.results.count import Count


@dataclass(frozen=True, slots=True)
class DistanceRow:
    """A lane: its name, its round trips, and what it takes at each distance."""

    name: str
    trips: str
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class DistanceTable:
    """One panel of the chart."""

    caption: str
    distances: tuple[str, ...]  # "direct", "+0 ms", ...
    rows: tuple[DistanceRow, ...]


def distance_tables(findings: Findings) -> tuple[DistanceTable, ...]:
    """A table for each panel; () where nothing was compared at two distances, or not to be read."""
    if not findings.trust.usable:
        return ()
    return tuple(_table(one) for one in panels(findings.comparisons, findings.cells))


def panel_name(panel: Panel) -> str:
    """What a panel is about: "get_by_id, asyncpg", or "get_by_id, MariaDB, clients=8"."""
    cell, cells = panel.reference, _cells(panel)
    several = len({one.target for one in cells}) > 1
    where = product_name(cell.target) if several else driver_name(cell.target)
    axes = {axis: value for axis, value in _shared_axes(cells).items() if axis != "placement"}
    return ", ".join([cell.scenario, where, *axes_text(axes)])


def lane_names(panel: Panel) -> dict[Cell, str]:
    """What tells the reference and the candidates of a panel apart."""
    cells = _cells(panel)
    if not _shared_axes(cells):
        return cell_names(cells)
    bare = {one: Cell(scenario=one.scenario, lane=one.lane, target=one.target) for one in cells}
    names = cell_names(bare.values())
    return {one: names[bare[one]] for one in cells}


def _cells(panel: Panel) -> tuple[Cell, ...]:
    return (panel.reference, *(line.candidate for line in panel.lines))


def _shared_axes(cells: Sequence[Cell]) -> dict[str, object]:
    """The axes off their default, where they are so alike in all *cells*; {} where they differ."""
    axes = cells[0].unusual()
    return axes if all(one.unusual() == axes for one in cells) else {}


def _table(panel: Panel) -> DistanceTable:
    names = lane_names(panel)
    against = names[panel.reference]
    reference = tuple(Shown("reference", 1.0) for _ in panel.rtts)
    rows = [DistanceRow(against, _trips(panel.count), reference)]
    rows += [
        DistanceRow(names[line.candidate], _trips(line.count), _shown(line.points))
        for line in panel.lines
    ]
    distances = tuple(rtt_text(rtt) for rtt in panel.rtts)
    return DistanceTable(f"{panel_name(panel)}: time vs {against}", distances, tuple(rows))


def _shown(points: Sequence[Point]) -> tuple[Shown, ...]:
    return tuple(
        Shown(short_ratio(one.found), one.found.ratio.value, one.found.verdict)
        if one.found
        else Shown(one.missing or "not compared")
        for one in points
    )


def _trips(count: Count | None) -> str:
    span = trips(count)
    return span_text(span) if span else NOT_COUNTED
