"""How late the event loop is: a ticking timer beside the work, in slices that are not recorded.

No tick is dropped: a stall of ten milliseconds makes ten ticks late, not one, and those that were
still to come when the work ended count as well.
"""

import asyncio
import time
from types import TracebackType
from typing import Self

from ormbench.load.timer import Timer

TICK_NS = 1_000_000


class Probe:
    """Ticks every millisecond while it is open, and keeps how late each tick came."""

    def __init__(self) -> None:
        self._late: list[int] = []
        self._due = 0

    async def __aenter__(self) -> Self:
        self._timer = Timer()
        self._due = time.perf_counter_ns() + TICK_NS
        self._task = asyncio.create_task(self._tick())
        return self

    async def _tick(self) -> None:
        while True:
            await self._timer.until(self._due)
            self._count(time.perf_counter_ns())

    def _count(self, now: int) -> None:
        self._late.append(now - self._due)
        self._due += TICK_NS

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        now = time.perf_counter_ns()
        while self._due <= now:
            self._count(now)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._timer.close()

    def p99_ns(self) -> int:
        """The 99th percentile of the lateness; the longest where ticks are few."""
        late = sorted(self._late)
        return late[min(len(late) - 1, len(late) * 99 // 100)] if late else 0
