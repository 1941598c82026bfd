"""What the forest calls its rows, and the groups of rows that share a heading. Pure."""

from ormbench.cell import Cell
from ormbench.report.comparison_words import pair_names
from ormbench.report.findings import Comparison
from ormbench.report.names import axes_text, driver_name, product_name


def _of_drivers(one: Comparison) -> bool:
    return one.candidate.lane == one.reference.lane and one.candidate.target != one.reference.target


def heading_of(one: Comparison) -> str:
    """As "pool_pressure, asyncpg, clients=64", or "get_by_id, psycopg / asyncpg" of drivers."""
    candidate, reference = pair_names(one)
    if not _of_drivers(one):
        shared = axes_text(_shared(one)) if _is_long(one) else []
        words = [word.removeprefix("isolation=") for word in shared]
        return ", ".join([one.candidate.scenario, driver_name(one.reference.target), *words])
    product = product_name(one.reference.target)
    owner = f"{product} " if driver_name(one.reference.target).startswith(product) else ""
    return f"{one.candidate.scenario}, {owner}{candidate} / {reference}"


def label_of(one: Comparison) -> str:
    """Both sides, without what the heading says: "orm / core", "core 5+0 / 5+10"."""
    if _of_drivers(one):
        return one.candidate.lane
    if not _is_long(one):
        return " / ".join(pair_names(one))
    names = [" ".join([cell.lane, *_own(cell, one)]) for cell in (one.candidate, one.reference)]
    alike = one.candidate.lane == one.reference.lane
    return " / ".join([names[0], names[1].removeprefix(f"{one.reference.lane} " if alike else "")])


def _is_long(one: Comparison) -> bool:
    """Whether names with all axes would be too long: what both share goes into the heading."""
    cell = one.candidate
    chosen = (cell.pool, cell.isolation, cell.batch, cell.cache)
    return one.kind == "axis" or any(word is not None for word in chosen)


def _shared(one: Comparison) -> dict[str, object]:
    """The axes off their default that both have alike, but the placement."""
    axes, other = one.candidate.unusual(), one.reference.unusual()
    alike = {axis: value for axis, value in axes.items() if value == other.get(axis)}
    return {axis: value for axis, value in alike.items() if axis != "placement"}


def _own(cell: Cell, one: Comparison) -> list[str]:
    """The values of *cell* on the axes in which the two differ; a word needs no name before it."""
    unusual = {**one.candidate.unusual(), **one.reference.unusual()}
    differing = [axis for axis in unusual if axis != "placement" and axis not in _shared(one)]
    texts = axes_text({axis: getattr(cell, axis) for axis in differing})
    return [text.removeprefix("isolation=").removeprefix("pool=") for text in texts]
