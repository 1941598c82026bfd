"""How any two cells compare that were timed with a common reference. Pure.

Two candidates of one group are paired with each other, round by round, not by way of their
reference: what that wavered is then in neither of them. Those of two groups with one reference
cell are compared by way of it, block by block.
"""

import math
from collections.abc import Iterable, Mapping

from ormbench.cell import Cell
from ormbench.report.findings import Beside, Comparison
from ormbench.report.wrong_data import sound
from ormbench.stats.location import Location, locate

Logs = Mapping[int, float]  # number of a block -> ln of a ratio of times


class Pairings:
    """The ratios of time of any two cells that *comparisons* link.

    Where they were compared more than once, the first time counts. Identical lanes are left out,
    and wrong data, but not what was timed beside a reference with wrong data.
    """

    def __init__(self, comparisons: Iterable[Comparison]) -> None:
        self._direct: dict[tuple[Cell, Cell], Logs] = {}
        self._stars: dict[Cell, dict[Cell, Logs]] = {}
        known = [one for one in comparisons if one.kind != "aa"]
        for one in sound(known):
            logs = self._keep(one.candidate, one.reference, one)
            self._stars.setdefault(one.reference, {}).setdefault(one.candidate, logs)
        for one in known:
            for beside in one.beside:
                self._keep(one.candidate, beside.other, beside)

    def _keep(self, one: Cell, other: Cell, found: Comparison | Beside) -> Logs:
        ratios = zip(found.blocks, found.block_ratios, strict=True)
        logs = {block: math.log(ratio) for block, ratio in ratios}
        self._direct.setdefault((one, other), logs)
        self._direct.setdefault((other, one), {block: -log for block, log in logs.items()})
        return logs

    def ratio(self, one: Cell, other: Cell) -> Location | None:
        """Time of *one* over that of *other*; None if nothing links them in the same blocks."""
        links = (_difference(star, one, other) for star in self._stars.values())
        logs = self._direct.get((one, other)) or next(filter(None, links), {})
        return locate(list(logs.values())).exp() if logs else None


def _difference(star: Mapping[Cell, Logs], one: Cell, other: Cell) -> Logs:
    """By way of the centre of *star*, in the blocks that both have."""
    mine, theirs = star.get(one, {}), star.get(other, {})
    return {block: log - theirs[block] for block, log in mine.items() if block in theirs}
