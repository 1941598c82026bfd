"""The delay line of the relay: nothing early, nothing lost, nothing out of order."""

import hashlib
import os
import random
import struct
import sys
import threading
import time

import pytest
from peers import KINDS, SECONDS, dial, received, serving

from ormbench.wire import relay as relay_module
from ormbench.wire.delay import DelayLine
from ormbench.wire.relay import Relay

MS = 1_000_000
STAMP = struct.Struct("!QQ")  # number, time of sending
now = time.perf_counter_ns


@pytest.fixture(scope="module")
def relay():
    with Relay() as one:
        yield one


def faults(passed, delay_ns):
    """What is wrong with messages, each (number, sent, received), that came by a delay line."""
    numbers = [number for number, _, _ in passed]
    wrong = [] if numbers == list(range(len(passed))) else ["out of order"]
    if any(came < sent + delay_ns for _, sent, came in passed):
        wrong.append("early")
    return wrong


def through(relay, kind, rtt_ms, count=150):
    """Send messages both ways at once; the route, what the server got, what the client got."""
    at_server, at_client, done = [], [], threading.Event()

    def handle(one):
        talk(one, at_server, count)
        done.set()
        one.recv(1)

    with serving(kind, handle) as there:
        route = relay.route(there, rtt_ms=rtt_ms)
        with dial(route.address) as client:
            talk(client, at_client, count)
            assert done.wait(SECONDS)
    return route, at_server, at_client


def talk(one, into, count):
    listener = threading.Thread(target=listen, args=(one, into, count))
    listener.start()
    chance = random.Random(4)
    for number in range(count):
        one.sendall(STAMP.pack(number, now()))
        time.sleep(chance.choice((0, 0.0002, 0.001)))
    listener.join()


def listen(one, into, count):
    for _ in range(count):
        number, sent = STAMP.unpack(received(one, STAMP.size))
        into.append((number, sent, now()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rtt_ms", [0.0, 0.5, 3.0])
def test_no_message_is_early_or_out_of_order_and_the_relay_knows_how_long_they_took(
    relay, kind, rtt_ms
):
    route, at_server, at_client = through(relay, kind, rtt_ms)
    assert len(at_server) == len(at_client) == 150
    for passed in (at_server, at_client):
        assert faults(passed, rtt_ms / 2 * MS) == []
    longest = sum(max(came - sent for _, sent, came in one) for one in (at_server, at_client))
    assert max(1, rtt_ms * MS) <= route.achieved() <= longest
    assert route.achieved() is None


BREAKS = {
    "early": "return put(self, arrived - self.delay_ns // 2, data)",
    "out of order": """
    due = put(self, arrived, data)
    first, last = self._chunks[0], self._chunks[-1]
    first.data, last.data = last.data, first.data
    return due""",
}


@pytest.mark.parametrize("fault", BREAKS)
def test_a_relay_that_delivers_early_or_out_of_order_is_found_out(fault, tmp_path, monkeypatch):
    """The same measurement, on a relay whose delay line is broken on purpose."""
    script = tmp_path / "broken.py"
    script.write_text(
        "from ormbench.wire import relay_process\n"
        "from ormbench.wire.delay import DelayLine\n"
        "put = DelayLine.put\n"
        f"def broken(self, arrived, data):\n    {BREAKS[fault]}\n"
        "DelayLine.put = broken\n"
        "relay_process.main()\n"
    )
    monkeypatch.setattr(relay_module, "COMMAND", [sys.executable, "-P", str(script)])
    with Relay() as broken:
        _, at_server, at_client = through(broken, "unix", 10.0, 40)
    assert fault in faults(at_server, 5 * MS)
    assert fault in faults(at_client, 5 * MS)


def test_many_chunks_are_under_way_at_once():
    """A delay line, not a sleep: each is due its own delay after it came."""
    line = DelayLine(100)
    assert [line.put(when, bytes([when])) for when in (0, 1, 2, 2)] == [100, 101, 102, 102]
    assert line.size == 4
    assert line.ripe(99) is None
    out = []
    for when in range(98, 103):
        while chunk := line.ripe(when):
            out.append((when, bytes(chunk.data), chunk.arrived))
            line.drop(1)
    assert out == [(100, b"\0", 0), (101, b"\1", 1), (102, b"\2", 2), (102, b"\2", 2)]
    assert not line


def test_a_chunk_that_was_sent_in_part_keeps_its_place():
    line = DelayLine(0)
    line.put(1, b"abcd")
    line.put(2, b"ef")
    line.drop(3)
    assert (bytes(line.ripe(1).data), line.size) == (b"d", 3)
    line.drop(1)
    assert line.ripe(1) is None
    assert bytes(line.ripe(2).data) == b"ef"
    line.clear()
    assert (line.size, bool(line)) == (0, False)


@pytest.mark.parametrize("rtt_ms", [0.0, 2.0])
@pytest.mark.parametrize("kind", KINDS)
def test_fifty_megabytes_each_way_at_once_arrive_as_they_were_sent(relay, kind, rtt_ms):
    size, digests, done = 50 << 20, {}, threading.Event()

    def both(one, name):
        reader = threading.Thread(target=read, args=(one, name))
        reader.start()
        data, sent = os.urandom(size), hashlib.sha256()
        for start in range(0, size, 1 << 20):
            one.sendall(data[start : start + (1 << 20)])
        sent.update(data)
        digests[f"{name} sent"] = sent.digest()
        reader.join()

    def read(one, name):
        got, left = hashlib.sha256(), size
        while left and (data := one.recv(min(left, 1 << 18))):
            got.update(data)
            left -= len(data)
        digests[f"{name} got"] = got.digest()

    def handle(one):
        both(one, "server")
        done.set()
        one.recv(1)

    with serving(kind, handle) as there, dial(relay.route(there, rtt_ms=rtt_ms).address) as client:
        both(client, "client")
        assert done.wait(SECONDS)
    assert digests["client got"] == digests["server sent"]
    assert digests["server got"] == digests["client sent"]
