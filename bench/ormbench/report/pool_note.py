"""The caption of the chart of pools: how to read it, and what was left out of it."""

from collections.abc import Sequence

from ormbench.report.conditions import placement_text
from ormbench.report.digest_pools import CHURN
from ormbench.report.findings import Findings
from ormbench.report.pool_map import PoolMap
from ormbench.report.pool_words import pool_name

_REASONS = 3  # that are told; the tables have all
_READING = (
    "Each column has its own 100 %: the best pool for as many clients. Connections at most: size + "
    "overflow, of all processes together; below the dashed line they are fewer than clients."
)
_MARKS = (
    "S starves: decidedly below 95 % of the best, with fewer connections than clients. W wastes: "
    "decidedly within 5 %, but holds more connections than the smallest that is. C churns: opens "
    f"more than {CHURN:.0f} connections per 1,000 operations."
)
_FAILED = (
    "F fails: some operations got no connection in time; there goodput "
    "decides, block by block, and not time."
)
_UNDECIDED = "?: the interval does not decide whether it is within 5 %."


def note(findings: Findings, found: Sequence[PoolMap], drawn: int) -> str:
    """The caption of the chart of *found*, of which *drawn* maps are in the picture."""
    entries = [entry for one in found for entry in one.entries]
    measured = [entry.found for entry in entries if entry.found]
    counts = [one.operations for one in measured]
    fewest, most = min(counts), max(counts)
    span = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    parts = [
        _stories(findings, found),
        _READING,
        _MARKS,
        _FAILED if any(entry.failed for entry in entries) else "",
        _UNDECIDED,
        f"99 % intervals over {findings.blocks} blocks; {span} operations a cell.",
        f"{placement_text(one.cell for one in measured).capitalize()}.",
        _missing(found),
        f"{drawn} of {len(found)} maps drawn; the tables have all." if drawn < len(found) else "",
    ]
    return " ".join(part for part in parts if part)


def _stories(findings: Findings, found: Sequence[PoolMap]) -> str:
    """What each scenario does, which says how long it holds a connection."""
    known = dict(findings.stories)
    names = dict.fromkeys(one.cell.scenario for one in found)
    return " ".join(known[name] for name in names if known.get(name))


def _missing(found: Sequence[PoolMap]) -> str:
    """Why cells are hatched: "Hatched: 64+0 for 64 clients: it needs 400 connections, ..."."""
    reasons: dict[str, list[str]] = {}
    for one in found:
        for entry in one.entries:
            if entry.missing:
                words = f"{pool_name(entry)} for {entry.cell.clients}"
                reasons.setdefault(entry.missing, []).append(words)
    texts = [f"{', '.join(dict.fromkeys(cells))}: {why}" for why, cells in reasons.items()]
    more = f"; {len(texts) - _REASONS} more in the tables" if len(texts) > _REASONS else ""
    return f"Hatched: {'; '.join(texts[:_REASONS])}{more}." if texts else ""
