"""The relay's life, and what it does to connections: passes on, holds up, cuts."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import asyncpg
import psycopg
import pytest
from peers import KINDS, SECONDS, dial, echo, received, rest, serving

from ormbench.errors import OrmbenchError
from ormbench.servers.placement import CAN_PIN
from ormbench.servers.server import Address
from ormbench.wire.relay import Relay

MB = 1 << 20


@pytest.fixture(scope="module")
def relay():
    with Relay() as one:
        yield one


@pytest.fixture
def own():
    """A relay that nobody else uses: it may be killed."""
    with Relay() as one:
        yield one


@pytest.fixture
def peers():
    """Starts plain servers for a test."""
    with ExitStack() as stack:
        yield lambda kind, handle: stack.enter_context(serving(kind, handle))


def keywords(address):
    return {"host": address.host, "port": address.port, "user": address.user}


def connect(address):
    return psycopg.connect(**keywords(address), dbname=address.database, autocommit=True)


async def aconnect(address):
    return await asyncpg.connect(**keywords(address), database=address.database)


# What passes


@pytest.mark.parametrize("rtt_ms", [0.0, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_is_reached_by_a_route_of_its_own_kind(relay, peers, kind, rtt_ms):
    there = peers(kind, echo)
    route = relay.route(there, rtt_ms=rtt_ms)
    assert route.address != there
    assert route.address.is_socket == there.is_socket
    assert there.is_socket or route.address.host == "127.0.0.1"
    with dial(route.address) as client:
        for words in (b"one", b"two", b"x" * MB):
            client.sendall(words)
            assert received(client, len(words)) == words


def test_a_socket_of_a_route_is_in_a_folder_that_nobody_else_may_enter(relay, server):
    folder = Path(relay.route(server.address).address.host)
    for one in (folder, folder.parent):
        assert one.stat().st_mode & 0o777 == 0o700


async def test_drivers_reach_postgresql_by_a_route(relay, server):
    address = relay.route(server.address).address
    with connect(address) as psycopg_s:
        assert psycopg_s.execute("SELECT 42").fetchone() == (42,)
        with pytest.raises(psycopg.errors.DivisionByZero):
            psycopg_s.execute("SELECT 1 / 0")
    asyncpg_s = await aconnect(address)
    assert await asyncpg_s.fetchval("SELECT repeat('x', 3000000)") == "x" * 3_000_000
    await asyncpg_s.close()


@pytest.mark.parametrize("rtt_ms", [0.0, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_a_side_that_has_said_its_last_still_gets_an_answer(relay, peers, kind, rtt_ms):
    there = peers(kind, lambda one: one.sendall(rest(one)[::-1]))
    with dial(relay.route(there, rtt_ms=rtt_ms).address) as client:
        client.sendall(b"abc")
        client.shutdown(socket.SHUT_WR)
        assert rest(client) == b"cba"


@pytest.mark.parametrize("rtt_ms", [0.0, 1.0])
def test_a_reset_is_passed_on_after_what_came_before_it(relay, peers, rtt_ms):
    done = threading.Event()

    def handle(one):
        one.sendall(b"last words")
        done.wait(SECONDS)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with dial(relay.route(peers("tcp", handle), rtt_ms=rtt_ms).address) as client:
        assert received(client, 10) == b"last words"
        done.set()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_of_a_server_that_is_gone_is_turned_away(relay, kind):
    with serving(kind, echo) as there:
        route = relay.route(there)
    assert ends(route.address)


def ends(address):
    """Whether a client is let in and cut off again; it may not even get in."""
    try:
        with dial(address) as client:
            return client.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("rtt_ms", [0.0, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_who_does_not_read_holds_the_sender_up_and_fills_no_memory(own, peers, kind, rtt_ms):
    read = threading.Event()

    def handle(one):
        read.wait(SECONDS)
        one.sendall(len(rest(one)).to_bytes(8, "big"))

    address = own.route(peers(kind, handle), rtt_ms=rtt_ms).address
    before, sent = peak(own.pid), 0
    with dial(address) as client:
        client.settimeout(0.5)
        with suppress(TimeoutError):
            while sent < 200 * MB:
                sent += client.send(bytes(MB))
        assert MB < sent < 50 * MB  # the kernel's buffers are in it
        assert peak(own.pid) - before < 40 * MB
        read.set()
        client.settimeout(SECONDS)
        client.shutdown(socket.SHUT_WR)
        assert int.from_bytes(received(client, 8), "big") == sent


def peak(pid):
    """The largest resident set of a process so far, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise AssertionError


