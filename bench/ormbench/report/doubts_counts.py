"""What can be wrong on the wire: no count, counters that prove nothing, another distance."""

from collections.abc import Iterator

from ormbench.report.digest_index import Index
from ormbench.report.findings import CellFinding
from ormbench.report.quantities import time_text
from ormbench.report.sighting import Sighting
from ormbench.truth.churn import OPENS

MS = 1_000_000
MOST_ADDED = 1.25  # times what was asked for
MOST_AT_ZERO_NS = 200_000  # beside that: timers wake some 70 us late, once in each direction


def count_sightings(index: Index, found: CellFinding) -> Iterator[Sighting]:
    """What was not counted, and which trials the server's counters do not prove."""
    if found.cell.target == "none":
        return
    if index.is_counted and (found.count is None or not found.count.operations):
        yield _uncounted(found)
    elif found.unverified and not _is_its_subject(found):
        yield _unverified(found)
    yield from _distance(found)


def _is_its_subject(found: CellFinding) -> bool:
    """Whether what no count can promise is what the cell is about.

    Connections that come and go, or attempts that were aborted or came to nothing.
    """
    aborted = found.outcomes is not None and (found.outcomes.aborted or found.outcomes.failed)
    return found.unverified.startswith(OPENS) or bool(aborted)


def _distance(found: CellFinding) -> Iterator[Sighting]:
    """A round-trip time that came out far from what was asked for."""
    asked, got = found.cell.rtt, found.added_rtt
    if asked is None or got is None or got <= MOST_ADDED * asked * MS + MOST_AT_ZERO_NS:
        return
    yield Sighting(
        "distance",
        found.cell.id,
        f"{asked:g} ms a round trip were asked for, the relay added {time_text(got)}",
        got - asked * MS,
        "the relay had to wait for a core",
        "read the time that was added, not the one that was asked for; close other programs",
    )


def _uncounted(found: CellFinding) -> Sighting:
    reason = found.count.reason if found.count else ""
    return Sighting(
        "uncounted",
        found.cell.id,
        f"not counted on the wire: {reason or 'no count is stored'}",
        1.0,
        "the operation failed through the relay, which lets no connection on this machine encrypt, "
        "or what passed there could not be read",
        "its answers are proven, its round trips are not: compare it with that in mind; "
        f"ormbench explain {found.cell.id}",
    )


def _unverified(found: CellFinding) -> Sighting:
    trials = found.unverified_trials
    whole = found.compared + trials
    return Sighting(
        "unverified",
        found.cell.id,
        f"server counters prove nothing in {trials} of {whole} trials: {found.unverified}",
        trials / whole,
        "something besides its operations moved the counters, or they could not be read",
        "take its work as proven by its answers alone; where others use the server, run it while "
        "they do not, or on a server that ormbench starts",
    )
