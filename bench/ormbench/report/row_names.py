"""What the rows of a chart share, said once above them, and what tells them apart. Pure."""

from collections.abc import Sequence

from ormbench.cell import Cell
from ormbench.report.cell_names import cell_names
from ormbench.report.names import unusual_axes

_OWN = ("pool=", "isolation=")  # stay with their cells; their words need no name before them


def row_names(title: str, cells: Sequence[Cell]) -> tuple[str, list[str]]:
    """*title* with all that *cells* share, and what their rows are called without it.

    As "transfer, orm, clients=8" over "serializable" and "repeatable-read".
    """
    shared, known = own_names(cells)
    names = [known[cell] for cell in cells]
    lanes = {cell.lane for cell in cells}
    if len(lanes) == 1 < len(cells) and all(" " in name for name in names):
        lane = lanes.pop()
        shared, names = [lane, *shared], [name.removeprefix(f"{lane} ") for name in names]
    return ", ".join([title, *shared]), names


def own_names(cells: Sequence[Cell]) -> tuple[list[str], dict[Cell, str]]:
    """The axes off their default that *cells* share, and what each is called without them.

    As ["clients=8"], with "orm serializable" and "core serializable".
    """
    axes = [unusual_axes(cell) for cell in cells]
    alike = [word for word in axes[0] if all(word in one for one in axes)] if axes else []
    shared = [word for word in alike if not word.startswith(_OWN)]
    return shared, {cell: _without(shared, name) for cell, name in cell_names(cells).items()}


def _without(shared: Sequence[str], name: str) -> str:
    for word in shared:
        name = f"{name} ".replace(f" {word} ", " ").rstrip()
    for word in _OWN:
        name = name.replace(f" {word}", " ")
    return name
