"""The ways through the relay that a run takes: to be counted, and to be farther away."""

from typing import Self

from ormbench.errors import WorkerError
from ormbench.servers.server import Address
from ormbench.wire.relay import Relay, Route


class Routes:
    """Routes of one run; the relay starts with the first that is asked for."""

    def __init__(self) -> None:
        self._relay: Relay | None = None
        self._cpus: frozenset[int] | None = None
        self._distant: dict[tuple[Address, float], Route] = {}

    def counting(self, address: Address) -> Route:
        """A new way to *address*, on which messages are read; whoever counted closes it."""
        return self._started().route(address, reads=True)

    def distant(self, address: Address, rtt_ms: float) -> Route:
        """The way to *address* that adds *rtt_ms* to a round trip and reads nothing."""
        key = (address, rtt_ms)
        if key not in self._distant:
            self._distant[key] = self._started().route(address, rtt_ms=rtt_ms)
        return self._distant[key]

    def _started(self) -> Relay:
        if self._relay is None:
            self._relay = Relay()
            if self._cpus is not None:
                self._relay.place(self._cpus)
        return self._relay

    def check(self) -> None:
        """Raises WorkerError where the relay has died: whoever went through it failed for that."""
        if self._relay is not None:
            self._relay.check()

    def renew(self) -> None:
        """Forget a relay that has died: the next way is one through another."""
        try:
            self.check()
        except WorkerError:
            self._close()
            self._relay = None
            self._distant.clear()

    def _close(self) -> None:
        if self._relay is not None:
            self._relay.close()

    def place(self, cpus: frozenset[int]) -> None:
        """Pin the relay to *cpus*, now or when it starts."""
        if cpus != self._cpus and self._relay is not None:
            self._relay.place(cpus)
        self._cpus = cpus

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._close()
