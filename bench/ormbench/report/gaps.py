"""What a run was asked for and could not have: by reason, and by server product."""

from ormbench.cell import Cell
from ormbench.report.findings import Findings
from ormbench.report.names import driver_name, product_name


def left_out(findings: Findings) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """What this run could not have, a line for each reason: which cells, why, and their ids."""
    by_reason: dict[str, list[Cell]] = {}
    for one in findings.left_out:
        by_reason.setdefault(one.reason, []).append(one.cell)
    return tuple(
        (_cells_text(cells), reason, tuple(cell.id for cell in cells))
        for reason, cells in by_reason.items()
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
