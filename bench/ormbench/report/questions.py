"""What every rendering asks of a Findings: which cells to show, and against what.

Pure functions, so that the terminal, the page and the pull-request comment cannot disagree.
"""

from collections.abc import Iterator

from ormbench.cell import Cell
from ormbench.report.findings import CellFinding, Comparison, Findings, Ladder
from ormbench.report.focus import CONTENDER
from ormbench.report.names import bare_driver, product_name
from ormbench.report.wrong_data import sound

NO_ANSWER = "No answer: this run is not evidence"


def is_reference(findings: Findings, cell: Cell) -> bool:
    """Whether *cell* has the axis value that the ratios of this run are against.

    Of targets each product has one, since no two products are compared.
    """
    axis, _, value = findings.reference.partition("=")
    if cell.target == "none":  # the empty operation, which nothing is compared with
        return False
    if axis == "target" and product_name(cell.target) != product_name(value):
        return any(one.kind == "target" and one.reference == cell for one in findings.comparisons)
    return str(getattr(cell, axis, None)) == value


def reference_name(findings: Findings) -> str:
    """Give "core" of the reference "lane=core"; of "target=postgresql+asyncpg" the driver.

    Of a distance "rtt=0.5".
    """
    axis, _, value = findings.reference.partition("=")
    if axis == "target":
        return "first driver" if len(findings.servers) > 1 else bare_driver(value)
    if axis == "rtt":
        return "direct" if value == "None" else f"rtt={float(value):g}"
    if value == "None":
        return {"pool": "fitted", "isolation": "default"}.get(axis, findings.reference)
    return value or findings.reference


def against_reference(findings: Findings, cell: Cell) -> Comparison | None:
    """The comparison of *cell* with the reference, if this run made one."""
    if is_reference(findings, cell):
        return None
    for one in findings.comparisons:
        if one.kind != "aa" and one.candidate == cell and is_reference(findings, one.reference):
            return one
    return None


def focus_cells(findings: Findings) -> tuple[CellFinding, ...]:
    """The cells of the scenario and target to show first; of all drivers, where those differ."""
    here = [one for one in findings.cells if one.cell.scenario == findings.focus]
    if findings.reference.startswith("target="):
        product = product_name(findings.focus_target)
        return tuple(one for one in here if product_name(one.cell.target) == product)
    return tuple(one for one in here if one.cell.target == findings.focus_target)


def focus_ladder(findings: Findings) -> Ladder | None:
    """The ladder of the focus; another one where the focus has none."""
    wanted = (findings.focus, findings.focus_target)
    own = (one for one in findings.ladders if (one.scenario, one.target) == wanted)
    return next(own, next(iter(findings.ladders), None))


def scenarios(findings: Findings) -> tuple[str, ...]:
    """The scenarios in the order of the cells, the focus first."""
    names = dict.fromkeys(one.cell.scenario for one in findings.cells)
    return tuple(sorted(names, key=lambda name: name != findings.focus))


def sections(findings: Findings) -> Iterator[tuple[str, tuple[CellFinding, ...]]]:
    """Cells that may stand side by side: those of one scenario on one product, with its name."""
    for scenario in scenarios(findings):
        here = [one for one in findings.cells if one.cell.scenario == scenario]
        products = dict.fromkeys(product_name(one.cell.target) for one in here)
        for product in products:
            cells = tuple(one for one in here if product_name(one.cell.target) == product)
            several = product and len(findings.servers) > 1
            yield f"{scenario}, {product}" if several else scenario, cells


def elsewhere(findings: Findings) -> tuple[str, tuple[Comparison, ...]]:
    """The lane the answer is about, and its comparisons in every scenario but the focus.

    On the focus's product alone: another's ratios stand for themselves.
    """
    lane = _contender(findings)
    found: dict[str, Comparison] = {}
    for one in sound(findings.comparisons):
        cell = one.candidate
        wanted = one.kind == "lane" and cell.lane == lane and is_reference(findings, one.reference)
        here = product_name(cell.target) == product_name(findings.focus_target)
        alike = cell.batch is None  # a ratio of so many rows says nothing without their number
        if wanted and here and alike and cell.scenario != findings.focus:
            found.setdefault(cell.scenario, one)
    return lane, tuple(found.values())


def _contender(findings: Findings) -> str:
    lanes = [one.cell.lane for one in focus_cells(findings)]
    if CONTENDER in lanes or not lanes:
        return CONTENDER
    ladder = focus_ladder(findings)
    return ladder.rungs[-1].cell.lane if ladder and ladder.rungs else lanes[-1]
