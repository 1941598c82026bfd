"""Waiting until a due time, as exactly as the operating system can.

asyncio rounds its timers up to a millisecond. A timerfd does not: on Linux a due time is met to
some 60 µs. Elsewhere asyncio's sleep has to do, and the start lag shows what that costs.
"""

import asyncio
import os
import time
from collections.abc import Callable

from ormbench.timerfd import NS, TimerFd


class Timer:
    """Wakes one waiter at a time at an absolute time of ``time.perf_counter_ns``."""

    def __init__(self, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._clock = clock
        self._waiter: asyncio.Future[None] | None = None
        self._timer = TimerFd()
        if self._timer.fd >= 0:
            asyncio.get_running_loop().add_reader(self._timer.fd, self._ring)

    async def until(self, due: int) -> None:
        """Return when *due* has come; at once if it is past."""
        left = due - self._clock()
        if left <= 0:
            return
        if self._timer.fd < 0:
            await asyncio.sleep(left / NS)
            return
        self._waiter = asyncio.get_running_loop().create_future()
        self._timer.set(due)
        await self._waiter

    def _ring(self) -> None:
        os.read(self._timer.fd, 8)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        """Give the timer back."""
        if self._timer.fd >= 0:
            asyncio.get_running_loop().remove_reader(self._timer.fd)
            self._timer.close()
