"""How late the event loop wakes who waits: by asyncio's sleep, and by our own timer.

An open loop starts its operations by the second; what that is late, every start lag holds.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from ormbench.doctor.clock import Clock
from ormbench.doctor.fact import Fact
from ormbench.load.timer import Timer
from ormbench.report.quantities import time_text

Until = Callable[[int], Awaitable[None]]  # returns when this time of the clock has come

WAITS = 200
_SHORTEST_NS, _LONGEST_NS = 300_000, 2_300_000
LATEST_NS = 1_000_000  # p99 above is what `loop-lag` doubts
_NS = 1_000_000_000


async def lateness(until: Until, clock: Clock, waits: Sequence[int]) -> list[int]:
    """How late each of *waits* (ns) ended, in ns, sorted; below 0 where it ended early."""
    late = []
    for wait in waits:
        due = clock() + wait
        await until(due)
        late.append(clock() - due)
    return sorted(late)


def quantile(late: Sequence[int], share: float) -> int:
    """The value below which *share* of sorted values lie: the nearest rank."""
    return late[min(len(late) - 1, int(len(late) * share))]


async def timer_facts() -> list[Fact]:
    """A fact for each way of waiting, in about a second."""
    chance = random.Random(1)  # noqa: S311 - spreads the waits, keeps no secret
    waits = [chance.randrange(_SHORTEST_NS, _LONGEST_NS) for _ in range(WAITS)]
    clock, timer = time.perf_counter_ns, Timer()

    async def sleep(due: int) -> None:
        await asyncio.sleep((due - clock()) / _NS)

    try:
        slept = await lateness(sleep, clock, waits)
        rung = await lateness(timer.until, clock, waits)
    finally:
        timer.close()
    return [_fact("sleep", "asyncio.sleep", slept), timer_fact(rung)]


def timer_fact(late: Sequence[int]) -> Fact:
    """Of our own timer, whose lateness is in every start lag."""
    wrong = quantile(late, 0.99) > LATEST_NS
    remedy = "start lags of an open loop will hold this: close other programs"
    return _fact("timer", "ours (open loops wait by it)", late, remedy if wrong else "")


def _fact(name: str, what: str, late: Sequence[int], remedy: str = "") -> Fact:
    median, p99 = quantile(late, 0.5), quantile(late, 0.99)
    return Fact(
        name,
        f"{what} is late by {time_text(median)} in the median, {time_text(p99)} at p99",
        {"late_median_ns": median, "late_p99_ns": p99},
        remedy,
    )
