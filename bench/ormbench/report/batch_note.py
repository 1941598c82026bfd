"""The caption of the chart of rows an operation: how to read it, and what was left out of it."""

from collections.abc import Sequence

from ormbench.report.batch_phases import rows_text
from ormbench.report.batches import Grid
from ormbench.report.chart_axis import clipped
from ormbench.report.conditions import placement_text
from ormbench.report.findings import Findings
from ormbench.report.names import driver_name

_REASON = 50  # letters of a reason; the tables have all
_FOOTING = "Rows per second: those of {} as measured, others by their ratio to it."
_CROSSING = "Numbers: where one decidedly passes another."


def note(findings: Findings, found: Sequence[Grid], drawn: int) -> str:
    """The caption of the chart of *found*, of which *drawn* grids are in the picture."""
    measured = [one.found for grid in found for one in grid.points if one.found]
    counts = [one.operations for one in measured]
    fewest, most = min(counts), max(counts)
    span = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    names = " or ".join(dict.fromkeys(grid.reference for grid in found))
    parts = [
        _stories(findings, found),
        _FOOTING.format(names),
        _CROSSING if any(grid.crossings for grid in found) else "",
        f"99 % intervals over {findings.blocks} blocks; {span} operations a cell;",
        f"{placement_text(one.cell for one in measured)}.",
        _missing(found),
        f"{drawn} of {len(found)} grids drawn; the tables have all." if drawn < len(found) else "",
    ]
    return " ".join(part for part in parts if part)


def _stories(findings: Findings, found: Sequence[Grid]) -> str:
    """What situation each scenario is."""
    known = dict(findings.stories)
    names = dict.fromkeys(grid.key.scenario for grid in found)
    return " ".join(known[name] for name in names if known.get(name))


def _missing(found: Sequence[Grid]) -> str:
    """Why the line with the most gaps has them: "Gaps: copy (MySQL aiomysql, 1 row): ERROR"."""
    gaps: dict[tuple[str, str], list[int]] = {}
    reasons: dict[tuple[str, str], str] = {}
    for grid in found:
        drawn = {point.cell.lane for point in grid.points if point.found}
        for point in grid.points:
            if point.found is None and point.cell.lane in drawn:
                place = point.cell.lane, driver_name(grid.key.target)
                gaps.setdefault(place, []).append(point.batch)
                reasons.setdefault(place, point.missing)
    if not gaps:
        return ""
    most = max(gaps, key=lambda place: len(gaps[place]))
    more = f"; {len(gaps) - 1} more: see the tables" if len(gaps) > 1 else ""
    why = clipped(reasons[most], _REASON)
    return f"Gaps: {_place(*most, gaps[most])}: {why}{more}."


def _place(lane: str, driver: str, batches: Sequence[int]) -> str:
    """As "copy (MySQL aiomysql, 1,000 rows)", "copy (MySQL aiomysql, 1 to 10,000 rows)"."""
    least, most = min(batches), max(batches)
    span = rows_text(most) if least == most else f"{least:,} to {rows_text(most)}"
    return f"{lane} ({driver}, {span})"
