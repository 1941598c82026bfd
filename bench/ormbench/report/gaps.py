"""What a run was asked for and could not have: by reason, and by server product."""

from collections import Counter
from collections.abc import Iterable

from ormbench.cell import Cell
from ormbench.report.findings import Findings
from ormbench.report.names import driver_name, product_name

Gap = tuple[str, str, tuple[str, ...]]  # which cells, why, and their ids

_UNTRIED = ("UNSUPPORTED", "SKIPPED")  # all others ran
_WITH_NUMBERS = ("OK", "WRONG DATA")
_EMPTY = "none"  # target of the empty operation, which shows what the harness costs


def counted(findings: Findings) -> str:
    """How the numbers of cells come together: in the plan, left out, how they ended, in tables."""
    cells = [one for one in findings.cells if one.cell.target != _EMPTY]
    ends = Counter(one.status for one in cells)
    tried = sum(number for status, number in ends.items() if status not in _UNTRIED)
    left, empty = len(findings.left_out), len(findings.cells) - len(cells)
    tally = [f"{left or 'none'} left out before it began"]
    tally += [f"{number} {status}" for status, number in ends.most_common()]
    pairs = sum(one.kind == "aa" for one in findings.comparisons)
    texts = [
        f"Cells of the plan: {left + len(cells)}; {', '.join(tally)}.",
        f"Tried: {tried}.",
        f"In the tables: {len(findings.cells)}, with the empty operation." if empty else "",
        f"A/A pairs: {pairs}; each times one of these cells twice and adds none." if pairs else "",
    ]
    return " ".join(filter(None, texts))


def left_out(findings: Findings) -> tuple[Gap, ...]:
    """What was left out before the run began, a line for each reason."""
    return _by_reason([(one.reason, one.cell) for one in findings.left_out])


def without_numbers(findings: Findings) -> tuple[Gap, ...]:
    """What this run could not have, a line for each reason: left out, skipped, or failed."""
    ended = [
        (f"{one.status}: {one.reason}", one.cell)
        for one in findings.cells
        if one.status not in _WITH_NUMBERS
    ]
    return (*left_out(findings), *_by_reason(ended))


def _by_reason(known: Iterable[tuple[str, Cell]]) -> tuple[Gap, ...]:
    found: dict[str, list[Cell]] = {}
    for reason, cell in known:
        found.setdefault(reason, []).append(cell)
    return tuple(
        (_cells_text(cells), reason, tuple(cell.id for cell in cells))
        for reason, cells in found.items()
    )


def absent(findings: Findings) -> tuple[tuple[str, str], ...]:
    """The products that were asked for and not measured, each with its first reason."""
    measured = {product for product, _ in findings.servers}
    reasons: dict[str, str] = {}
    for one in findings.left_out:
        reason = one.reason.removeprefix("UNSUPPORTED: ")
        reasons.setdefault(product_name(one.cell.target), reason)
    return tuple((name, why) for name, why in reasons.items() if name and name not in measured)


def _cells_text(cells: list[Cell]) -> str:
    if len(cells) == 1:
        return cells[0].id
    targets = dict.fromkeys(driver_name(cell.target) for cell in cells)
    return f"{len(cells)} cells on {', '.join(targets)}"
