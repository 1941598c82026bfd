"""What users meet right after the server has closed every idle connection. Off the clock.

The server closes them itself, by its own limit for idle sessions, which each connection is given:
so its words are those that an application's log has in the morning.
"""

import asyncio
import re
from collections import Counter

from ormbench.load.arm import Arm, WrongAnswerError
from ormbench.load.watchdog import watchdog
from ormbench.scenario import call_for_turn
from ormbench.servers.server import Product
from ormbench.targets.target import TARGETS
from ormbench.truth.answers import difference

ANSWERED = "answered"
NOTICE_SECONDS = 0.05
_MYSQL = ("SELECT CONNECTION_ID()", "SET SESSION wait_timeout = {}")
LIMITS: dict[Product, tuple[str, ...]] = {
    "PostgreSQL": ("SELECT pg_backend_pid(), set_config('idle_session_timeout', '{}s', false)",),
    "MySQL": _MYSQL,
    "MariaDB": _MYSQL,
}
"""The first value of the first answer is the server's number of the connection."""
_VOLATILE = re.compile(r"0x[0-9a-fA-F]+")


async def limit(arm: Arm, seconds: int) -> list[int]:
    """Have the server close each pooled connection when it was idle; its numbers of them."""
    statements = [one.format(seconds) for one in LIMITS[TARGETS[arm.cell.target].server]]
    async with watchdog(arm.timeout):
        answers = await arm.bound.ask(statements)
    return [int(first[0][0]) for first, *_ in answers]


async def operate(arm: Arm, first: int, count: int) -> dict[str, int]:
    """Run *count* turns, one after the other: how many answered, and how many ended in which words.

    Raises WrongAnswerError where one answers, but not what the reference does.
    """
    met: Counter[str] = Counter()
    async with watchdog(arm.timeout):
        await asyncio.sleep(NOTICE_SECONDS)  # an application's loop runs, and hears of the close
        for turn in range(first, first + count):
            met[await _one(arm, turn)] += 1
    return dict(met)


async def _one(arm: Arm, turn: int) -> str:
    scenario = arm.loaded.scenario
    try:
        given, _ = await arm.clients.once(
            scenario.inputs(arm.loaded.lane(arm.cell.lane), turn, arm.table_rows)
        )
    except Exception as error:  # noqa: BLE001 - whatever a user meets is what is looked for
        return words(error)
    if scenario.answer is not None:
        expected = call_for_turn(scenario.answer, turn, arm.table_rows)
        if wrong := difference(turn, given, expected):
            raise WrongAnswerError(wrong)
    return ANSWERED


def words(error: BaseException) -> str:
    """An error as a log has it, in one line, without what differs each time."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    said = f"{type(error).__name__}: {error}".partition("\n")[0]
    return _VOLATILE.sub("0x...", said)
