"""The run loop: all that stands between the clock and the database.

One loop for closed and open load; only the due times differ. Between the two clock reads of an
operation stands nothing but the operation.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Operation = Callable[[tuple[Any, ...]], Awaitable[Any]]
Clock = Callable[[], int]
Until = Callable[[int], Awaitable[None]]  # returns when a due time has come
Turns = Iterator[tuple[int, tuple[Any, ...]]]  # due time (0: now), inputs


class CancelledInsideError(Exception):
    """An operation raised CancelledError of its own; a task group would take that for an end."""


@dataclass(slots=True)
class Recorded:
    """Nanoseconds of the operations of one client, in the order in which they ended.

    Lists, because an array parses each number that it is given: 30 ns more where caches are warm,
    and a microsecond where a server on the same core has emptied them.
    """

    service: list[int] = field(default_factory=list)
    start_lag: list[int] = field(default_factory=list)  # empty in a closed loop


async def client(
    turns: Turns, operation: Operation, recorded: Recorded, until: Until, clock: Clock
) -> None:
    """Take turns from the iterator that all clients share, until it is empty."""
    service, start_lag = recorded.service.append, recorded.start_lag.append
    try:
        for due, values in turns:
            if due:
                await until(due)
            start = clock()
            await operation(values)
            end = clock()
            service(end - start)
            if due:
                start_lag(start - due)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise CancelledInsideError("the operation was cancelled from inside") from error


async def run(
    turns: Turns,
    operation: Operation,
    untils: Sequence[Until],
    clock: Clock = time.perf_counter_ns,
    recorded: Sequence[Recorded] = (),
) -> Sequence[Recorded]:
    """Run all turns, with one concurrent client for each timer; its task is called by its number.

    What is *recorded* may be looked at meanwhile, where it is given: one for each client. Raises an
    ExceptionGroup with the exception of the operation that ended it. A single client is a task,
    too: a wake-up passes every coroutine from its task down to the driver's.
    """
    recorded = recorded or [Recorded() for _ in untils]
    async with asyncio.TaskGroup() as group:
        for number, (one, until) in enumerate(zip(recorded, untils, strict=True)):
            group.create_task(client(turns, operation, one, until, clock), name=str(number))
    return recorded
