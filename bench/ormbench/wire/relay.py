"""The coordinator's end of the relay: a process between client and server, and routes through it.

The relay is a process of its own, so that what it reads costs the client no time of its own; it
listens where nobody beyond this machine can reach it, on a unix socket if the server does.
"""

import dataclasses
import math
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from ormbench.child import Child
from ormbench.errors import OrmbenchError, WorkerError
from ormbench.servers.account import Account
from ormbench.servers.placement import CAN_PIN
from ormbench.servers.private import parent
from ormbench.servers.server import Address
from ormbench.wire.tally import Line, Tally

# -P: a file of the current folder does not stand in for a module
COMMAND: Sequence[str] = (sys.executable, "-P", "-m", "ormbench.wire.relay_process")
_PATIENCE = 30.0  # seconds
_LONGEST_SOCKET = "99999/.s.PGSQL.65535"  # in the relay's folder
_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What passed on a route since it was asked last."""

    tally: Tally
    transcript: tuple[Line, ...]
    lost: str  # why messages could not be read; "" where they could


class Route:
    """A way through the relay to one server. All methods raise WorkerError where it has died.

    Connecting is answered by the relay at once, without delay. Where the server is on this machine,
    a route that reads answers a PostgreSQL client's request for encryption itself, with No, and
    counts neither; from a MySQL server's greeting it takes encryption and compression.
    """

    address: Address  # where a client connects instead

    def __init__(self, child: Child, number: int, address: Address) -> None:
        self._child, self._number = child, number
        self.address = address

    def take(self) -> Taken:
        """What passed since the last call; waits until no byte is under way.

        That is: nothing is in the relay, and nothing came for 2 ms, or for 200 ms where a server
        was asked and is silent. What is stalled does not count as under way. Where it does not get
        quiet within 5 s, that is `lost`. Raises OrmbenchError on a route that does not read.
        """
        answer = self._ask("take")
        lines = tuple(Line(*one) for one in answer["lines"])
        return Taken(Tally(**answer["tally"]), lines, answer["lost"])

    def achieved(self) -> int | None:
        """Mean round-trip time added since the last call, in ns; None where nothing passed.

        It is how long chunks stayed in the relay, one way and the other, from when it had read them
        until it had written them, without the time that a receiver did not read. That both sides'
        bytes wake one process more is not in it.
        """
        added: int | None = self._ask("achieved")["ns"]
        return added

    def stall(self) -> None:
        """Let nothing pass until `flow`; what arrives is kept, up to 1 MB in each direction.

        Beyond that its senders find the connection full.
        """
        self._ask("stall")

    def flow(self) -> None:
        """Let everything pass again."""
        self._ask("flow")

    def cut(self) -> int:
        """Close all connections of the route, as a failing network does; how many there were.

        What was under way is lost. TCP connections are reset. New ones may be opened at once.
        """
        cut: int = self._ask("cut")["connections"]
        return cut

    def close(self) -> None:
        """Cut it, and listen no more."""
        self._ask("close")

    def _ask(self, do: str) -> dict[str, Any]:
        return _asked(self._child, do, route=self._number)


class Relay:
    """The relay process. Raises OrmbenchError where it cannot listen, WorkerError where it died."""

    def __init__(self) -> None:
        self._child = Child("the relay", COMMAND, _PATIENCE, error=WorkerError)
        self._routes = 0
        self._folder = ""
        try:
            # a client reads a comma in a host as the end of the first of several
            where = parent(Account("ourselves"), _LONGEST_SOCKET, unfit=",")
            self._folder = _asked(self._child, "start", parent=str(where))["folder"]
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The relay's process."""
        return self._child.pid

    def route(self, address: Address, *, rtt_ms: float = 0.0, reads: bool = False) -> Route:
        """A new way to *address*.

        Each round trip takes *rtt_ms* longer, half of it in each direction. Only a route that
        *reads* knows messages and can `take`.
        """
        self._routes += 1
        answer = _asked(
            self._child,
            "route",
            route=self._routes,
            product=address.product,
            host=address.host,
            port=address.port,
            delay_ns=math.ceil(rtt_ms * _MS / 2),
            reads=reads,
        )
        through = dataclasses.replace(address, host=answer["host"], port=answer["port"])
        return Route(self._child, self._routes, through)

    def place(self, cpus: frozenset[int]) -> None:
        """Pin the relay to these cores, where the system can."""
        if not CAN_PIN:
            return
        try:
            os.sched_setaffinity(self.pid, cpus)
        except OSError as error:
            raise OrmbenchError(
                f"the relay cannot be tied to cores {sorted(cpus)}: {error.strerror}"
            ) from error

    def check(self) -> None:
        """Raises WorkerError where the process has ended."""
        self._child.check()

    def close(self) -> None:
        """End the process and its connections. A second call does nothing."""
        self._child.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)  # of a relay that was killed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def _asked(child: Child, do: str, **what: Any) -> dict[str, Any]:
    """What the relay answers. Raises OrmbenchError where that is an error."""
    answer = child.ask(do, **what)
    if "error" in answer:
        raise OrmbenchError(f"the relay cannot {do}: {answer['error']}")
    return answer
