"""Reasons to doubt a run: gathered from its cells, its comparisons and the run as a whole.

Equal doubts become one, so that a noisy machine prints one line and not one for each cell.
"""

from collections.abc import Sequence

from ormbench.report.digest_index import Index
from ormbench.report.doubts_cells import cell_sightings
from ormbench.report.doubts_run import comparison_sightings, run_doubts
from ormbench.report.findings import CellFinding, Comparison, Doubt
from ormbench.report.sighting import Sighting


def doubts(
    index: Index, cells: Sequence[CellFinding], comparisons: Sequence[Comparison]
) -> tuple[Doubt, ...]:
    """Every reason for doubt, the fatal ones first."""
    sightings = [one for cell in cells for one in cell_sightings(index, cell)]
    sightings += [one for comparison in comparisons for one in comparison_sightings(comparison)]
    found = [*grouped(sightings), *run_doubts(index, comparisons)]
    return tuple(sorted(found, key=lambda doubt: not doubt.fatal))


def grouped(sightings: Sequence[Sighting]) -> tuple[Doubt, ...]:
    """One doubt for each code, about its worst sighting, with the ids of all cells it concerns."""
    by_code: dict[str, list[Sighting]] = {}
    for one in sightings:
        by_code.setdefault(one.code, []).append(one)
    return tuple(_doubt(alike) for alike in by_code.values())


def _doubt(alike: Sequence[Sighting]) -> Doubt:
    worst = max(alike, key=lambda one: one.badness)
    cells = tuple(dict.fromkeys(one.cell for one in alike))
    seen = worst.seen if len(cells) == 1 else f"{len(cells)} cells, {worst.cell} most: {worst.seen}"
    about = worst.cell if len(cells) == 1 else "run"
    return Doubt(worst.code, about, seen, worst.cause, worst.remedy, worst.fatal, cells)