# Faults on purpose


@pytest.mark.parametrize("rtt_ms", [0.0, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_a_stalled_route_keeps_what_arrives_and_then_delivers_it(relay, peers, kind, rtt_ms):
    came, arrived = bytearray(), threading.Event()

    def handle(one):
        while data := one.recv(1 << 16):
            came.extend(data)
            if came.endswith(b"."):
                arrived.set()

    route = relay.route(peers(kind, handle), rtt_ms=rtt_ms)
    with dial(route.address) as client:
        client.sendall(b"before.")
        assert arrived.wait(SECONDS)
        arrived.clear()
        route.stall()
        for words in (b"kept", b" for", b" later."):
            client.sendall(words)
            time.sleep(0.01)
        assert not arrived.wait(0.05)
        assert came == b"before."
        route.flow()
        assert arrived.wait(SECONDS)
        assert came == b"before.kept for later."


def test_the_time_of_a_stall_is_no_round_trip_time(relay, peers):
    route = relay.route(peers("unix", echo))
    with dial(route.address) as client:
        client.sendall(b"a")
        received(client, 1)
        route.stall()
        client.sendall(b"b")
        time.sleep(0.3)
        route.flow()
        received(client, 1)
    assert route.achieved() < 150_000_000  # half of the stall, were it in the mean of two


def test_a_query_waits_for_a_stalled_route(relay, server):
    route = relay.route(server.address)
    with connect(route.address) as connection:
        route.stall()
        answers = []
        asking = threading.Thread(
            target=lambda: answers.append(connection.execute("SELECT 1").fetchone())
        )
        asking.start()
        asking.join(0.05)
        assert (asking.is_alive(), answers) == (True, [])
        route.flow()
        asking.join(SECONDS)
        assert answers == [(1,)]


async def test_a_cut_ends_every_connection_and_the_drivers_say_so(relay, server):
    route = relay.route(server.address)
    one, other = connect(route.address), connect(route.address)
    third = await aconnect(route.address)
    assert route.cut() == 3
    for connection in (one, other):
        with pytest.raises(psycopg.OperationalError, match="server closed the connection"):
            connection.execute("SELECT 1")
        assert connection.broken
        connection.close()
    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
        await third.fetchval("SELECT 1")
    third.terminate()
    assert route.cut() == 0
    with connect(route.address) as fresh:
        assert fresh.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("rtt_ms", [0.0, 50.0])
def test_a_cut_over_tcp_is_a_reset_and_what_was_under_way_is_lost(relay, peers, rtt_ms):
    came, over = bytearray(), threading.Event()

    def handle(one):
        try:
            while data := one.recv(100):
                came.extend(data)
        finally:
            over.set()

    route = relay.route(peers("tcp", handle), rtt_ms=rtt_ms)
    with dial(route.address) as client:
        route.stall()
        client.sendall(b"lost")
        time.sleep(0.02)
        assert route.cut() == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert over.wait(SECONDS)
    assert came == b""
    route.flow()


def test_other_routes_know_nothing_of_a_stall_or_a_cut(relay, peers):
    there = peers("unix", echo)
    one, other = relay.route(there), relay.route(there)
    with dial(one.address), dial(other.address) as client:
        one.stall()
        one.cut()
        client.sendall(b"still here")
        assert received(client, 10) == b"still here"


def test_a_closed_route_listens_no_more(relay, peers):
    route = relay.route(peers("tcp", echo))
    with dial(route.address) as client:
        route.close()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        dial(route.address)


def while_clients_come_in(own, route, do, *, late):
    """Ask in the same moment in which two clients connect; the answer, and what they read."""

    def ask():
        message = json.dumps({"do": do, "route": route._number}) + "\n"
        own._child._process.stdin.write(message.encode())
        own._child._process.stdin.flush()

    os.kill(own.pid, signal.SIGSTOP)
    if late:
        ask()
    with dial(route.address) as one, dial(route.address) as other:
        if not late:
            ask()
        os.kill(own.pid, signal.SIGCONT)
        answer = json.loads(own._child._line())
        return answer, [read(one), read(other)]


def read(client):
    try:
        return client.recv(1)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("late", [False, True])
def test_a_route_may_be_closed_while_clients_come_in(own, peers, late):
    route = own.route(peers("unix", echo))
    assert while_clients_come_in(own, route, "close", late=late) == ({}, [b"", b""])
    assert own.route(peers("unix", echo)).cut() == 0


@pytest.mark.parametrize("late", [False, True])
def test_a_cut_ends_clients_too_that_the_relay_has_not_let_in_yet(own, peers, late):
    route = own.route(peers("unix", echo))
    cut = {"connections": 2}
    assert while_clients_come_in(own, route, "cut", late=late) == (cut, [b"", b""])


# Life and death


def test_a_relay_that_is_killed_is_an_error_in_one_line_and_leaves_no_folder(own, server):
    route = own.route(server.address)
    folder = Path(route.address.host).parent
    os.kill(own.pid, signal.SIGKILL)
    for ask in (route.achieved, route.take, lambda: own.route(server.address)):
        with pytest.raises(OrmbenchError) as error:
            ask()
        assert str(error.value) == "the relay ended with code -9: it said nothing"
    own.close()
    own.close()
    assert not folder.exists()


def test_a_relay_that_was_closed_says_so(server):
    one = Relay()
    route = one.route(server.address)
    one.close()
    with pytest.raises(OrmbenchError, match="the relay was closed"):
        route.cut()


@pytest.mark.parametrize("ends", ["os.kill(os.getpid(), signal.SIGKILL)", "sys.exit()", "term()"])
def test_a_relay_ends_with_its_coordinator_and_takes_its_folder_along(ends, server, tmp_path):
    script = tmp_path / "coordinator.py"
    script.write_text(
        "import os, signal, sys\n"
        "from ormbench.servers.server import Address\n"
        "from ormbench.wire.relay import Relay\n"
        "relay = Relay()\n"
        "def term():\n"
        "    os.kill(relay.pid, signal.SIGTERM)\n"
        "    relay._child._process.wait(10)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"route = relay.route(Address('PostgreSQL', {server.address.host!r}, 5432, '', ''))\n"
        "print(relay.pid, route.address.host, flush=True)\n"
        f"{ends}\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, check=False)
    pid, folder = done.stdout.decode().split()
    deadline = time.monotonic() + SECONDS
    while (runs(pid) or Path(folder).parent.exists()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not runs(pid)
    assert not Path(folder).parent.exists()


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_an_interrupt_is_the_coordinator_s_to_handle(own, peers):
    os.kill(own.pid, signal.SIGINT)
    with dial(own.route(peers("unix", echo)).address) as client:
        client.sendall(b"a")
        assert received(client, 1) == b"a"


@pytest.mark.skipif(not CAN_PIN, reason="this system pins nothing")
def test_a_relay_can_be_tied_to_cores(own):
    cpu = min(os.sched_getaffinity(0))
    own.place(frozenset({cpu}))
    assert os.sched_getaffinity(own.pid) == {cpu}
    with pytest.raises(OrmbenchError, match=r"the relay cannot be tied to cores \[99999\]: "):
        own.place(frozenset({99_999}))


def test_a_route_to_a_host_that_nobody_knows_is_refused_in_one_line(relay):
    there = Address("MySQL", "no-such-host.invalid", 3306, "", "")
    with pytest.raises(OrmbenchError, match=r"^the relay cannot route: .+$"):
        relay.route(there)


@pytest.mark.parametrize("folder", ["f" * 90, "with,comma"])
def test_a_temporary_folder_that_is_no_good_for_sockets_is_not_used(
    folder, tmp_path, monkeypatch, server
):
    unfit = tmp_path / folder
    unfit.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(unfit))
    with Relay() as relay, connect(relay.route(server.address).address) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert list(unfit.iterdir()) == []


def test_the_relay_s_process_imports_no_database_library():
    """It starts before a run's first operation, and its memory is its own."""
    script = "import sys, ormbench.wire.relay_process; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    imported = set(done.stdout.decode().split())
    assert "ormbench.wire.pipe" in imported
    assert not imported & {"sqlalchemy", "asyncpg", "psycopg", "pymysql", "asyncio"}
