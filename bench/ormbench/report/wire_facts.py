"""What the unfolded row of a cell says of the wire and of the server's own counters."""

from collections.abc import Iterator

from ormbench.report.findings import CellFinding
from ormbench.report.quantities import span_text, time_text
from ormbench.report.round_trips import statements_text
from ormbench.results.count import Count
from ormbench.truth.churn import OPENS

NO_DATABASE = "no database"
_COUNTS = {  # name of a field of Tally -> what a reader calls it
    "round_trips": "round trips",
    "requests": "requests",
    "messages": "messages sent",
    "sent": "bytes sent",
    "received": "bytes received",
    "connections": "connections opened",
}
_BEGUN = {"transactions": "transactions begun", "questions": "questions"}


def count_facts(count: Count | None) -> Iterator[tuple[str, str]]:
    """Each count of one operation with its name, a range where operations differ."""
    if count is None or not count.operations:
        return
    for name, words in (_COUNTS | _BEGUN).items():
        span = count.span(name)
        if span and (name in _COUNTS or span != (0, 0)):
            yield words, span_text(span)
    last = count.operations[-1]
    yield "statements", statements_text(last.statements) or "none"
    if last.rows:
        yield "rows", ", ".join(f"{word} {rows:,}" for word, rows in last.rows.items())
    times = len(count.operations)
    yield "counted", f"{times} operation{'s' * (times != 1)}, one client, block {count.block + 1}"


def not_counted(found: CellFinding, *, run_counted: bool) -> str:
    """Why a cell has no count; "" where it has one."""
    if found.cell.target == "none":
        return NO_DATABASE
    if found.count is None:
        return "no count of it is stored" if run_counted else "this run counted nothing"
    return "" if found.count.operations else found.count.reason or "no operation was counted"


def server_facts(found: CellFinding) -> Iterator[tuple[str, str]]:
    """Whether the server's own counters bear the counts out, and what they were."""
    whole = found.compared + found.unverified_trials
    if not whole:
        return
    if found.unverified.startswith(OPENS):
        yield from _opening_facts(found)
        return
    words = f"{found.agreed} of {whole} trial{'s' * (whole != 1)} agree"
    if found.counters:
        each = ", ".join(f"{name} {value:,}" for name, value in found.counters)
        words += f": {each} in {found.turns:,} operations"
    yield "server counters", words
    if found.unverified:
        trials = found.unverified_trials
        yield "unverified", f"{trials} trial{'s' * (trials != 1)}: {found.unverified}"


def _opening_facts(found: CellFinding) -> Iterator[tuple[str, str]]:
    """What is proven of a cell whose connections come and go, and in how many of its trials."""
    trials = found.unverified_trials
    yield "server counters", f"{trials} trial{'s' * (trials != 1)}: {found.unverified}"
    if found.compared:
        yield "server counters, alone", f"{found.agreed} of {found.compared} trials agree"


def distance_facts(found: CellFinding) -> Iterator[tuple[str, str]]:
    """Added round-trip time, asked and achieved, of a cell behind the relay."""
    if found.cell.rtt is None:
        return
    got = "not known" if found.added_rtt is None else time_text(found.added_rtt)
    yield "added round-trip time", f"{found.cell.rtt:g} ms asked, {got} achieved (mean)"
