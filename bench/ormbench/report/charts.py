"""All charts of a run, drawn. Imports matplotlib: call `quiet_matplotlib.prepare` before."""

from collections.abc import Iterator

from ormbench.report import (
    chart_batches,
    chart_cells,
    chart_distance,
    chart_forest,
    chart_isolation,
    chart_ladder,
    chart_pools,
    questions,
)
from ormbench.report.chart_sheet import Sketch, draw
from ormbench.report.conditions import placement_text, servers_text
from ormbench.report.drawing import Drawing
from ormbench.report.findings import Findings, Ladder
from ormbench.report.names import product_name
from ormbench.report.reading_order import in_reading_order
from ormbench.report.words import readable

LADDERS = 4  # drawn at most: the focus and three others


def draw_all(findings: Findings) -> tuple[Drawing, ...]:
    """Draw every chart that the findings have numbers for; none where the run is not usable."""
    if not findings.trust.usable:
        return ()
    known = in_reading_order(readable(findings))
    words = origin(known)
    return tuple(draw(sketch, words) for sketch in _sketches(known))


def origin(findings: Findings) -> str:
    """Where and when a chart was measured, for the picture itself: a screenshot has no caption."""
    cells = [one.cell for one in findings.cells]
    parts = [
        findings.started[:10],
        servers_text(findings),
        *(f"{name} {value}" for name, value in findings.environment if not name.endswith(" id")),
        placement_text(cells),
        findings.scope,
        findings.run,
        "ormbench",
    ]
    return " · ".join(part for part in parts if part)


def _products_first(others: list[Ladder], focus: Ladder | None) -> list[Ladder]:
    """*others* with the first ladder of each further product before all else."""
    firsts: dict[str, Ladder] = {}
    for one in others:
        firsts.setdefault(product_name(one.target), one)
    if focus is not None:
        firsts.pop(product_name(focus.target), None)
    ahead = list(firsts.values())
    return [*ahead, *(one for one in others if one not in ahead)]


def _sketches(findings: Findings) -> Iterator[Sketch]:
    focus = questions.focus_ladder(findings)
    others = _products_first([one for one in findings.ladders if one is not focus], focus)
    for place, ladder in enumerate([focus, *others][:LADDERS] if focus else []):
        if ladder.rungs:
            name = "ladder" if place == 0 else f"ladder_{place + 1}"
            yield chart_ladder.sketch(findings, ladder, name)
    yield from chart_batches.sketches(findings)
    rest = (
        chart_forest.sketch(findings),
        chart_distance.sketch(findings),
        chart_isolation.sketch(findings),
        chart_pools.sketch(findings),
        chart_cells.throughput(findings),
        chart_cells.service_times(findings),
    )
    yield from (one for one in rest if one is not None)
