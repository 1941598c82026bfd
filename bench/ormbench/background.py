"""A daemon thread that an event loop hands work to: for what blocks.

A call that never returns costs its thread, not the event loop, and not the end of the process.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")


class BackgroundThread:
    """Does one thing after the other, in the order in which they were handed in."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def submit(self, job: Callable[[], None]) -> None:
        """Do *job*, which raises nothing, as soon as the thread is free."""
        self._jobs.put(job)

    async def call(self, function: Callable[[], Result]) -> Result:
        """What *function* returns or raises; where this is cancelled, it goes on alone."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()

        def settle(result: Result | None, error: BaseException | None) -> None:
            if answer.done():  # nobody waits for it any more
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(result)  # type: ignore[arg-type]  # no error, so it is one

        def job() -> None:
            result, failed = None, None
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                failed = error
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(settle, result, failed)

        self.submit(job)
        return await answer

    def end(self) -> None:
        """End the thread as soon as it is free."""
        self._jobs.put(None)


async def in_background(function: Callable[[], Result]) -> Result:
    """Call *function* in a thread of its own."""
    thread = BackgroundThread("ormbench-call")
    try:
        return await thread.call(function)
    finally:
        thread.end()
