"""A cell's counts, its server counters and its transcript as plain lines, for a terminal."""

import textwrap
from collections.abc import Iterator

from ormbench.report.findings import CellFinding
from ormbench.report.quantities import counted_text, span_text
from ormbench.report.round_trips import statements_text
from ormbench.report.transcript import transcript_lines
from ormbench.report.wire_facts import distance_facts, not_counted, server_facts
from ormbench.results.count import Count

_WIDTH = 96  # columns of a transcript
_MOST = 60  # its lines
_INDENT = " " * 4


def wire_lines(found: CellFinding, *, run_counted: bool) -> Iterator[str]:
    """What one operation of a cell did on the wire; why that is not known, where it is not."""
    if missing := not_counted(found, run_counted=run_counted):
        yield f"  not counted on the wire: {missing}"
    elif found.count is not None:
        counts = f"on the wire, one operation: {counts_text(found.count)}"
        yield from textwrap.wrap(counts, _WIDTH, initial_indent="  ", subsequent_indent=_INDENT)
        statements = statements_text(found.count.operations[-1].statements)
        if statements:
            yield f"{_INDENT}statements: {statements}"
        yield from _transcript(found.count)
    for name, text in (*server_facts(found), *distance_facts(found)):
        yield f"  {name}: {text}"


def _transcript(count: Count) -> Iterator[str]:
    """Its lines between two empty ones; nothing where nothing passed."""
    room = _WIDTH - len(_INDENT)
    lines = list(transcript_lines(count.transcript, width=room, most=_MOST, plain=True))
    if lines:
        yield from ("", *(f"{_INDENT}{line}" for line in lines), "")


def counts_text(count: Count) -> str:
    """As "3 round trips, 3 requests, 95 bytes sent, 471 received, no connection; ..."."""
    spans = {
        name: count.span(name) or (0, 0)
        for name in ("round_trips", "requests", "sent", "received", "connections")
    }
    told = (
        f"{counted_text(spans['round_trips'], 'round trip')}, "
        f"{counted_text(spans['requests'], 'request')}, "
        f"{counted_text(spans['sent'], 'byte')} sent, {span_text(spans['received'])} received, "
        f"{counted_text(spans['connections'], 'connection')}"
    )
    begun, asked = count.span("transactions") or (0, 0), count.span("questions") or (0, 0)
    if begun != (0, 0):
        return f"{told}; the server began {counted_text(begun, 'transaction')}"
    return f"{told}; {counted_text(asked, 'question')} to the server" if asked != (0, 0) else told
