"""A worker process: one interpreter, one event loop (its argument), one set of packages.

Takes one JSON object a line on standard input and answers each with one line. The coordinator
says which arm runs how many operations; this process knows neither plan nor results. It ends when
its input does, so it outlives no coordinator.
"""

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.load import idle, process
from ormbench.load.arm import Arm, WrongAnswerError
from ormbench.load.watchdog import OverdueError, watchdog
from ormbench.loader import Loaded, load
from ormbench.servers.placement import CAN_PIN
from ormbench.servers.server import Address
from ormbench.targets.target import TARGETS

Message = dict[str, Any]
CLOSE_SECONDS = 10.0


class Worker:
    """The arms that are open here, and what can be asked of them."""

    def __init__(self) -> None:
        self.loaded: dict[str, Loaded] = {}
        self.arms: dict[int, Arm] = {}
        self.addresses: dict[str, Address] = {}
        self.table_rows = 0
        self.timeout = 60.0
        self.answers: dict[str, Callable[[Message], Awaitable[Message]]] = {
            name: getattr(self, name)
            for name in (
                "start",
                "place",
                "open",
                "freeze",
                "prove",
                "quiet",
                "turns",
                "drop",
                "warm",
                "slice",
                "settle",
                "begin",
                "lag",
                "waits",
                "idle_limit",
                "after_idle",
                "counters",
            )
        } | {"trial": self.trial, "close": self.close}

    async def start(self, message: Message) -> Message:
        """Load the scenario files, learn where the servers are."""
        for path in message["files"]:
            self.loaded |= {one.name: one for one in load(Path(path))}
        self.addresses = {name: Address(**one) for name, one in message["addresses"].items()}
        self.table_rows, self.timeout = message["table_rows"], message["timeout"]
        return {"pid": os.getpid()}

    async def place(self, message: Message) -> Message:
        """Stay on these cores, where the system can do that."""
        if CAN_PIN:
            process.pin(message["cpus"])
        return {}

    async def open(self, message: Message) -> Message:
        """Open an arm: its pool, its connections, its lane."""
        cell = Cell(**message["cell"])
        loaded = self.loaded[cell.scenario].sized(cell.batch)
        async with watchdog(self.timeout):
            bound = await bind(loaded, cell, self._address(cell, message), message["schema"])
        self.arms[message["arm"]] = Arm(loaded, cell, bound, self.table_rows, self.timeout)
        return {}

    def _address(self, cell: Cell, message: Message) -> Address | None:
        """Where the cell's server is, or the relay before it; None where it needs none."""
        if through := message.get("address"):
            return Address(**through)
        target = TARGETS.get(cell.target)
        return self.addresses[target.server] if target else None

    async def freeze(self, _message: Message) -> Message:
        """Take everything that lives now out of the collector's way."""
        gc.collect()
        gc.freeze()
        return {}

    async def prove(self, message: Message) -> Message:
        """See Arm.prove."""
        return await self.arms[message["arm"]].prove(message["turns"])

    async def quiet(self, message: Message) -> Message:
        """See Arm.quiet."""
        self.arms[message["arm"]].quiet()
        return {}

    async def turns(self, message: Message) -> Message:
        """See Arm.turns."""
        took = await self.arms[message["arm"]].turns(message["first"], message["count"])
        return {"took_ns": took}

    async def drop(self, message: Message) -> Message:
        """Close one arm, if it is open."""
        arm = self.arms.pop(message["arm"], None)
        if arm is not None:
            await _close(arm)
        return {}

    async def warm(self, message: Message) -> Message:
        """See Arm.warm_up."""
        return await self.arms[message["arm"]].warm_up(message["first"], message.get("most"))

    async def slice(self, message: Message) -> Message:
        """See Arm.slice."""
        fields = ("first", "settling", "operations", "seed")
        given, runs_on = (message[name] for name in fields), message.get("runs_on", False)
        return {**await self.arms[message["arm"]].slice(*given, runs_on=runs_on)}

    async def settle(self, message: Message) -> Message:
        """See Arm.settle; the turns are every *step*-th one from *first* on."""
        first, step, settling = message["first"], message["step"], message["settling"]
        end = first + step * (settling + message["operations"])
        await self.arms[message["arm"]].settle(range(first, end, step), settling)
        return {}

    async def begin(self, message: Message) -> Message:
        """See Arm.begin."""
        return {**await self.arms[message["arm"]].begin(message["start"], message["seed"])}

    async def lag(self, message: Message) -> Message:
        """See Arm.lag."""
        arm = self.arms[message["arm"]]
        return {"lag_p99_ns": await arm.lag(message["first"], message["operations"])}

    async def waits(self, message: Message) -> Message:
        """See Arm.waits."""
        arm = self.arms[message["arm"]]
        fields = (message["first"], message["operations"], message.get("settling", 0))
        return {"checkout": await arm.waits(*fields)}

    async def idle_limit(self, message: Message) -> Message:
        """See idle.limit."""
        arm = self.arms[message["arm"]]
        return {"connections": await idle.limit(arm, message["seconds"])}

    async def after_idle(self, message: Message) -> Message:
        """See idle.operate."""
        arm = self.arms[message["arm"]]
        return {"met": await idle.operate(arm, message["first"], message["count"])}

    async def counters(self, message: Message) -> Message:
        """See Arm.counters."""
        arm = self.arms[message["arm"]]
        readings = await arm.counters(message["times"], flush=message["flush"])
        return {"readings": readings, "opened": arm.bound.opened()}

    async def trial(self, message: Message) -> Message:
        """The histograms of an arm's trial."""
        return {**self.arms[message["arm"]].times.encoded()}

    async def close(self, _message: Message) -> Message:
        """Close all arms; a connection that a lane did not give back is left to the server."""
        gc.unfreeze()
        for arm in self.arms.values():
            await _close(arm)
        self.arms.clear()
        return {}

    async def answer(self, message: Message) -> Message:
        """Do what is asked; what goes wrong is an answer, too: a status and the words for it."""
        try:
            return await self.answers[message["do"]](message)
        except WrongAnswerError as wrong:
            return {"status": "INCORRECT", "reason": str(wrong)}
        except OverdueError as overdue:
            return {"status": "TIMEOUT", "reason": str(overdue)}
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever a lane raises is its result
            return {"status": "ERROR", "reason": words(error)}


async def _close(arm: Arm) -> None:
    with contextlib.suppress(OverdueError):
        async with watchdog(CLOSE_SECONDS):
            await arm.close()


def words(error: BaseException) -> str:
    """One line: the first error of a group, the driver's own where SQLAlchemy wraps one."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig.__cause__ or error.orig
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def main() -> None:
    """Answer messages until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the coordinator's to handle
    process.end_with_parent()
    factory = loop_factory(sys.argv[1]) if len(sys.argv) > 1 else None
    with process.protocol() as (requests, replies), asyncio.Runner(loop_factory=factory) as runner:
        worker = Worker()
        for line in requests:
            reply = runner.run(worker.answer(json.loads(line)))
            replies.write(json.dumps(reply) + "\n")
            replies.flush()
        runner.run(worker.close({}))


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop of that name; None is asyncio's own."""
    if name == "asyncio":
        return None
    import uvloop  # noqa: PLC0415 - an extra: only a worker that is asked for it needs it

    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
