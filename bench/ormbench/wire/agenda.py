"""What is to be done at which time, beside a selector that waits for sockets."""

import heapq
import itertools
import selectors
import time
from collections.abc import Callable

from ormbench.timerfd import NS, TimerFd

Deed = Callable[[], None]
clock = time.perf_counter_ns


class Agenda:
    """Does things when they are due, never before. The selector wakes when the first of them is.

    A selector's own timeout is rounded up to a millisecond: only without a timerfd it has to do.
    """

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._deeds: list[tuple[int, int, Deed]] = []  # a heap
        self._numbers = itertools.count()
        self._timer = TimerFd()
        self._set = 0  # what the timer is set to
        if self._timer.fd >= 0:
            selector.register(self._timer.fd, selectors.EVENT_READ, lambda _mask: None)

    def add(self, due: int, deed: Deed) -> None:
        """Do *deed* at *due*, or as soon as `run` is called after it."""
        heapq.heappush(self._deeds, (due, next(self._numbers), deed))

    def run(self) -> None:
        """Do what is due, and set the timer to what is next."""
        while self._deeds and self._deeds[0][0] <= clock():
            heapq.heappop(self._deeds)[2]()
        due = self._deeds[0][0] if self._deeds else 0
        if due != self._set and self._timer.fd >= 0:
            self._timer.set(due)  # which also ends that it can be read
            self._set = due

    def seconds(self) -> float | None:
        """How long the selector may wait at most; None where the timer wakes it."""
        if self._timer.fd >= 0 or not self._deeds:
            return None
        return max(0, self._deeds[0][0] - clock()) / NS
