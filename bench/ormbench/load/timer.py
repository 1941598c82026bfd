"""Waiting until a due time, as exactly as the operating system can.

asyncio rounds its timers up to a millisecond. A timerfd does not: on Linux a due time is met to
some 60 µs. Elsewhere asyncio's sleep has to do, and the start lag shows what that costs.
"""

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Callable

NS = 1_000_000_000
CLOCK_MONOTONIC = 1  # the clock behind time.perf_counter_ns on Linux
ABSOLUTE = 1
NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC if sys.platform == "linux" else 0


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("it_interval", _Timespec), ("it_value", _Timespec))


class Timer:
    """Wakes one waiter at a time at an absolute time of ``time.perf_counter_ns``."""

    def __init__(self, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._clock = clock
        self._waiter: asyncio.Future[None] | None = None
        self._fd = -1
        if sys.platform == "linux":
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._fd = self._libc.timerfd_create(CLOCK_MONOTONIC, NONBLOCK_CLOEXEC)
        if self._fd >= 0:
            asyncio.get_running_loop().add_reader(self._fd, self._ring)

    async def until(self, due: int) -> None:
        """Return when *due* has come; at once if it is past."""
        left = due - self._clock()
        if left <= 0:
            return
        if self._fd < 0:
            await asyncio.sleep(left / NS)
            return
        self._waiter = asyncio.get_running_loop().create_future()
        setting = _Itimerspec(_Timespec(0, 0), _Timespec(due // NS, due % NS))
        self._libc.timerfd_settime(self._fd, ABSOLUTE, ctypes.byref(setting), None)
        await self._waiter

    def _ring(self) -> None:
        os.read(self._fd, 8)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        """Give the timer back."""
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
