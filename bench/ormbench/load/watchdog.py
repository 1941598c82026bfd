"""Ends what takes too long, on the event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class OverdueError(Exception):
    """The watchdog ended what took too long. A lane's own TimeoutError is the lane's result."""


@asynccontextmanager
async def watchdog(seconds: float) -> AsyncIterator[None]:
    """Raise OverdueError in what does not end within *seconds*."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except Exception:  # a group of errors where operations did not like to be ended
        if not limit.expired():
            raise
        raise OverdueError(f"not done after {seconds:g} s") from None
