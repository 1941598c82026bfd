"""How a run was measured, in a few lines that stand beside its numbers."""

from collections.abc import Iterator

from ormbench.report.conditions import clients_text
from ormbench.report.findings import CellFinding, Findings
from ormbench.report.isolation_words import RETRIES
from ormbench.report.names import blocks_loop, in_threads
from ormbench.report.quantities import (
    per_1000_text,
    percent_text,
    plain_ratio_text,
    time_text,
)
from ormbench.report.round_trips import any_counted, unequal
from ormbench.report.trust_facts import aa_count_text

_COMMITS_ANYHOW = ("mysql+", "mariadb+")  # targets on which SQLAlchemy commits in autocommit, too

Line = tuple[str, str]  # what it is about, and what was done


def method_lines(findings: Findings) -> tuple[Line, ...]:
    """Transaction, pool, equal work, counts, clock, interval and noise of this run."""
    measured = [one for one in findings.cells if one.operations]
    return (
        ("Transaction", _transaction(measured)),
        ("Pool", _pool(measured)),
        ("Equal work", _equal_work(findings)),
        *_counts(findings),
        *_retries(measured),
        *_skipped(findings),
        ("Clock", _clock(measured)),
        ("Interval", _interval(findings)),
        ("Noise", "; ".join(_noise(findings)) + "."),
    )


def _transaction(measured: list[CellFinding]) -> str:
    shapes = {one.cell.transaction for one in measured}
    texts = []
    if "per-operation" in shapes or not shapes:
        texts.append(
            "One per operation. Every lane ends it with COMMIT: the ORM lanes through the "
            "Session, Core through the connection, raw through the driver."
        )
    if "autocommit" in shapes:
        texts.append(_autocommit(measured))
    return " ".join(texts)


def _autocommit(measured: list[CellFinding]) -> str:
    told = "Autocommit, in all lanes of a comparison alike: no BEGIN, no COMMIT."
    cells = [one.cell for one in measured if one.cell.transaction == "autocommit"]
    if not any(cell.target.startswith(_COMMITS_ANYHOW) for cell in cells):
        return told
    return told.removesuffix(".") + (
        "; but on MySQL and MariaDB SQLAlchemy sends COMMIT and ROLLBACK all the same: two round "
        "trips of ORM and Core that raw has not."
    )


def _pool(measured: list[CellFinding]) -> str:
    opened = "Opened before the clock starts. Connections opened while measuring: "
    most = max(measured, key=lambda one: one.new_per_1000, default=None)
    if most is None or most.new_per_1000 <= 0:
        return f"{opened}none."
    return (
        f"{opened}up to {per_1000_text(most.new_per_1000)} per 1,000 operations ({most.cell.id})."
    )


def _equal_work(findings: Findings) -> str:
    trust = findings.trust
    return (
        "Same inputs, same rows, same end state. Proven against the reference answers before the "
        f"first timed slice: {trust.correct} of {trust.checked} cells."
    )


def _counts(findings: Findings) -> Iterator[Line]:
    """How the wire was counted, by whom that was checked, and where lanes differ on it."""
    if not any_counted(findings.cells):
        return
    told = (
        "Round trips, messages and bytes: a few operations of each cell run one by one on a warm "
        "connection through a relay between client and server, apart from the timed slices."
    )
    texts = [told]
    if findings.trust.compared:
        texts.append(
            "Server counters: read before and after the timed rounds of each trial, they must "
            "equal its operations times these counts."
        )
    if differing := unequal(findings):
        texts.append(f"Not alike on the wire: {'; '.join(differing)}.")
    yield "Counts", " ".join(texts)


def _retries(measured: list[CellFinding]) -> Iterator[Line]:
    """Which attempts were made again, and how, where any was."""
    aborted = [one for one in measured if one.outcomes and one.outcomes.aborted]
    if aborted:
        cells = f"{len(aborted)} cell{'' if len(aborted) == 1 else 's'}"
        yield "Retries", f"{RETRIES} In {cells}; the time of an operation includes all attempts."


def _skipped(findings: Findings) -> Iterator[Line]:
    """Why the time in the reason of a skipped cell is not the mean that stands beside it."""
    skipped = [one for one in findings.cells if one.status == "SKIPPED"]
    if any(one.reason.startswith("predicted") for one in skipped):
        told = (
            "A cell that would take too long is not run. The time that its reason tells, with "
            "fewer rows, is that in the first block; tables have the mean of all blocks."
        )
        yield "Skipped", told


def _clock(measured: list[CellFinding]) -> str:
    clients = clients_text(one.cell for one in measured)
    texts = []
    if any(one.cell.rate is None for one in measured) or not measured:
        texts.append(
            f"Service time, from start to end of an operation, in a closed loop ({clients}). "
            "That is not response time under load."
        )
    if any(one.cell.rate is not None for one in measured):
        texts.append("Response time, from when an operation was due to its end, in an open loop.")
    if any(in_threads(one.cell) for one in measured):
        texts.append("Drivers that block run in threads, one for each client.")
    if any(blocks_loop(one.cell) for one in measured):
        texts.append(
            "Lanes on the event loop hold it while they run: their service time holds the wait for "
            "it, and the loop's lateness shows what everybody else waited."
        )
    return " ".join(texts)


def _interval(findings: Findings) -> str:
    told = (
        f"99 %, over {findings.blocks} blocks of fresh processes. Slices are paired; a ratio is "
        "the Hodges-Lehmann estimate over blocks. Verdicts come from the interval alone."
    )
    if not any(one.wrong for one in findings.cells):
        return told
    return told.removesuffix(".") + (
        "; but where a lane lost updates or broke an invariant, the verdict is wrong data, and "
        "there is no time."
    )


def _noise(findings: Findings) -> Iterator[str]:
    trust = findings.trust
    pair = plain_ratio_text(trust.aa.ratio) if trust.aa else "not measured"
    yield f"Two identical lanes in this run (A/A): {pair}"
    if findings.aa_count is not None:
        yield aa_count_text(findings)
    if trust.sees is not None:
        yield f"smallest difference it can tell: {percent_text(trust.sees)}"
    if trust.harness is not None:
        yield f"the harness itself: {time_text(trust.harness.value)} per operation"
