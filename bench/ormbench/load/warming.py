"""The warm-up of an arm: operations until its caches are warm and its connections prepared.

In one go, or in several where its tables last for a few turns only and are put back in between.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from ormbench.load.calibration import LEAST_LAPS, MS, WARM_LAPS, WARM_OPERATIONS
from ormbench.load.schedule import NOW, Closed
from ormbench.load.tasks import Clients

WARM_NS = 100 * MS
LONGEST_WARM_NS = 1_000 * MS  # where less would leave connections cold

Inputs = Callable[[Iterable[int]], list[tuple[Any, ...]]]


class WarmUp:
    """How far the warm-up of an arm is; *inputs* makes those of turns, *count* is of clients."""

    def __init__(self, clients: Clients, count: int, inputs: Inputs) -> None:
        self._clients, self._count, self._inputs = clients, count, inputs
        self._alone = self._alone_ns = 0  # operations one after the other, and their time
        self._laps = self._laps_ns = 0  # one operation of all clients at once is a lap
        self.fastest = 1 << 62  # ns

    @property
    def is_over(self) -> bool:
        """Whether all is warm, or as warm as there is time for."""
        return not (self._is_alone or self._is_lapping)

    @property
    def _is_alone(self) -> bool:
        return self._alone < WARM_OPERATIONS and self._alone_ns < WARM_NS

    @property
    def _is_lapping(self) -> bool:
        most = WARM_LAPS if self._count > 1 else 0
        enough = WARM_NS if self._laps >= LEAST_LAPS else LONGEST_WARM_NS
        return self._laps < most and self._laps_ns <= enough

    async def go_on(self, first: int, most: int | None) -> int:
        """Go on with turns from *first* on, at most *most* of them; how many that took."""
        used, spent, started = 0, self._alone_ns, time.perf_counter_ns()
        while self._is_alone and used != most:
            (values,) = self._inputs([first + used])
            _, took = await self._clients.once(values)
            self.fastest = min(self.fastest, took)
            self._alone_ns = spent + time.perf_counter_ns() - started
            self._alone += 1
            used += 1
        spent, started = self._laps_ns, time.perf_counter_ns()
        while self._is_lapping and (most is None or used + self._count <= most):
            inputs = self._inputs(range(first + used, first + used + self._count))
            await self._clients.run(zip(Closed().due(self._count, NOW), inputs, strict=True))
            self._laps_ns = spent + time.perf_counter_ns() - started
            self._laps += 1
            used += self._count
        return used
