"""What the unfolded row of a cell says of its pool: size, waits, what idle connections met."""

from collections.abc import Iterator

from ormbench.report.findings import CellFinding
from ormbench.report.quantities import time_text

ANSWERED = "answered"  # what an operation did that no closed connection hurt


def pool_facts(found: CellFinding, *, numbers: bool) -> Iterator[tuple[str, str]]:
    """Each with its name; times and rates only where *numbers* may be read."""
    if found.cell.processes > 1:
        yield "processes", f"{found.cell.processes}, each with a pool of its own"
    if found.cell.pool is not None:
        yield "connections at most", f"{found.cell.connections:,}"
    if numbers:
        for percentile, waited in found.checkout:
            yield f"checkout wait p{percentile:g}", time_text(waited)
    if found.idle:
        yield "idle connections", idle_text(found)


def idle_text(found: CellFinding) -> str:
    """As "right after the server closed them: 3 of 10 failed with InterfaceError, 7 answered"."""
    if not found.idle:
        return ""
    counts = dict(found.idle)
    answered, asked = counts.pop(ANSWERED, 0), sum(dict(found.idle).values())
    failed = [f"{count} of {asked} failed with {error}" for error, count in counts.items()]
    told = ", ".join([*failed, f"{answered} answered" if failed else f"all {asked} answered"])
    return f"right after the server closed idle connections: {told}"
