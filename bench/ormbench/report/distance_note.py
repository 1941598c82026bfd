"""The caption of the chart of distance: how to read it, and what the relay added indeed."""

from collections.abc import Sequence

from ormbench.report.digest_distance import Panel, achieved
from ormbench.report.distance_table import panel_name
from ormbench.report.distance_words import place_text
from ormbench.report.findings import CellFinding, Findings

_GAPS = 3  # that are told; the tables have all


def note(findings: Findings, found: Sequence[Panel], drawn: int) -> str:
    """The caption of the chart of *found*, of which *drawn* panels are in the picture."""
    compared = [p.found for one in found for line in one.lines for p in line.points if p.found]
    blocks = min(one.ratio.blocks for one in compared)
    cells = {cell for one in compared for cell in (one.candidate, one.reference)}
    reading = (
        "Ratio of times, candidate / reference at the same distance, on a log axis; ribbon: 99 % "
        f"interval over {blocks} blocks; hollow: cannot tell."
    )
    slope = (
        "Trips: round trips of an operation, as counted on the wire; each takes the added time "
        "once, so that far away the ratio is that of the trips."
    )
    places = "Same host, same zone, other zone: for orientation."
    through = (
        "At +0 ms, too, all passes through the relay, whose wake-ups cost more than it adds: "
        "straight to the server ratios are farther from 1."
    )
    added = _achieved_text([one for one in findings.cells if one.cell in cells])
    parts = [reading, added, through, slope, places, _gaps_text(found)]
    if drawn < len(found):
        parts.append(f"{drawn} of {len(found)} panels drawn; the tables have all.")
    return " ".join(part for part in parts if part)


def _gaps_text(found: Sequence[Panel]) -> str:
    """Why lines have gaps: "No ratio: orm at +5 ms for bulk_create: TIMEOUT: ..."."""
    texts = [
        f"{line.candidate.lane} {place_text(point)} for {panel_name(panel)}: {point.missing}"
        for panel in found
        for line in panel.lines
        for point in line.points
        if point.missing
    ]
    more = f"; {len(texts) - _GAPS} more in the tables" if len(texts) > _GAPS else ""
    return f"No ratio: {'; '.join(texts[:_GAPS])}{more}." if texts else ""


def _achieved_text(cells: Sequence[CellFinding]) -> str:
    """As "The relay was asked for 0.5 ms and added 0.55 to 0.57, ..."."""
    texts = [
        f"{'for ' if not place else ''}{rtt:g} ms and added {_span_ms(span)}"
        for place, (rtt, span) in enumerate(achieved(cells).items())
    ]
    return f"The relay was asked {', '.join(texts)}." if texts else ""


def _span_ms(span: tuple[float, float]) -> str:
    """As "0.56" or "0.55 to 0.58" of nanoseconds, in milliseconds."""
    low, high = (f"{one / 1e6:.2f}" for one in span)
    return low if low == high else f"{low} to {high}"
