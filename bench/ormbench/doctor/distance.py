"""How exact distance is here: what the relay of ``--rtt`` adds to a round trip to an echo."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from statistics import median

from ormbench.doctor.fact import Fact
from ormbench.errors import OrmbenchError
from ormbench.report.doubts_counts import MOST_ADDED, MOST_AT_ZERO_NS, MS
from ormbench.report.quantities import time_text
from ormbench.servers.server import Address
from ormbench.wire.relay import Relay

ASKED_MS = 0.5
_TURNS = 100
_PATIENCE = 5.0  # seconds


def relay_fact() -> Fact:
    """What is added where ASKED_MS are asked for, in about 0.3 s."""
    try:
        return added_fact(*_added())
    except (OrmbenchError, OSError) as error:
        return Fact("relay", f"cannot be tried: {error}", {}, "runs that count need one")


def added_fact(held: int, longer: int) -> Fact:
    """Of ns that the relay held the bytes of a round trip, and that a client waited longer."""
    wrong = held > MOST_ADDED * ASKED_MS * MS + MOST_AT_ZERO_NS
    return Fact(
        "relay",
        f"--rtt {ASKED_MS:g} adds {time_text(held)}; with all, a client waits {time_text(longer)} "
        "longer",
        {"asked_ns": int(ASKED_MS * MS), "added_ns": held, "longer_ns": longer},
        "distances will be longer than asked for: close other programs" if wrong else "",
    )


def _added() -> tuple[int, int]:
    with _echo() as port, Relay() as relay:
        direct = _round_trip_ns(port)
        route = relay.route(Address("MySQL", "127.0.0.1", port, "", ""), rtt_ms=ASKED_MS)
        through = _round_trip_ns(route.address.port)
        return route.achieved() or 0, max(0, through - direct)


def _round_trip_ns(port: int) -> int:
    """The median of many."""
    took = []
    with socket.create_connection(("127.0.0.1", port), _PATIENCE) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(_TURNS):
            began = time.perf_counter_ns()
            client.sendall(b"?")
            client.recv(1)
            took.append(time.perf_counter_ns() - began)
    return round(median(took))


@contextlib.contextmanager
def _echo() -> Iterator[int]:
    """The port of a server that sends back what it gets, for one client after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener,), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with contextlib.suppress(OSError):  # it is what ends a waiting accept
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join(_PATIENCE)


def _answer(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the listener was closed
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with client:
                while data := client.recv(64):
                    client.sendall(data)
