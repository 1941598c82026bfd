"""When each turn is due: closed loop, constant arrivals, Poisson arrivals.

Pure arithmetic, so that it is tested with neither clock nor database. A schedule gives as many due
times as there are turns and never drops one, however late the server is: a turn that was dropped
because the previous one was slow is the very turn that a user would have waited for.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, repeat
from random import Random

from ormbench.cell import Cell

NS = 1_000_000_000
NOW = 0  # a turn of a closed loop is due when a client is free


@dataclass(frozen=True, slots=True)
class Closed:
    """Each client takes the next turn as soon as it is free."""

    def due(self, turns: int, start: int) -> Iterator[int]:  # noqa: ARG002 - one shape for all
        """*turns* times NOW."""
        return repeat(NOW, turns)


@dataclass(frozen=True, slots=True)
class Constant:
    """Arrivals at equal distances: *rate* a second."""

    rate: float

    def due(self, turns: int, start: int) -> Iterator[int]:
        """Due times in ns on the clock that *start* was read from."""
        return (start + round(number * NS / self.rate) for number in range(turns))


@dataclass(frozen=True, slots=True)
class Poisson:
    """Arrivals that know nothing of each other: exponential distances, *rate* a second.

    The same seed gives the same arrivals, so that two arms of a pair meet the same bursts.
    """

    rate: float
    seed: int

    def due(self, turns: int, start: int) -> Iterator[int]:
        """Due times in ns on the clock that *start* was read from."""
        random = Random(self.seed)  # noqa: S311 - arrivals, not secrets
        gaps = (-math.log(1 - random.random()) / self.rate * NS for _ in range(turns))
        return (start + round(offset) for offset in accumulate(gaps))


Schedule = Closed | Constant | Poisson


def schedule(cell: Cell, seed: int) -> Schedule:
    """The schedule that a cell asks for."""
    if cell.rate is None:
        return Closed()
    return Constant(cell.rate) if cell.arrivals == "constant" else Poisson(cell.rate, seed)
