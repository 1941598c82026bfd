"""What the TRUST line says, fact by fact."""

from collections import Counter
from collections.abc import Iterator

from ormbench.report.findings import Findings, Trust
from ormbench.report.names import product_name
from ormbench.report.quantities import percent_text, plain_ratio_text, time_text


def trust_facts(findings: Findings, *, plain: bool = False) -> tuple[str, ...]:
    """What the numbers rest on, as short phrases."""
    return tuple(_trust_facts(findings, findings.trust, plain=plain))


def _trust_facts(findings: Findings, trust: Trust, *, plain: bool) -> Iterator[str]:
    yield f"answers equal {trust.correct}/{trust.checked}"
    if trust.known_errors:
        yield f"{trust.known_errors} known error{'s' * (trust.known_errors != 1)}"
    yield from _counter_facts(findings)
    yield f"warnings {len(trust.doubts)}"
    if findings.aa_count is not None:
        yield aa_count_text(findings)
    yield _aa_text(findings, trust)
    if trust.sees is not None:
        yield f"sees {'>=' if plain else '≥'} {percent_text(trust.sees)}"
    if trust.harness is not None:
        yield f"harness {time_text(trust.harness.value, plain=plain)}"


def _counter_facts(findings: Findings) -> Iterator[str]:
    """How many cells the server's own counters bear out, and how many they cannot, and why."""
    trust = findings.trust
    if trust.compared:
        yield f"client = server {trust.agreed}/{trust.compared}"
    reasons = Counter(one.unverified for one in findings.cells if one.unverified)
    for reason, _ in reasons.most_common(1):
        cells = reasons.total()
        yield f"unverified {cells} cell{'s' * (cells != 1)}: {reason}"


def _aa_text(findings: Findings, trust: Trust) -> str:
    if trust.aa is None:
        return "A/A not measured"
    where = f" {product_name(trust.aa.candidate.target)}" if len(findings.servers) > 1 else ""
    return f"A/A{where} {plain_ratio_text(trust.aa.ratio)}"


def aa_count_text(findings: Findings) -> str:
    """Say "1 of 100 A/A comparisons called different at 99 %"; "" where only a few were made."""
    count = findings.aa_count
    if count is None:
        return ""
    return f"{count.different} of {count.comparisons} A/A comparisons called different at 99 %"
