"""What tells the cells of one scenario apart: names that say no more than that takes."""

from collections.abc import Iterable, Iterator, Sequence

from ormbench.cell import Cell
from ormbench.report.findings import Ladder
from ormbench.report.names import bare_driver, driver_name, product_name, unusual_axes

_CHOSEN = ("pool", "isolation")


def cell_names(cells: Iterable[Cell]) -> dict[Cell, str]:
    """What tells *cells* of one scenario apart: lane, driver if several, axes off their default."""
    known = tuple(cells)
    drivers = _driver_names({cell.target for cell in known})
    chosen = [axis for axis in _CHOSEN if any(getattr(cell, axis) for cell in known)]
    return {cell: " ".join(_name_parts(cell, drivers.get(cell.target), chosen)) for cell in known}


def ladder_name(ladder: Ladder, *, with_product: bool) -> str:
    """Say "get_by_id, asyncpg" or "get_by_id, PostgreSQL, asyncpg, clients=8"."""
    product, driver = product_name(ladder.target), driver_name(ladder.target)
    apart = with_product and not driver.startswith(product)
    axes = unusual_axes(ladder.rungs[0].cell)
    return ", ".join([ladder.scenario, *([product] if apart else []), driver, *axes])


def _driver_names(targets: set[str]) -> dict[str, str]:
    """What tells targets apart: nothing for one alone, the driver within one product."""
    if len(targets) < 2:  # noqa: PLR2004 - one has nothing to be told apart from
        return {}
    several = len({product_name(target) for target in targets}) > 1
    return {target: driver_name(target) if several else bare_driver(target) for target in targets}


def _name_parts(cell: Cell, driver: str | None, chosen: Sequence[str]) -> Iterator[str]:
    yield cell.lane
    if driver:
        yield driver
    yield from unusual_axes(cell, chosen)
