"""Operations whose failures are outcomes: what the server ended is made again, and all is counted.

What is made again, how often and when is the policy's (``ormbench.policy``). Stands around the
operations of cells that are about failing, and of no others.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from sqlalchemy.exc import TimeoutError as QueueTimeoutError

from ormbench.lanes.outcomes import Outcomes
from ormbench.policy import CONFLICTS, POLICY, Policy
from ormbench.scenario import BrokenInvariantError
from ormbench.targets.raw import Operation, PoolTimeoutError, SyncOperation

POOL_TIMEOUT = "pool time-out"
_PSYCOPG_S = "PoolTimeout"  # psycopg_pool's
_NUMBERED = "MySQLError"  # in each driver of MySQL, the base of errors that begin with a number


def conflict(error: BaseException) -> str | None:
    """What the server ended the attempt for, where it may succeed when made again; else None."""
    for one in _behind(error):
        kind = CONFLICTS.get(_code(one))
        if kind is not None:
            return kind
    return None


def pool_timed_out(error: BaseException) -> bool:
    """Whether a pool, SQLAlchemy's or a driver's own, had no connection in time."""
    return any(
        isinstance(one, (QueueTimeoutError, PoolTimeoutError)) or type(one).__name__ == _PSYCOPG_S
        for one in _behind(error)
    )


def _behind(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that were wrapped in it: SQLAlchemy's ``orig``, and what caused each."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or any(one is other for other in seen):
            continue
        seen.append(one)
        yield one
        waiting += [getattr(one, "orig", None), one.__cause__]


def _code(error: BaseException) -> str | int:
    """The server's code in a driver's own error; "" where there is none.

    That of MySQL and MariaDB is a number. Some of their drivers tell an SQLSTATE, too, which calls
    a deadlock a serialization failure, and most else HY000.
    """
    if any(kind.__name__ == _NUMBERED for kind in type(error).__mro__):
        number = error.args[0] if error.args else None
        return number if isinstance(number, int) else ""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return state if isinstance(state, str) else ""


@dataclass(frozen=True, slots=True)
class Guard:
    """What an operation may meet without ending its cell."""

    outcomes: Outcomes
    retries: bool  # conflicts are made again
    pool: bool  # a time-out of the pool is an operation without a result
    policy: Policy = POLICY

    def take_note(self, error: Exception, attempt: int) -> bool:
        """Count *error*; whether to make the operation again. Raises it where it is no outcome."""
        if self.retries and isinstance(error, BrokenInvariantError):
            self.outcomes.break_off()
            return False
        if self.pool and pool_timed_out(error):
            self.outcomes.fail(POOL_TIMEOUT)
            return False
        kind = conflict(error) if self.retries else None
        if kind is None:
            raise error
        self.outcomes.abort(kind)
        if attempt < self.policy.attempts:
            return True
        self.outcomes.fail(self.policy.gave_up)
        return False


def guarded(operation: Operation, guard: Guard) -> Operation:
    """*operation*, whose failures are outcomes."""
    random = Random()  # noqa: S311 - a pause

    async def guarded_operation(values: tuple[Any, ...]) -> Any:
        attempt = 1
        while True:
            try:
                return await operation(values)
            except Exception as error:  # noqa: BLE001 - what is no outcome is raised again
                if not guard.take_note(error, attempt):
                    return None
            await asyncio.sleep(guard.policy.pause(attempt, random))
            attempt += 1

    return guarded_operation


def guarded_sync(
    operation: SyncOperation, guard: Guard, sleep: Callable[[float], None] = time.sleep
) -> SyncOperation:
    """The same where the driver blocks."""
    random = Random()  # noqa: S311 - a pause

    def guarded_operation(values: tuple[Any, ...]) -> Any:
        attempt = 1
        while True:
            try:
                return operation(values)
            except Exception as error:  # noqa: BLE001 - what is no outcome is raised again
                if not guard.take_note(error, attempt):
                    return None
            sleep(guard.policy.pause(attempt, random))
            attempt += 1

    return guarded_operation
