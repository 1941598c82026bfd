"""Empty: an operation that does nothing, to show what the harness itself costs."""

from ormbench.scenario import Scenario

empty = Scenario()


@empty.lane
async def nothing() -> None:
    """a coroutine that returns at once"""
