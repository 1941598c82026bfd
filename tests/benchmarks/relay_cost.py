"""What the relay adds to a round trip, beside what it is asked to add.

Small messages go to and fro over unix sockets, straight to an echo server in a process of its own
and by routes of one relay; turns of each way are interleaved in random order. Printed for each
way: its round trips less the median of the straight ones, in the median and at p90, and the mean
that the relay itself tells, which lacks that both sides' bytes wake one process more.
"""

import random
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ormbench.servers.server import Address
from ormbench.wire.relay import Relay, Route

RTTS = (0.0, 0.25, 0.5, 1.0, 5.0)  # ms
ROUNDS, TRIPS, SETTLING = 40, 25, 3
MESSAGE = b"as long as a short query and its answer"
NAME, PORT = ".s.PGSQL.5432", 5432
clock = time.perf_counter_ns


def echo(path: str) -> None:
    """Send back what one client after the other sends; a thread each would share one lock."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    clients = [listener.accept()[0] for _ in range(len(RTTS) + 1)]
    waiting = {one.fileno(): one for one in clients}
    poll = select.poll()
    for number in waiting:
        poll.register(number, select.POLLIN)
    while True:
        for number, _ in poll.poll():
            data = waiting[number].recv(1 << 16)
            if not data:
                return
            waiting[number].sendall(data)


def dial(folder: str) -> socket.socket:
    """A connection."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(f"{folder}/{NAME}")
    return client


def trips(client: socket.socket) -> list[int]:
    """Round trips of one turn, in ns."""
    took = []
    for _ in range(SETTLING + TRIPS):
        start = clock()
        client.sendall(MESSAGE)
        client.recv(1 << 16)
        took.append(clock() - start)
    return took[SETTLING:]


def measure(folder: str, relay: Relay) -> None:
    """All rounds, then the table."""
    there = Address("PostgreSQL", folder, PORT, "", "")
    routes = {rtt: relay.route(there, rtt_ms=rtt) for rtt in RTTS}
    ways: dict[float | None, socket.socket] = {None: dial(folder)}
    ways |= {rtt: dial(route.address.host) for rtt, route in routes.items()}
    took: dict[float | None, list[int]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way in random.sample(list(ways), len(ways)):
            took[way] += trips(ways[way])
    straight = statistics.median(took[None])
    count = ROUNDS * TRIPS
    print(f"relay, {count} round trips a way over unix sockets, {straight / 1e3:.0f} us straight:")
    print("  asked for   added: median      p90       the relay's own mean")
    for rtt, route in routes.items():
        show(rtt, [one - straight for one in took[rtt]], route)
    for client in ways.values():
        client.close()


def show(rtt: float, added: list[float], route: Route) -> None:
    """Print one line."""
    p90 = statistics.quantiles(added, n=10)[-1]
    own = (route.achieved() or 0) / 1e6
    median = statistics.median(added) / 1e6
    print(f"  {rtt:5.2f} ms  {median:12.3f} ms {p90 / 1e6:8.3f} ms {own:17.3f} ms")


def main() -> int:
    """Start the echo server and the relay, measure, end both."""
    if sys.argv[1:]:
        echo(sys.argv[1])
        return 0
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__)), f"{folder}/{NAME}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server, Relay() as relay:
            assert server.stdout is not None
            server.stdout.readline()
            measure(folder, relay)
    return 0


if __name__ == "__main__":
    sys.exit(main())
