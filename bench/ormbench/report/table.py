"""The cells as CSV: one flat row each, numbers in full, units in the names of the columns.

A text that a spreadsheet would take for a formula gets an apostrophe in front.
"""

import csv
import io
import math
from collections.abc import Iterator

from ormbench.report import questions
from ormbench.report.findings import CellFinding, Estimate, Findings, Outcomes
from ormbench.report.quantities import percentile_name
from ormbench.report.round_trips import any_counted
from ormbench.report.words import readable
from ormbench.report.wrong_data import rate
from ormbench.stats.verdict import WRONG_DATA

_COUNTS = {  # name of a field of Tally -> what a column calls it
    "round_trips": "round_trips",
    "requests": "requests",
    "messages": "messages_sent",
    "sent": "bytes_sent",
    "received": "bytes_received",
    "connections": "connections_opened",
}

Value = str | int | float | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def render(findings: Findings) -> str:
    """Render the table. Where the run is not usable, `run_usable` says "no" in every row."""
    known = readable(findings)
    rows = [dict(_row(known, one)) for one in known.cells]
    names = dict.fromkeys(name for row in rows for name in row) or dict.fromkeys(["run"])
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, fieldnames=list(names), restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    return file.getvalue()


def _harmless(value: Value) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value


def _row(findings: Findings, one: CellFinding) -> Iterator[tuple[str, Value]]:
    cell = one.cell
    yield "run", findings.run
    yield "run_usable", "yes" if findings.trust.usable else "no"
    yield "started_utc", findings.started
    yield "plan", findings.plan
    yield "cell", cell.id
    yield "scenario", cell.scenario
    yield "lane", cell.lane
    yield "target", cell.target
    yield "clients", cell.clients
    yield "transaction", cell.transaction
    yield "placement", cell.placement
    yield "offered_rate_op_per_s", cell.rate
    yield "arrivals", cell.arrivals if cell.rate is not None else ""
    yield "event_loop", cell.loop
    yield "status", one.status
    yield "reason", one.reason
    yield "label", one.label
    yield "operations", one.operations
    yield "blocks", one.service.blocks if one.service else None
    yield from _estimate("service_mean", "ns_per_op", one.service)
    yield from _estimate("throughput", "op_per_s", one.throughput)
    yield from _estimate("client_cpu", "ns_per_op", one.client_cpu)
    for clock, known in (("service", one.percentiles), ("response", one.response)):
        for name, value in known:
            yield f"{clock}_{percentile_name(name).replace('.', '_')}_ns", value
    yield "new_connections_per_1000_op", one.new_per_1000
    yield "event_loop_lag_p99_ns", one.lag
    yield "bound", one.bound
    if any_counted(findings.cells):
        yield from _counts(one)
    if any(other.cell.rtt is not None for other in findings.cells):
        yield "added_rtt_asked_ms", cell.rtt
        yield "added_rtt_achieved_ns", one.added_rtt
    if any(other.cell.pool or other.cell.processes > 1 for other in findings.cells):
        yield "pool", cell.pool or "fitted"
        yield "processes", cell.processes
        yield "connections_most", cell.connections
    if any(other.checkout for other in findings.cells):
        yield "checkout_p50_ns", dict(one.checkout).get(50.0)
        yield "checkout_p99_ns", dict(one.checkout).get(99.0)
    if any(other.cell.isolation or other.cell.pool or other.outcomes for other in findings.cells):
        yield from _outcomes(one)
    yield from _ratio(findings, one)


def _outcomes(one: CellFinding) -> Iterator[tuple[str, Value]]:
    """What became of operations; goodput beside wrong data stands in a column of its own."""
    found, wrong = one.outcomes or Outcomes(), one.wrong
    yield "isolation", one.cell.isolation or ""
    yield from _estimate("goodput", "op_per_s", None if wrong else one.goodput)
    beside = one.goodput.value if wrong and one.goodput else None
    yield "goodput_beside_wrong_data_op_per_s", beside
    known = bool(one.operations)
    lost, broken = (wrong.lost, wrong.broken) if wrong else (0, 0)
    of = wrong.operations if wrong else one.operations
    yield "lost_updates_per_1000_op", rate(lost, of) if known else None
    yield "broken_per_1000_op", rate(broken, of) if known else None
    yield "aborted_attempts_per_1000_op", rate(found.aborted, one.operations) if known else None
    yield "failed_op", found.failed if known else None


def _counts(one: CellFinding) -> Iterator[tuple[str, Value]]:
    """The counts of one operation, the least and the most; and how many trials bear them out."""
    for name, words in _COUNTS.items():
        span = one.count.span(name) if one.count else None
        yield f"{words}_per_op_least", span[0] if span else None
        yield f"{words}_per_op_most", span[1] if span else None
    yield "server_counters_trials_agreed", one.agreed
    yield "server_counters_trials_compared", one.compared
    yield "server_counters_unverified", one.unverified


def _estimate(name: str, unit: str, estimate: Estimate | None) -> Iterator[tuple[str, Value]]:
    yield f"{name}_{unit}", estimate.value if estimate else None
    yield f"{name}_low_{unit}", _finite(estimate.low) if estimate else None
    yield f"{name}_high_{unit}", _finite(estimate.high) if estimate else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _ratio(findings: Findings, one: CellFinding) -> Iterator[tuple[str, Value]]:
    """The ratio of times to the reference; empty where there is none that may be read."""
    found = questions.against_reference(findings, one.cell) if findings.trust.usable else None
    ratio = found.ratio if found and found.verdict != WRONG_DATA else None
    yield "reference", found.reference.id if found else ""
    yield "time_ratio_to_reference", ratio.value if ratio else None
    yield "time_ratio_low", _finite(ratio.low) if ratio else None
    yield "time_ratio_high", _finite(ratio.high) if ratio else None
    yield "verdict", found.verdict if found else ""
