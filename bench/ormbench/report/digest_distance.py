"""Which cells and comparisons form which line of the chart of distance. Pure.

A line is one pair of lanes (or of drivers) compared at several distances from the server; a panel
is all lines of one scenario on one product against the same reference.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ormbench.cell import Cell
from ormbench.report.findings import CellFinding, Comparison
from ormbench.report.wrong_data import sound
from ormbench.results.count import Count

MOST_LINES = 4  # of a panel: more cannot be told apart
FEWEST = 2  # distances; below, there is no slope


@dataclass(frozen=True, slots=True)
class Point:
    """A lane at one distance."""

    rtt: float | None  # ms asked for; None: straight to the server, past the relay
    found: Comparison | None  # None where this distance has no ratio
    missing: str = ""  # why not: "TIMEOUT: no answer within 60 s"; "" where it was never asked for


@dataclass(frozen=True, slots=True)
class Line:
    """A lane at all distances of its panel, the nearest first."""

    candidate: Cell  # without its rtt
    reference: Cell  # without its rtt
    points: tuple[Point, ...]
    count: Count | None  # what its count pass saw

    @property
    def measured(self) -> tuple[Point, ...]:
        """The points that have a ratio, behind the relay."""
        return tuple(one for one in self.points if one.rtt is not None and one.found)

    @property
    def stretches(self) -> tuple[tuple[Point, ...], ...]:
        """Runs of neighbouring points that may be joined: none across a missing one.

        What went past the relay is joined to nothing: between it and 0 lies the relay itself.
        """
        found: list[list[Point]] = [[]]
        for one in self.points:
            if one.rtt is None or one.found is None:
                found.append([])
            else:
                found[-1].append(one)
        return tuple(tuple(one) for one in found if one)


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines against one reference, on one server product."""

    reference: Cell  # without its rtt
    count: Count | None  # of the reference
    lines: tuple[Line, ...]
    rtts: tuple[float | None, ...]  # ms, in ascending order; None first

    @property
    def behind_relay(self) -> tuple[float, ...]:
        """The distances in ms, without those past the relay."""
        return tuple(one for one in self.rtts if one is not None)


def panels(comparisons: Sequence[Comparison], cells: Sequence[CellFinding]) -> tuple[Panel, ...]:
    """A panel for each reference of which some line has at least two distances.

    In the order of *comparisons*; a reference with more lines than a panel bears has several.
    """
    index = {one.cell: one for one in cells}
    lines: dict[Cell, dict[Cell, None]] = {}
    for one in comparisons:
        if one.kind != "aa":
            lines.setdefault(_placeless(one.reference), {})[_placeless(one.candidate)] = None
    timed = sound(one for one in comparisons if one.kind != "aa")
    pairs = reversed(timed)  # the first of a pair counts
    compared = {(one.candidate, one.reference): one for one in pairs}
    return tuple(
        panel
        for reference, candidates in lines.items()
        for panel in _panels(reference, list(candidates), compared, index)
    )


def _placeless(cell: Cell) -> Cell:
    return replace(cell, rtt=None)


def _panels(
    reference: Cell,
    candidates: Sequence[Cell],
    compared: dict[tuple[Cell, Cell], Comparison],
    index: dict[Cell, CellFinding],
) -> Iterator[Panel]:
    rtts = _distances([reference, *candidates], index)
    lines = [_line(one, reference, rtts, compared, index) for one in candidates]
    lines = [one for one in lines if len(one.measured) >= FEWEST]
    count = _count(reference, rtts, index)
    for start in range(0, len(lines), MOST_LINES):
        yield Panel(reference, count, tuple(lines[start : start + MOST_LINES]), rtts)


def _distances(cells: Sequence[Cell], index: dict[Cell, CellFinding]) -> tuple[float | None, ...]:
    """All distances at which one of *cells* was asked for, those without a number, too."""
    wanted = set(cells)
    found = {cell.rtt for cell in index if _placeless(cell) in wanted}
    return tuple(sorted(found, key=lambda rtt: -1.0 if rtt is None else rtt))


def _line(
    candidate: Cell,
    reference: Cell,
    rtts: Sequence[float | None],
    compared: dict[tuple[Cell, Cell], Comparison],
    index: dict[Cell, CellFinding],
) -> Line:
    points = []
    for rtt in rtts:
        both = replace(candidate, rtt=rtt), replace(reference, rtt=rtt)
        found = compared.get(both)
        points.append(Point(rtt, found, "" if found else _missing(both, index)))
    return Line(candidate, reference, tuple(points), _count(candidate, rtts, index))


def _missing(both: tuple[Cell, Cell], index: dict[Cell, CellFinding]) -> str:
    """Why two cells have no ratio: the end of the one without a number, with its reason."""
    for cell in both:
        found = index.get(cell)
        if found is not None and found.status != "OK":
            whose = "" if cell is both[0] else f"{cell.lane} "
            return f"{whose}{found.status}: {found.reason}".removesuffix(": ")
    return ""


def _count(
    cell: Cell, rtts: Sequence[float | None], index: dict[Cell, CellFinding]
) -> Count | None:
    """What a lane does on the wire, which is the same at each distance."""
    known = (index.get(replace(cell, rtt=rtt)) for rtt in rtts)
    return next((one.count for one in known if one and one.count and one.count.operations), None)


def achieved(cells: Sequence[CellFinding]) -> dict[float, tuple[float, float]]:
    """Asked in ms -> the least and the most that the relay added, in ns, over *cells*."""
    found: dict[float, list[float]] = {}
    for one in cells:
        if one.cell.rtt is not None and one.added_rtt is not None:
            found.setdefault(one.cell.rtt, []).append(one.added_rtt)
    return {rtt: (min(found[rtt]), max(found[rtt])) for rtt in sorted(found)}


def fades_from(line: Line) -> float | None:
    """The distance in ms from which on the two take the same time, and nearer not.

    None where that is so from the nearest on, nowhere, or with a point missing in between.
    """
    behind = [one for one in line.points if one.rtt is not None]
    alike = [one.found is not None and one.found.verdict == "same" for one in behind]
    for place, (before, after) in enumerate(pairwise(alike)):
        if not before and after and all(alike[place + 1 :]) and behind[place].found:
            return behind[place + 1].rtt
    return None
