"""Clients as threads: for lanes whose driver blocks. The loop is that of `loop`, without asyncio.

The threads live as long as their arm. Before each lap they meet at a barrier, and the clock of the
lap starts with the first operation, so that no thread is started or awaited on it. The event loop
sleeps meanwhile: the last thread wakes it.
"""

import asyncio
import contextlib
import ctypes
import sys
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from threading import Barrier, Lock
from typing import Any

from ormbench.background import BackgroundThread
from ormbench.lanes.binding import AnyOperation
from ormbench.load.loop import CancelledInsideError, Clock, Recorded, Turns
from ormbench.load.tasks import Lap

NS = 1_000_000_000
PR_SET_TIMERSLACK = 29  # of Linux's prctl: how late a sleep may end, 50 µs by default

Taken = tuple[int, tuple[Any, ...]]  # due time (0: now), inputs
SyncUntil = Callable[[int], None]


def client(
    take: Callable[[], Taken],
    operation: AnyOperation,
    recorded: Recorded,
    until: SyncUntil,
    clock: Clock,
) -> None:
    """Take turns until there are none: *take* raises IndexError then."""
    service, start_lag = recorded.service.append, recorded.start_lag.append
    while True:
        try:
            due, values = take()
        except IndexError:
            return
        if due:
            until(due)
        start = clock()
        operation(values)
        end = clock()
        service(end - start)
        if due:
            start_lag(start - due)


def until(due: int) -> None:
    """Return when *due* has come, on the clock of ``time.perf_counter_ns``."""
    while (left := due - time.perf_counter_ns()) > 0:
        time.sleep(left / NS)


def _wake_exactly() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)


class _Race:
    """One lap of all threads."""

    def __init__(self, turns: Turns, operation: AnyOperation, clients: int) -> None:
        self.turns = deque(turns)  # its popleft is safe in threads, whatever made the due times
        self.recorded = [Recorded() for _ in range(clients)]
        self.errors: list[BaseException] = []
        self.done = asyncio.get_running_loop().create_future()
        self._operation = operation
        self._barrier = Barrier(clients, self._start)
        self._lock, self._running = Lock(), clients
        self._started = self._ended = 0
        self._cpu = self.cpu_ns = 0  # of the process: at the start, and from there to the last end

    @property
    def wall_ns(self) -> int:
        """From the first start to the last end."""
        return self._ended - self._started

    def _start(self) -> None:
        """Called by the thread that comes last, before any runs."""
        self._cpu, self._started = time.process_time_ns(), time.perf_counter_ns()

    def work(self, recorded: Recorded) -> None:
        """What each thread does."""
        self._barrier.wait()
        try:
            client(self.turns.popleft, self._operation, recorded, until, time.perf_counter_ns)
        except asyncio.CancelledError as error:
            self._fail(_cancelled(error))
        except BaseException as error:  # noqa: BLE001 - it is raised on the event loop
            self._fail(error)
        ended = time.perf_counter_ns()
        with self._lock:
            self._ended = max(self._ended, ended)
            self._running -= 1
            last = not self._running
            self.cpu_ns = time.process_time_ns() - self._cpu
        if last:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                self.done.get_loop().call_soon_threadsafe(self._finish)

    def _fail(self, error: BaseException) -> None:
        self.turns.clear()
        self.errors.append(error)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


def _cancelled(error: asyncio.CancelledError) -> CancelledInsideError:
    raised = CancelledInsideError("the operation was cancelled from inside")
    raised.__cause__ = error
    return raised


class ThreadClients:
    """A thread for each client.

    Cancelling `run` or `once` lets no further turn begin; an operation that has begun goes on,
    because nothing can end it from outside.
    """

    def __init__(self, operation: AnyOperation, clients: int) -> None:
        self._operation = operation
        self._threads = [BackgroundThread(f"client-{number}") for number in range(clients)]
        for thread in self._threads:
            thread.submit(_wake_exactly)

    async def once(self, values: tuple[Any, ...]) -> tuple[Any, int]:
        """One operation in the first thread, timed there."""

        def timed() -> tuple[Any, int]:
            start = time.perf_counter_ns()
            answer = self._operation(values)
            return answer, time.perf_counter_ns() - start

        return await self._threads[0].call(timed)

    async def run(self, turns: Turns) -> Lap:
        """All turns, by all threads."""
        race = _Race(turns, self._operation, len(self._threads))
        for thread, recorded in zip(self._threads, race.recorded, strict=True):
            thread.submit(partial(race.work, recorded))
        try:
            await race.done
        finally:
            race.turns.clear()
        if race.errors:
            raise BaseExceptionGroup("operations failed", race.errors)
        return Lap(race.recorded, race.wall_ns, race.cpu_ns)

    def close(self) -> None:
        """End the threads, each when it is free."""
        for thread in self._threads:
            thread.end()
