"""The rows of the page's tables: every number as text, beside the value it sorts by.

Where the run is not usable, rows have outcomes and reasons, and no times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from ormbench.report import lateness, questions
from ormbench.report.comparison_words import comparison_name, difference, short_ratio, wrong_words
from ormbench.report.conditions import placement_text, transaction_text
from ormbench.report.findings import CellFinding, Comparison, Findings
from ormbench.report.names import axes_text, driver_name
from ormbench.report.outcome_facts import outcome_facts
from ormbench.report.pool_facts import pool_facts
from ormbench.report.quantities import (
    difference_text,
    mean_text,
    per_1000_text,
    percentile_name,
    plain_ratio_text,
    rate_text,
    time_text,
)
from ormbench.report.round_trips import any_counted, trips, trips_text, versus
from ormbench.report.sparkline import sparkline
from ormbench.report.transcript import transcript_lines
from ormbench.report.wire_facts import (
    count_facts,
    distance_facts,
    not_counted,
    server_facts,
)
from ormbench.report.wrong_data import fails
from ormbench.stats.verdict import WRONG_DATA

MARKS = {"slower": "▲", "faster": "▼", "same": "●", "cannot tell": "○", WRONG_DATA: "✕"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A table cell: its words, what it sorts by, and the verdict that it carries."""

    text: str = ""
    sort: float | str = ""
    verdict: str = ""

    @property
    def mark(self) -> str:
        """The verdict's shape; "" where there is none."""
        return MARKS.get(self.verdict, "")


@dataclass(frozen=True, slots=True)
class CellRow:
    """A cell as the page shows it."""

    finding: CellFinding
    name: str  # lane, and the axes that are not at their default
    driver: str
    ok: bool
    mean: Shown
    throughput: Shown
    slowest: Shown
    ratio: Shown
    trips: Shown
    new: Shown
    lag: str  # of a lane that blocks the event loop: how late that was
    spark: Markup
    facts: tuple[tuple[str, str], ...]  # for the unfolded row
    counts: tuple[tuple[str, str], ...]  # of one operation on the wire
    proof: tuple[tuple[str, str], ...]  # what the server's own counters say
    uncounted: str  # why there are no counts
    transcript: tuple[str, ...]  # one message a line
    link: str  # address of the documentation page; "" where it is none that a browser should open
    fragment: str  # what follows "#" in a link to this row


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """A comparison as the page shows it."""

    name: str
    ratio: Shown
    difference: str
    cpu: str
    total: str
    stalls: str
    trips: str  # of both on the wire, and what makes the difference


def cell_rows(findings: Findings) -> tuple[CellRow, ...]:
    """All cells, in the order of the findings."""
    return tuple(_cell_row(findings, one) for one in findings.cells)


def comparison_rows(findings: Findings) -> tuple[ComparisonRow, ...]:
    """All comparisons; of a run that is not usable, its A/A pairs alone."""
    usable = findings.trust.usable
    counts = {one.cell: one.count for one in findings.cells}
    return tuple(
        _comparison_row(one, versus(counts.get(one.candidate), counts.get(one.reference)))
        for one in findings.comparisons
        if usable or one.kind == "aa"
    )


def _cell_row(findings: Findings, one: CellFinding) -> CellRow:
    numbers = findings.trust.usable and one.status == "OK"
    return CellRow(
        finding=one,
        name=" ".join([one.cell.lane, *axes_text(one.cell.unusual())]),
        driver=driver_name(one.cell.target),
        ok=one.status == "OK",
        mean=_mean(one) if numbers else Shown(),
        throughput=_throughput(one) if numbers else Shown(),
        slowest=_slowest(one) if numbers else Shown(),
        ratio=_ratio(findings, one) if numbers else Shown(),
        trips=_trips(one),
        new=Shown(per_1000_text(one.new_per_1000), one.new_per_1000) if one.operations else Shown(),
        lag=lateness.lag_text(one) if numbers else "",
        spark=sparkline(one.block_means) if numbers else Markup(),
        facts=tuple(_facts(one, numbers=numbers)),
        counts=tuple(count_facts(one.count)),
        proof=tuple(server_facts(one)),
        uncounted=not_counted(one, run_counted=any_counted(findings.cells)),
        transcript=tuple(transcript_lines(one.count.transcript)) if one.count else (),
        link=web_address(one.docs),
        fragment=quote(one.cell.id, safe="/+=:,"),
    )


def web_address(text: str) -> str:
    """*text* where it is an address of the web, and "" where it is anything else."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc else ""


def _trips(one: CellFinding) -> Shown:
    span = trips(one.count)
    return Shown(trips_text(one), (span[0] + span[1]) / 2) if span else Shown()


def _mean(one: CellFinding) -> Shown:
    if one.service is None:
        return Shown()
    return Shown("; ".join(filter(None, [mean_text(one.service), fails(one)])), one.service.value)


def _throughput(one: CellFinding) -> Shown:
    return Shown(rate_text(one.throughput), one.throughput.value) if one.throughput else Shown()


def _slowest(one: CellFinding) -> Shown:
    if not one.percentiles:
        return Shown()
    name, value = one.percentiles[-1]
    return Shown(f"{percentile_name(name)} {time_text(value)}", value)


def _ratio(findings: Findings, one: CellFinding) -> Shown:
    comparison = questions.against_reference(findings, one.cell)
    if comparison is not None:
        return _verdict(comparison)
    return Shown("reference", 1.0) if questions.is_reference(findings, one.cell) else Shown()


def _verdict(one: Comparison) -> Shown:
    if one.verdict == WRONG_DATA:
        return Shown(short_ratio(one), verdict=one.verdict)
    return Shown(short_ratio(one), one.ratio.value, one.verdict)


def _facts(one: CellFinding, *, numbers: bool) -> list[tuple[str, str]]:
    facts = [("operations", f"{one.operations:,}"), *outcome_facts(one)]
    if numbers:
        facts += _percentiles("service", one.percentiles)
        facts += _percentiles("response", one.response)
        if one.client_cpu:
            facts.append(("client CPU", f"{mean_text(one.client_cpu)} per operation"))
        if one.lag is not None:
            facts.append(("event loop late, p99", time_text(one.lag)))
        if one.bound:
            facts.append(("class", one.bound))
    facts.append(("placement", placement_text([one.cell])))
    facts.append(("transaction", transaction_text([one.cell])))
    facts.append(("clients", str(one.cell.clients)))
    return [*facts, *pool_facts(one, numbers=numbers), *distance_facts(one)]


def _percentiles(clock: str, known: Sequence[tuple[float, int]]) -> list[tuple[str, str]]:
    return [(f"{clock} {percentile_name(name)}", time_text(ns)) for name, ns in known]


def _comparison_row(one: Comparison, on_the_wire: str) -> ComparisonRow:
    if one.verdict == WRONG_DATA:
        words = Shown(f"{WRONG_DATA}: {wrong_words(one)}", verdict=WRONG_DATA)
        return ComparisonRow(comparison_name(one), words, "", "", "", "", on_the_wire)
    return ComparisonRow(
        name=comparison_name(one),
        ratio=_verdict(one),
        difference=difference(one),
        cpu=difference_text(one.cpu_difference),
        total=plain_ratio_text(one.total_ratio),
        stalls=f"{one.stalls[0]} / {one.stalls[1]}",
        trips=on_the_wire,
    )
