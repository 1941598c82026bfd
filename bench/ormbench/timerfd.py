"""Linux's timerfd, which Python 3.11 lacks: a file that can be read when a time has come.

What waits for files (epoll, asyncio, select) rounds its own times up to a millisecond; a timerfd
among those files is met to some 60 µs.
"""

import ctypes
import os
import sys

NS = 1_000_000_000
CLOCK_MONOTONIC = 1  # the clock behind time.perf_counter_ns on Linux
ABSOLUTE = 1
NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC if sys.platform == "linux" else 0


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("it_interval", _Timespec), ("it_value", _Timespec))


class TimerFd:
    """A timer that holds one time. ``fd`` is -1 where the system has none, and once it is closed.

    ``set`` is for those that have one.
    """

    def __init__(self) -> None:
        self.fd = -1
        if sys.platform == "linux":
            self._libc = ctypes.CDLL(None, use_errno=True)
            self.fd = self._libc.timerfd_create(CLOCK_MONOTONIC, NONBLOCK_CLOEXEC)

    def set(self, due: int) -> None:
        """Be readable from *due* on, a time of ``time.perf_counter_ns``; 0: never.

        What was set before is forgotten, also where that time has come.
        """
        setting = _Itimerspec(_Timespec(0, 0), _Timespec(due // NS, due % NS))
        self._libc.timerfd_settime(self.fd, ABSOLUTE, ctypes.byref(setting), None)

    def close(self) -> None:
        """Give it back. A second call does nothing."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
