"""The caption of the chart of rows an operation: how to read it, and what was left out of it."""

from collections.abc import Sequence

from ormbench.report.batch_phases import rows_text
from ormbench.report.batches import Grid
from ormbench.report.conditions import placement_text
from ormbench.report.findings import Findings
from ormbench.report.names import driver_name

_REASONS = 3  # that are told; the tables have all
_FOOTING = (
    "Rows per second of {}: rows of an operation over its mean time in its first group, all "
    "clients together. Of each other strategy: that, divided by its ratio of times to {}, which "
    "was measured in turns with it; so all stand on the same footing."
)
_CROSSING = (
    "A crossing stands where one strategy is decidedly slower with one number of rows and "
    "decidedly faster with the next; its place in between is read off the straight lines."
)
_GAP = "No line goes across a number of rows without a number."


def note(findings: Findings, found: Sequence[Grid], drawn: int) -> str:
    """The caption of the chart of *found*, of which *drawn* grids are in the picture."""
    measured = [one.found for grid in found for one in grid.points if one.found]
    counts = [one.operations for one in measured]
    fewest, most = min(counts), max(counts)
    span = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    names = " or ".join(dict.fromkeys(grid.reference for grid in found))
    parts = [
        _stories(findings, found),
        _FOOTING.format(names, names),
        _CROSSING if any(grid.crossings for grid in found) else "",
        f"99 % intervals over {findings.blocks} blocks; {span} operations a cell.",
        f"{placement_text(one.cell for one in measured).capitalize()}.",
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
    """Why points are missing: "Missing: copy (MySQL aiomysql, 1 row): UNSUPPORTED: ...; ..."."""
    reasons: dict[str, dict[tuple[str, str], list[int]]] = {}
    for grid in found:
        for point in grid.points:
            if point.found is None:
                place = point.cell.lane, driver_name(grid.key.target)
                reasons.setdefault(point.missing, {}).setdefault(place, []).append(point.batch)
    texts = [
        f"{', '.join(_place(*place, batches) for place, batches in places.items())}: {why}"
        for why, places in reasons.items()
    ]
    more = f"; {len(texts) - _REASONS} more in the tables" if len(texts) > _REASONS else ""
    return f"{_GAP} Missing: {'; '.join(texts[:_REASONS])}{more}." if texts else ""


def _place(lane: str, driver: str, batches: Sequence[int]) -> str:
    """As "copy (MySQL aiomysql, 1,000 rows)", "copy (MySQL aiomysql, 1 to 10,000 rows)"."""
    least, most = min(batches), max(batches)
    span = rows_text(most) if least == most else f"{least:,} to {rows_text(most)}"
    return f"{lane} ({driver}, {span})"
