"""Checkout wait: how long an operation waits for the pool to hand it a connection.

Taken in slices of their own, because a clock in the pool would stand in every operation's time.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy.pool import Pool

from ormbench.targets.raw import Door

Waits = Callable[[], AbstractContextManager[list[int]]]  # what collects them, in ns


def timed_checkouts(pool: Pool) -> AbstractContextManager[list[int]]:
    """The nanoseconds of each checkout meanwhile, with connecting, where the pool connects."""
    return _timed((pool, "connect"), _called)


def timed_door(door: Door | None) -> Waits | None:
    """The same for a driver's own pool; None where nobody waits, because connections are held."""
    return None if door is None else lambda: _timed(door, _awaited)


def timed_sync_door(door: Door | None) -> Waits | None:
    """The same where the driver blocks."""
    return None if door is None else lambda: _timed(door, _called)


@contextmanager
def _timed(door: Door, timing: Callable[..., Any]) -> Iterator[list[int]]:
    """The nanoseconds of each call of that method meanwhile, whatever comes of it."""
    waits: list[int] = []
    owner, name = door
    own, call = vars(owner).get(name), getattr(owner, name)
    setattr(owner, name, timing(call, waits))
    try:
        yield waits
    finally:
        if own is None:
            delattr(owner, name)  # the class's shows again
        else:
            setattr(owner, name, own)


def _called(call: Callable[..., Any], waits: list[int]) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        start = time.perf_counter_ns()
        try:
            return call(*given, **named)
        finally:
            waits.append(time.perf_counter_ns() - start)

    return timed


def _awaited(call: Callable[..., Any], waits: list[int]) -> Callable[..., Any]:
    async def timed(*given: Any, **named: Any) -> Any:
        start = time.perf_counter_ns()
        try:
            return await call(*given, **named)
        finally:
            waits.append(time.perf_counter_ns() - start)

    return timed
