"""What the relay counts on the connections of real drivers, and how it keeps them readable."""

import struct
import threading
from contextlib import suppress

import asyncpg
import psycopg
import pymysql
import pytest
from peers import SECONDS, by_tcp, dial, echo, received, serving

from ormbench.errors import OrmbenchError
from ormbench.wire.dialling import places
from ormbench.wire.observer import Observer
from ormbench.wire.plainly import opening
from ormbench.wire.relay import Relay
from ormbench.wire.tally import Account

SELECT = "SELECT 42"
TRANSACTION = {"BEGIN": 1, "COMMIT": 1, "SELECT": 1}


@pytest.fixture(scope="module")
def relay():
    with Relay() as one:
        yield one


@pytest.fixture(params=["unix", "tcp"])
def postgresql(request, server):
    """Where the embedded PostgreSQL is reached: by its socket, and over TCP."""
    if request.param == "unix" or not server.address.is_socket:
        yield server.address
    else:
        with by_tcp(server.address) as address:
            yield address


def keywords(address):
    return {"host": address.host, "port": address.port, "user": address.user}


def connect(address, **more):
    told = {**keywords(address), "dbname": address.database, "password": address.password or None}
    return psycopg.connect(**told, **more)


async def aconnect(address):
    told = {**keywords(address), "database": address.database}
    return await asyncpg.connect(**told, password=address.password or None)


def kinds(taken, side):
    return [line.kind for line in taken.transcript if line.side == side]


async def test_a_transaction_of_asyncpg_is_three_round_trips(relay, postgresql):
    route = relay.route(postgresql, reads=True)
    connection = await aconnect(route.address)

    async def transaction():
        async with connection.transaction():
            assert await connection.fetchval(SELECT) == 42

    await transaction()  # and its statement is prepared
    opened = route.take()
    assert (opened.lost, opened.tally.connections) == ("", 1)
    for _ in range(5):
        await transaction()
        taken = route.take()
        tally = taken.tally
        assert (tally.round_trips, tally.requests, tally.connections) == (3, 3, 0)
        assert (dict(tally.statements), tally.transactions, tally.questions) == (TRANSACTION, 1, 0)
        assert tally.messages == len(kinds(taken, "client"))
        assert tally.sent == sum(one.size for one in taken.transcript if one.side == "client")
        assert tally.received == sum(one.size for one in taken.transcript if one.side == "server")
    await connection.close()


def test_a_transaction_of_psycopg_is_three_round_trips(relay, postgresql):
    route = relay.route(postgresql, reads=True)
    with connect(route.address) as connection:
        route.take()
        for _ in range(3):
            assert connection.execute(SELECT).fetchone() == (42,)
            connection.commit()
            taken = route.take()
            assert taken.lost == ""
            assert (taken.tally.round_trips, taken.tally.requests) == (3, 3)
            assert dict(taken.tally.statements) == TRANSACTION


def test_what_opens_a_connection_is_counted(relay, server):
    route = relay.route(server.address, reads=True)
    with connect(route.address), connect(route.address):
        assert route.take().tally.connections == 2
        with connect(route.address):
            pass
        assert route.take().tally.connections == 1
    assert route.take().tally.connections == 0
    other = relay.route(server.address, reads=True)
    assert other.take().tally.messages == 0


@pytest.mark.parametrize("rtt_ms", [0.0, 20.0])
def test_what_the_client_did_not_wait_for_is_in_what_is_taken(relay, server, rtt_ms):
    """A terminated connection: its last message has no answer."""
    route = relay.route(server.address, rtt_ms=rtt_ms, reads=True)
    connection = connect(route.address)
    route.take()
    connection.close()
    assert kinds(route.take(), "client") == ["Terminate"]


def test_an_answer_that_nobody_has_waited_for_yet_is_in_what_is_taken(relay, server):
    route = relay.route(server.address, reads=True)
    with connect(route.address, autocommit=True) as connection:
        route.take()
        connection.pgconn.send_query(b"SELECT pg_sleep(0.05)")
        taken = route.take()
        assert kinds(taken, "server")[-1] == "ReadyForQuery"
        assert taken.tally.round_trips == 1
        while connection.pgconn.get_result():
            pass


@pytest.mark.servers  # for its seconds
def test_a_route_does_not_get_quiet_while_somebody_does_not_read(relay):
    full = threading.Event()

    def fill(one):
        one.settimeout(0.3)
        with suppress(TimeoutError):
            while True:
                one.send(bytes(1 << 20))
        full.set()
        one.settimeout(SECONDS)
        one.recv(1)

    with serving("unix", fill) as there:
        route = relay.route(there, reads=True)
        with dial(route.address):
            assert full.wait(SECONDS)
            assert route.take().lost == "bytes were still under way after 5 s"
            route.cut()
        assert route.take().lost != ""  # it was no PostgreSQL


def test_a_route_that_does_not_read_has_nothing_to_take(relay, server):
    with pytest.raises(OrmbenchError, match="the relay cannot take: this route reads no messages"):
        relay.route(server.address).take()


# Encryption


