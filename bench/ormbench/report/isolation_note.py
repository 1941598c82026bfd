"""The caption of the chart of isolation levels: how to read it, and how operations were retried."""

from collections.abc import Sequence

from ormbench.report.digest_isolation import Panel
from ormbench.report.isolation_words import RETRIES
from ormbench.report.quantities import number_text

_GAPS = 3  # that are told; the tables have all


def note(found: Sequence[Panel], drawn: Sequence[Panel]) -> str:
    """The caption of the chart of *found*, of which the panels *drawn* are in the picture."""
    levels = [level for panel in drawn for level in panel.levels]
    blocks = min(one.goodput.blocks for one in levels)
    reading = (
        "Goodput: committed, correct operations per second; what was lost, broken or failed is "
        f"taken off; line: 99 % interval over {blocks} blocks. Full: the most of its lane among "
        "levels with right data, or what this run cannot tell from it."
    )
    parts = [
        reading,
        f"Goodput includes retries. {RETRIES}" if any(one.aborted for one in levels) else "",
        "Size: attempts that the server aborted, per 1,000 operations.",
        "At 0: nothing lost or broken was seen by the scenario's audits" + _bound(drawn) + ".",
        "Above: lost updates and broken invariants; such a level is no choice at any speed.",
        _missing(drawn),
    ]
    if len(drawn) < len(found):
        parts.append(f"{len(drawn)} of {len(found)} panels drawn; the tables have all.")
    return " ".join(part for part in parts if part)


def _bound(drawn: Sequence[Panel]) -> str:
    """What "none seen" excludes, where others under the same conditions did go wrong."""
    unharmed = [
        level
        for panel in drawn
        if panel.contended
        for level in panel.levels
        if level.found.wrong is None
    ]
    if not unharmed:
        return ""
    least = min(unharmed, key=lambda one: one.found.operations)
    return (
        f", in {least.found.operations:,} operations or more of each level (so at 95 % fewer than "
        f"{number_text(least.bound)} per 1,000)"
    )


def _missing(drawn: Sequence[Panel]) -> str:
    """Which levels have no point, and why."""
    texts = [
        f"{cell.cell.id}: {cell.status}: {cell.reason}".removesuffix(": ")
        for panel in drawn
        for way in panel.ways
        for cell in way.missing
    ]
    more = f"; {len(texts) - _GAPS} more in the tables" if len(texts) > _GAPS else ""
    return f"Not there: {'; '.join(texts[:_GAPS])}{more}." if texts else ""
