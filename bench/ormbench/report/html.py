"""The report page: one file that opens offline, answer first.

The template escapes all that it shows; the page's own policy forbids it to load anything and
to run any script but the one written here.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ormbench.report import doubts_gravest, gaps, questions
from ormbench.report.batch_table import NOT_ASKED, BatchTable, batch_tables
from ormbench.report.batch_words import QUESTIONS
from ormbench.report.conditions import (
    clients_text,
    focus_driver,
    placement_text,
    servers_text,
    transaction_text,
    versions,
)
from ormbench.report.distance_table import distance_tables
from ormbench.report.drawing import Drawing
from ormbench.report.findings import Findings
from ormbench.report.isolation_table import HEADS, isolation_tables
from ormbench.report.lane_key import lane_key
from ormbench.report.method import method_lines
from ormbench.report.pool_table import pool_tables
from ormbench.report.quantities import duration_text
from ormbench.report.reading_order import in_reading_order
from ormbench.report.round_trips import any_counted
from ormbench.report.rows import cell_rows, comparison_rows
from ormbench.report.trust_facts import trust_facts
from ormbench.report.words import readable

_BATCHES = "batches"  # opens the name of a chart of strategies; in the order of their scenarios


def render(findings: Findings, drawings: Sequence[Drawing] = ()) -> str:
    """Render the page. *drawings* are those of these findings: see `charts.draw_all`."""
    known = in_reading_order(readable(findings))
    script = _asset("report.js")
    ladders = [one for one in drawings if one.name.startswith("ladder")]
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            findings=known,
            trust=known.trust,
            usable=known.trust.usable,
            no_answer=questions.NO_ANSWER,
            head=_head(known),
            facts=trust_facts(known),
            reference=questions.reference_name(known),
            ladder=ladders[0] if ladders else None,
            other_ladders=ladders[1:],
            charts=_ordered(known, [one for one in drawings if one not in ladders]),
            cells=cell_rows(known),
            comparisons=comparison_rows(known),
            distances=distance_tables(known),
            isolations=isolation_tables(known),
            isolation_heads=HEADS,
            pools=pool_tables(known),
            batches=_under(drawings, batch_tables(known)),
            absent=gaps.absent(known),
            missing=gaps.without_numbers(known),
            missing_count=sum(len(ids) for _, _, ids in gaps.without_numbers(known)),
            cell_count=gaps.counted(known),
            gravest=doubts_gravest.text(known.trust),
            lane_key=lane_key(known),
            not_asked=NOT_ASKED,
            several=len(known.servers) > 1,
            counted=any_counted(known.cells),
            method=method_lines(known),
            settled=[one for one in known.trust.doubts if not one.fatal],
            fatal=[one for one in known.trust.doubts if one.fatal],
            style=Markup(_asset("report.css")),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - a file of this package
            script_hash=_source_hash(script),
            trusted=Markup,
        )
    )


def _ordered(findings: Findings, drawings: Sequence[Drawing]) -> list[Drawing]:
    """First the chart of all ratios; where the answer is about strategies, theirs."""
    strategies = any(card.question in QUESTIONS for card in findings.cards)
    first = _BATCHES if strategies else "forest"
    return sorted(drawings, key=lambda one: one.name != first)


def _under(
    drawings: Sequence[Drawing], tables: Sequence[BatchTable]
) -> dict[str, list[BatchTable]]:
    """The tables of each scenario by the name of its chart; under the last those without one."""
    names = [one.name for one in drawings if one.name.startswith(_BATCHES)]
    scenarios = list(dict.fromkeys(one.scenario for one in tables))
    found: dict[str, list[BatchTable]] = {}
    for table in tables if names else ():
        place = min(scenarios.index(table.scenario), len(names) - 1)
        found.setdefault(names[place], []).append(table)
    return found


def _head(findings: Findings) -> tuple[str, ...]:
    """What the page's first line says: workload, server, versions, cores, date."""
    cells = [one.cell for one in questions.focus_cells(findings)]
    parts = (
        findings.focus,
        servers_text(findings),
        focus_driver(findings),
        *versions(findings, "SQLAlchemy", "Python"),
        clients_text(cells),
        transaction_text(cells),
        placement_text(cells),
        f"{findings.blocks} blocks, {duration_text(findings.seconds)}",
        findings.started[:10],
    )
    return tuple(part for part in parts if part)


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("ormbench.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset(name: str) -> str:
    loader = _templates().loader
    assert loader is not None  # noqa: S101 - set two lines above
    return loader.get_source(_templates(), name)[0]


def _source_hash(script: str) -> str:
    """Hash a script as a Content-Security-Policy names it."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
