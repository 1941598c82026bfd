"""The ladder: what each lane adds to the one below it, from the bare driver to ORM entities."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ormbench.cell import Cell
from ormbench.report.digest_cells import estimate
from ormbench.report.digest_index import Arm, Index
from ormbench.report.findings import Ladder, Rung
from ormbench.stats.absolute import mean_service, over_blocks
from ormbench.stats.location import Location, locate
from ormbench.stats.paired import service_difference

_LABELS = {
    "raw_held": "bare driver",
    "raw": "+ driver's pool",
    "core": "+ Core",
    "orm_columns": "+ ORM session, columns",
    "orm": "+ ORM entities",
}
_LINKS = ("core", "raw", "raw_held", "orm_columns", "orm")  # lanes to go through, likeliest first
_FEWEST = 2

ByBlock = dict[int, float]  # block number -> ns/op


def ladders(index: Index) -> tuple[Ladder, ...]:
    """One ladder for each scenario, target and further axes with at least two rungs measured."""
    by_place: dict[Cell, dict[str, Cell]] = {}
    for cell in index.cells:
        if cell.lane in _LABELS and index.is_ok(cell):
            by_place.setdefault(replace(cell, lane=""), {})[cell.lane] = cell
    found = (
        Ladder(place.scenario, place.target, tuple(_rungs(index, lanes)))
        for place, lanes in by_place.items()
    )
    return tuple(ladder for ladder in found if len(ladder.rungs) >= _FEWEST)


def _rungs(index: Index, lanes: dict[str, Cell]) -> Iterator[Rung]:
    below: Rung | None = None
    for cell in (lanes[lane] for lane in _LABELS if lane in lanes):
        adds = _adds(index, cell, below.cell if below else None, tuple(lanes.values()))
        if adds is None:
            continue
        reaches = adds.value + (below.reaches if below else 0.0)
        label = _label(cell, lanes, first=below is None)
        below = Rung(label, cell, estimate(adds, "ns/op"), reaches, adds.low > 0.0)
        yield below


def _label(cell: Cell, lanes: dict[str, Cell], *, first: bool) -> str:
    label = "+ ORM" if cell.lane == "orm" and "orm_columns" not in lanes else _LABELS[cell.lane]
    return label.removeprefix("+ ") if first else label


def _adds(index: Index, cell: Cell, below: Cell | None, lanes: Sequence[Cell]) -> Location | None:
    """What *cell* takes more than *below*; None where no group or common reference links them."""
    if below is None:
        return over_blocks(index.home(cell).blocks, mean_service)
    values = _difference(index, cell, below) or _detour(index, cell, below, lanes)
    return locate(list(values.values())) if values else None


def _difference(index: Index, cell: Cell, below: Cell) -> ByBlock:
    """Paired differences of two cells that share a group, by block; empty where none does."""
    for upper, lower in _shared_groups(index, cell, below):
        pairs = index.pairs(upper, lower)
        if pairs:
            return {block: service_difference(both) for block, both in pairs.items()}
    return {}


def _detour(index: Index, cell: Cell, below: Cell, lanes: Sequence[Cell]) -> ByBlock:
    """Differences through a cell that shares a group with both, block by block."""
    known = {one.lane: one for one in lanes}
    for link in (known[lane] for lane in _LINKS if lane in known):
        upper, lower = _difference(index, cell, link), _difference(index, below, link)
        if both := upper.keys() & lower.keys():
            return {block: upper[block] - lower[block] for block in sorted(both)}
    return {}


def _shared_groups(index: Index, cell: Cell, below: Cell) -> Iterator[tuple[Arm, Arm]]:
    for upper in index.arms_of(cell):
        for lower in index.arms_of(below):
            if upper.group is lower.group:
                yield upper, lower
