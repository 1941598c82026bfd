"""What became of a cell's operations that did not simply succeed, as names and values."""

from collections.abc import Iterator, Sequence

from ormbench.report.findings import CellFinding
from ormbench.report.quantities import rate_text
from ormbench.report.wrong_data import PER, per_1000

Pair = tuple[str, str]


def outcome_facts(one: CellFinding) -> Iterator[Pair]:
    """Goodput, and what was lost, broken, aborted and failed; nothing where all was well."""
    found = one.outcomes
    if found is None and one.wrong is None:
        return
    if one.goodput:
        yield "goodput", rate_text(one.goodput)
    if one.wrong:
        yield "lost updates", _count(one.wrong.lost, one.wrong.operations)
        yield "broken", _count(one.wrong.broken, one.wrong.operations)
    if found and found.aborted:
        reasons = reasons_text(found.aborts)
        yield "aborted attempts", f"{_count(found.aborted, one.operations)}: {reasons}"
    if found and found.failed:
        reasons = reasons_text(found.failures)
        yield "failed", f"{_count(found.failed, one.operations)}: {reasons}"


def reasons_text(reasons: Sequence[tuple[str, int]]) -> str:
    """As "deadlock 412, serialization failure 3"."""
    return ", ".join(f"{why} {times:,}" for why, times in reasons) or "no reason is stored"


def _count(count: int, operations: int) -> str:
    return f"{count:,}, {per_1000(count, operations)} per {PER:,} operations"
