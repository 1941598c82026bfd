"""What a run says of strategies and rows an operation, by rule: the title, the answer, the card.

First from how many rows on which strategy, of each product for itself; then what a Session
costs at its best, and by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ormbench.report.batch_phases import best_with_most, clauses, explained, phases, says
from ormbench.report.batch_session import session_says
from ormbench.report.batches import Grid
from ormbench.report.digest_batches import grids
from ormbench.report.findings import Card, CellFinding, Comparison
from ormbench.report.focus import Focus
from ormbench.report.names import bare_driver, driver_name, opened, product_name

_QUESTIONS = {
    "insert_rows": "WHICH INSERT?",
    "update_rows": "WHICH UPDATE?",
    "delete_rows": "WHICH DELETE?",
    "upsert_rows": "WHICH UPSERT?",
    "move_rows": "WHICH MIGRATION?",
}
_OTHERS = "WHICH STRATEGY?"
QUESTIONS = (*_QUESTIONS.values(), _OTHERS)
_CLAUSES = 3  # of a title


def headline(comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus) -> str:
    """The answer in one line; "" where the focus has no grid."""
    grid = spoken_grid(comparisons, cells, focus)
    if grid is None:
        return ""
    texts = clauses(grid, bounds=False, ties=False)
    if len(texts) > _CLAUSES:
        texts = (texts[0], *texts[1 - _CLAUSES :])
    return f"{grid.key.scenario} on {grid.place}: {'; '.join(texts)}"


def answer(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> tuple[str, ...]:
    """The answer of a run whose focus has a grid, in sentences; () where it has none."""
    found = spoken_grids(comparisons, cells, focus)
    if not found:
        return ()
    told = [*(f"{one.place}: {says(one)}" for one in found), session_says(*found)]
    sentences = [f"{opened(one)}." for one in told if one]
    glossed = next((n for n, one in enumerate(sentences) if explained(one) != one), None)
    return tuple(explained(one) if n == glossed else one for n, one in enumerate(sentences))


def card(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> Card | None:
    """The card: what to choose with the most rows, and with fewer; None where there is no grid."""
    found = spoken_grids(comparisons, cells, focus)
    if not found:
        return None
    grid, *others = found
    *fewer, verdict_of_most = clauses(grid, ties=False)
    question = _QUESTIONS.get(grid.key.scenario, _OTHERS)
    workload = f"for {grid.key.scenario} on {driver_name(grid.key.target)}"
    detail = "; ".join([*fewer, workload])
    beside = tuple(
        (product_name(one.key.target), f"{bare_driver(one.key.target)}: {says(one)}")
        for one in others
    )
    return Card(question, opened(verdict_of_most), detail, measured=True, others=beside)


def with_most_rows(found: Sequence[Grid]) -> str:
    """As "with the most rows copy on PostgreSQL; load_data on MySQL, MariaDB"; "" if untold.

    Of grids that differ in other axes than their target the first; nothing of a driver with which
    the best of another one for the same server was not run.
    """
    firsts: dict[str, Grid] = {}
    for one in found:
        firsts.setdefault(one.key.target, one)
    if not any(_is_compared(one) for one in firsts.values()):
        return ""
    products = [product_name(target) for target in firsts]
    places: dict[str, list[str]] = {}
    for target, grid in firsts.items():
        if _lacks_best(grid, firsts.values()):
            continue
        product = product_name(target)
        name = product if products.count(product) == 1 else driver_name(target)
        places.setdefault(best_with_most(grid), []).append(name)
    told = [f"{best} on {', '.join(names)}" for best, names in places.items()]
    return f"with the most rows {'; '.join(told)}" if told else ""


def _lacks_best(grid: Grid, others: Iterable[Grid]) -> bool:
    """Whether what is best with the most rows on another driver of its server was not run here."""
    product, own = product_name(grid.key.target), {one.lane for one in grid.strategies}
    alike = (one for one in others if product_name(one.key.target) == product)
    return any(own.isdisjoint(phases(one)[-1].lanes) for one in alike)


def spoken_grid(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> Grid | None:
    """The grid that the answer is about; None where there is none."""
    return next(iter(spoken_grids(comparisons, cells, focus)), None)


def spoken_grids(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> tuple[Grid, ...]:
    """The grid that the answer is about, then that of each other product, of its first driver.

    () where the focus has none with a comparison.
    """
    found = grids(comparisons, cells)
    grid = _choice(found, focus)
    if grid is None:
        return ()
    firsts: dict[str, str] = {}
    for one in found:
        firsts.setdefault(product_name(one.key.target), one.key.target)
    targets = (target for product, target in firsts.items() if product != focus.product)
    others = (_choice(found, replace(focus, target=target)) for target in targets)
    return (grid, *(one for one in others if one))


def _choice(found: Sequence[Grid], focus: Focus) -> Grid | None:
    """Of the focus's scenario, on its target if that has one, with the fewest unusual axes."""

    def elsewhere(grid: Grid) -> tuple[bool, int]:
        return grid.key.target != focus.target, len(grid.key.unusual())

    here = [one for one in found if one.key.scenario == focus.scenario and _is_compared(one)]
    own = [one for one in here if product_name(one.key.target) == focus.product]
    return min(own, key=elsewhere, default=None)


def _is_compared(grid: Grid) -> bool:
    return any(one.ratio and one.cell.lane != grid.reference for one in grid.points)