def test_a_client_that_prefers_to_encrypt_speaks_plainly_where_messages_are_read(relay, server):
    """libpq asks over TCP alone; the server never hears of it."""
    with by_tcp(server.address) as address:
        route = relay.route(address, reads=True)
        with connect(route.address, sslmode="prefer") as connection:
            assert connection.execute(SELECT).fetchone() == (42,)
        taken = route.take()
        assert taken.lost == ""
        assert kinds(taken, "client")[0] == "StartupMessage"
        with pytest.raises(psycopg.OperationalError, match="SSL was required"):
            connect(route.address, sslmode="require")


@pytest.mark.servers
@pytest.mark.parametrize("product", ["mysql", "mariadb"])
def test_a_mysql_client_that_prefers_to_encrypt_speaks_plainly_where_messages_are_read(
    relay, product, request
):
    address = request.getfixturevalue(f"{product}_address")
    route = relay.route(address, reads=True)
    cipher = {}
    for there in (address, relay.route(address).address, route.address):
        with mysql(there) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
            cipher[there] = cursor.fetchone()[1]
    straight, unread, read = cipher.values()
    assert straight == unread  # and where the server can encrypt, PyMySQL does
    assert read == ""
    assert route.take().lost == ""
    if product == "mysql":
        assert straight != ""


def mysql(address):
    way = (
        {"unix_socket": address.host}
        if address.is_socket
        else {"host": address.host, "port": address.port}
    )
    return pymysql.connect(**way, user=address.user, password=address.password)


@pytest.mark.servers
@pytest.mark.parametrize("product", ["mysql", "mariadb"])
def test_a_transaction_on_mysql_and_mariadb_is_three_round_trips(relay, product, request):
    route = relay.route(request.getfixturevalue(f"{product}_address"), reads=True)
    with mysql(route.address) as connection, connection.cursor() as cursor:
        route.take()
        connection.begin()
        cursor.execute(SELECT)
        assert cursor.fetchall() == ((42,),)
        connection.commit()
        taken = route.take()
    assert taken.lost == ""
    tally = taken.tally
    assert (tally.round_trips, tally.requests, tally.questions) == (3, 3, 3)
    assert dict(tally.statements) == TRANSACTION


SSL = struct.pack("!II", 8, 80877103)
GSS = struct.pack("!II", 8, 80877104)
STARTUP = struct.pack("!II", 8, 196608)


@pytest.mark.parametrize("size", [1, 3, 8, 100])
def test_requests_for_encryption_are_answered_in_pieces_of_any_size(size):
    data, way = GSS + SSL + STARTUP + SSL, opening("PostgreSQL")
    pieces = [way.client(data[at : at + size]) for at in range(0, len(data), size)]
    assert b"".join(passed for passed, _ in pieces) == STARTUP + SSL
    assert b"".join(answer for _, answer in pieces) == b"NN"


def greeting(flags, version=b"9.4.0"):
    body = (
        b"\x0a" + version + b"\0" + b"idid" + b"scramble" + b"\0"
        + struct.pack("<H", flags & 0xFFFF) + b"\xff" + b"\x02\x00"
        + struct.pack("<H", flags >> 16) + b"\x15" + bytes(10) + b"more\0caching_sha2_password\0"
    )  # fmt: skip
    return len(body).to_bytes(3, "little") + b"\0" + body


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_greeting_offers_neither_encryption_nor_compression(size):
    unreadable = 1 << 11 | 1 << 5 | 1 << 26
    data, way = greeting(0xFFFFFFFF) + b"\x01\0\0\1\x0a", opening("MySQL")
    passed = b"".join(way.server(data[at : at + size]) for at in range(0, len(data), size))
    assert passed == greeting(0xFFFFFFFF & ~unreadable) + b"\x01\0\0\1\x0a"
    assert way.client(b"any") == (b"any", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"\x17\0\0\0\xff\x10\x04Too many connections",
        b"\x03\0\0\0\x0aab",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\0\0\0\0",
    ],
)
def test_what_is_no_greeting_is_passed_on_as_it_is(data):
    assert opening("MySQL").server(data) == data


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\0\x05\x01\0\0\x01\x03"],
    ids=["HTTP", "TLS at once"],
)
def test_what_cannot_be_read_is_lost_and_passed_on_as_it_is(relay, data):
    with serving("unix", echo) as there:
        route = relay.route(there, reads=True)
        with dial(route.address) as client:
            client.sendall(data)
            assert received(client, len(data)) == data
        taken = route.take()
        assert taken.lost != ""
        assert (taken.tally.sent, taken.tally.received) == (len(data), len(data))


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("fe80::1%1", False),
        ("2001:db8::1", False),
    ],
)
def test_what_leaves_the_machine_is_never_talked_out_of_encryption(host, here):
    assert all(one.is_here is here for one in places(host, 5432))


def test_where_encryption_is_not_ours_to_refuse_the_server_is_asked_and_the_count_is_lost():
    account = Account()
    observer = Observer("PostgreSQL", account, plain=False)
    assert observer.client(SSL) == SSL
    assert (account.lost, observer.server(b"S")) == ("", b"S")
    assert account.lost != ""
    other = Observer("MySQL", account, plain=False)
    assert other.server(greeting(0xFFFFFFFF)) == greeting(0xFFFFFFFF)
