"""PostgreSQL's protocol is read the same however the bytes arrive, and as the server counts."""

import random
import struct
import tracemalloc
from collections import Counter
from contextlib import aclosing
from itertools import groupby

import asyncpg
import psycopg
import pytest
from postgresql_tap import (
    FLUSH,
    SYNC,
    TERMINATE,
    VXID,
    Bytes,
    Tap,
    bind,
    close,
    describe,
    execute,
    opening,
    parse,
    query,
    string,
    typed,
)

from ormbench.wire import postgresql_session
from ormbench.wire.postgresql import Reader
from ormbench.wire.postgresql_script import goes_to_savepoint, statements, verb
from ormbench.wire.postgresql_session import Session

SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSSENC_REQUEST = struct.pack("!II", 8, 80877104)
CANCEL_REQUEST = struct.pack("!IIII", 16, 80877102, 1, 2)
READY = typed("Z", b"I")


def read(conversation):
    """The messages of [(side, bytes), ...], and why reading ended."""
    reader = Reader()
    return [one for side, data in conversation for one in reader.feed(side, data)], reader.lost


def kinds(conversation):
    return [message.kind for message in read(conversation)[0]]


def number(value):
    return struct.pack("!I", value)


def error(code, words):
    return typed("E", b"S" + string("ERROR") + b"C" + string(code) + b"M" + string(words) + b"\0")


LOGIN = [
    ("client", opening(minor=2, user="ann", database="shop")),
    ("server", typed("v", number(0) + number(0)) + typed("R", number(10) + b"SCRAM\0\0")),
    ("client", typed("p", string("SCRAM") + b"secret")),
    ("server", typed("R", number(11) + b"secret")),
    ("client", typed("p", b"secret")),
    ("server", typed("R", number(12) + b"secret") + typed("R", number(0))),
    ("server", typed("S", string("TimeZone") + string("UTC")) + typed("K", bytes(8)) + READY),
]
CONVERSATION = [
    ("client", GSSENC_REQUEST),
    ("server", b"N"),
    ("client", SSL_REQUEST),
    ("server", b"N"),
    *LOGIN,
    ("client", parse("SELECT 'é'", "p") + describe("S", "p") + FLUSH),
    ("server", typed("1") + typed("t", bytes(2)) + typed("T", bytes(30))),
    ("client", bind("p") + execute(limit=1) + SYNC),
    ("server", typed("2") + typed("D", bytes(20)) + typed("s") + READY),
    ("client", query("COPY t FROM STDIN") + typed("d", b"1\n") * 3 + typed("c")),
    ("server", typed("G", bytes(5)) + typed("C", string("COPY 3")) + READY),
    ("client", query("INSERT INTO t VALUES (1); oops")),
    ("server", typed("N", b"C" + string("00000") + b"M" + string("mind") + b"\0")),
    ("server", error("42601", "syntax error") + READY),
    ("client", TERMINATE),
]


def test_every_message_has_the_protocols_name_its_size_and_its_words():
    messages, lost = read(CONVERSATION)
    assert not lost
    assert sum(one.size for one in messages) == sum(len(data) for _, data in CONVERSATION)
    assert [(one.kind, one.text) for one in messages if one.text] == [
        ("SSLResponse", "N"),
        ("SSLResponse", "N"),
        ("ParameterStatus", "TimeZone = UTC"),
        ("ReadyForQuery", "I"),
        ("Parse", "SELECT 'é'"),
        ("Execute", "SELECT 'é'"),
        ("ReadyForQuery", "I"),
        ("Query", "COPY t FROM STDIN"),
        ("CommandComplete", "COPY 3"),
        ("ReadyForQuery", "I"),
        ("Query", "INSERT INTO t VALUES (1); oops"),
        ("NoticeResponse", "00000: mind"),
        ("ErrorResponse", "42601: syntax error"),
        ("ReadyForQuery", "I"),
    ]
    assert [(one.statement, one.rows) for one in messages if one.statement] == [
        ("SELECT", 1),
        ("COPY", 3),
    ]


def test_what_makes_the_server_send_asks():
    assert [one.kind for one in read(CONVERSATION)[0] if one.asks] == [
        "GSSENCRequest",
        "SSLRequest",
        "StartupMessage",
        "SASLInitialResponse",
        "SASLResponse",
        "Flush",
        "Sync",
        "Query",
        "CopyDone",
        "Query",
    ]


def test_a_flush_with_nothing_to_flush_asks_for_nothing():
    sent = [*LOGIN, ("client", parse("SELECT 1") + SYNC + FLUSH)]
    assert [(one.kind, one.asks) for one in read(sent)[0][-3:]] == [
        ("Parse", False),
        ("Sync", True),
        ("Flush", False),
    ]


def test_no_secret_of_a_login_is_in_a_message():
    assert "secret" not in repr(read(LOGIN)[0])


def test_a_conversation_cut_anywhere_gives_the_same_messages():
    whole, _ = read(CONVERSATION)
    for place, (side, data) in enumerate(CONVERSATION):
        for cut in range(1, len(data)):
            pieces = [(side, data[:cut]), (side, data[cut:])]
            assert read(CONVERSATION[:place] + pieces + CONVERSATION[place + 1 :])[0] == whole


def test_a_conversation_byte_by_byte_gives_the_same_messages():
    pieces = [(side, bytes([one])) for side, data in CONVERSATION for one in data]
    assert read(pieces)[0] == read(CONVERSATION)[0]


@pytest.mark.parametrize(
    ("conversation", "reason"),
    [
        ([("client", SSL_REQUEST), ("server", b"S")], "the connection is encrypted"),
        ([("client", GSSENC_REQUEST), ("server", b"G")], "the connection is encrypted"),
        ([("client", b"\x16\x03\x01")], "the connection is encrypted"),
        ([("client", struct.pack("!IHH", 8, 2, 0))], "not PostgreSQL's protocol 3"),
        ([("client", b"GET / HTTP/1.1\r\n")], "not PostgreSQL's protocol 3"),
        ([*LOGIN, ("server", b"?" + bytes(8))], "not PostgreSQL's protocol 3"),
        ([*LOGIN, ("client", b"Q" + bytes(4))], "not PostgreSQL's protocol 3"),
    ],
)
def test_what_cannot_be_read_is_said_and_ends_the_reading(conversation, reason):
    assert read(conversation)[1] == reason
    assert read([*conversation, *CONVERSATION]) == read(conversation)


def test_messages_before_the_unreadable_byte_are_kept():
    assert kinds([*LOGIN, ("client", SYNC + b"?" + bytes(4))])[-1] == "Sync"


def test_a_server_may_answer_a_request_for_encryption_with_an_error():
    said = [("client", SSL_REQUEST), ("server", error("53300", "too many clients"))]
    assert read(said)[0][-1].text == "53300: too many clients"


def test_a_cancel_request_is_a_message_without_an_answer():
    (message,), lost = read([("client", CANCEL_REQUEST)])
    assert (message.kind, message.size, message.asks, lost) == ("CancelRequest", 16, False, "")


def test_no_bytes_make_the_reader_raise():
    chance = random.Random(4)
    letters = b"BCcdDEFfHpPQSX123AcCdDEGHIKnNRsStTVvWZ"
    for _ in range(3_000):
        reader = Reader()
        for side, data in LOGIN:
            reader.feed(side, data)
        for _ in range(10):
            body = chance.randbytes(chance.randrange(12))
            data = bytes([chance.choice(letters)]) + number(len(body) + 4) + body
            reader.feed(chance.choice(["client", "server"]), data)
        reader.feed("client", chance.randbytes(9))


def test_a_body_that_nobody_needs_takes_no_memory():
    reader = Reader()
    for side, data in LOGIN:
        reader.feed(side, data)
    piece = bytes(65_536)
    tracemalloc.start()
    try:
        reader.feed("client", b"d" + number(4 + 1_000 * len(piece)))
        found = [one for _ in range(1_000) for one in reader.feed("client", piece)]
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [(one.kind, one.size) for one in found] == [("CopyData", 5 + 1_000 * len(piece))]
    assert held < 1_000_000


def test_sql_beyond_what_is_kept_is_cut_and_the_count_goes_on():
    long = query("SELECT " + "1," * 100_000 + "1")
    *_, asked, synced = read([*LOGIN, ("client", long + SYNC)])[0]
    assert (asked.size, len(asked.text), synced.kind) == (len(long), 65_536, "Sync")


def test_statements_end_at_semicolons_that_are_not_quoted():
    sql = """BEGIN; ; -- ;
        SELECT ';', E'\\';', $a$;$a$, ";", a$1 /* ; */ FROM (VALUES (1)) t; ROLLBACK;"""
    assert statements(sql) == (("BEGIN",), ("SELECT", "A$1", "FROM", "T"), ("ROLLBACK",))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("-- note\nselect 1", "SELECT"),
        ("WITH a AS (DELETE FROM t) INSERT INTO u SELECT 1 RETURNING b", "INSERT"),
        ("VALUES (1)", "SELECT"),
        ("update t set a = 1 returning a", "UPDATE"),
    ],
)
def test_the_verb_of_a_statement_is_that_of_the_servers_tag(sql, expected):
    assert verb(sql) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("ROLLBACK", False),
        ("rollback to a", True),
        ("ROLLBACK /* x */ WORK TO SAVEPOINT a", True),
        ("ROLLBACK AND CHAIN", False),
    ],
)
def test_a_rollback_to_a_savepoint_is_told_from_one_that_ends(sql, expected):
    assert goes_to_savepoint(statements(sql)[0]) is expected


# Against the real server: each list is sent, and waited for as often as it has a ready server.

ANEW = [close("S", "s"), parse("SELECT 1", "s")]
EXTENDED = [*ANEW, bind("s"), describe(), execute()]
COPY = [parse("COPY copied FROM STDIN"), bind(), describe(), execute(), SYNC]
WORK = {
    "nothing": [],
    "a statement": [query("SELECT 1")],
    "an empty string": [query(""), query("/* x */ ;")],
    "a block without work": [query("BEGIN; ; ROLLBACK;")],
    "strings of many": [
        query("SELECT 1; SELECT 2"),
        query("BEGIN; ROLLBACK; SELECT 1; SELECT 2; COMMIT; SELECT 3"),
        query("COMMIT; COMMIT"),
    ],
    "savepoints": [
        query("BEGIN"),
        query("SAVEPOINT a"),
        query("ROLLBACK TO a"),
        query("SELECT 1"),
        query("ROLLBACK WORK TO SAVEPOINT a"),
        query("RELEASE a"),
        query("COMMIT"),
        query("BEGIN; SAVEPOINT a; SELECT 1; ROLLBACK TO a; SELECT 2; COMMIT; SELECT 3"),
    ],
    "chains": [
        query("BEGIN"),
        query("COMMIT AND CHAIN"),
        query("ROLLBACK AND CHAIN"),
        query("SELECT 1/0"),
        query("COMMIT AND CHAIN"),
        query("SELECT 1; COMMIT AND CHAIN; SELECT 2; ROLLBACK; SELECT 3"),
    ],
    "an end without a beginning": [query("COMMIT"), query("ROLLBACK")],
    "errors": [query("oops"), query("SELECT 1/0; SELECT 2"), query("SELECT 1; SELECT 1/0")],
    "errors in a transaction": [
        query("BEGIN"),
        query("SELECT 1/0"),
        query("SELECT 1"),
        query("COMMIT"),
        query("BEGIN; SELECT 1/0; COMMIT"),
        query("COMMIT; SELECT 1"),
    ],
    "a lone Sync": [SYNC],
    "Flush and Sync": [FLUSH, SYNC],
    "Close and Sync": [close("S", "none"), SYNC],
    "a prepared statement": [*ANEW, SYNC, describe("S", "s"), SYNC],
    "many in one Sync": [*EXTENDED, *[bind("s"), execute()] * 9, SYNC],
    "a Sync for each": [*EXTENDED, SYNC, *[bind("s"), execute(), SYNC] * 9],
    "a transaction in one Sync": [
        *[parse("BEGIN"), bind(), execute(), *EXTENDED],
        *[parse("COMMIT"), bind(), execute(), bind("s"), execute(), SYNC],
    ],
    "a rollback to a savepoint in one Sync": [
        *[parse("BEGIN"), bind(), execute(), parse("SAVEPOINT a"), bind(), execute()],
        *[parse("ROLLBACK TO a"), bind(), execute(), *EXTENDED],
        *[parse("COMMIT"), bind(), execute(), SYNC],
    ],
    "empty, extended": [parse(""), bind(), execute(), SYNC],
    "parts of a portal": [
        *[parse("SELECT generate_series(1, 5)"), bind()],
        *[execute(limit=2), execute(limit=2), execute(), SYNC],
    ],
    "a missing statement": [bind("none"), SYNC, describe("S", "none"), SYNC],
    "a missing portal": [execute("none"), SYNC, describe("P", "none"), SYNC],
    "errors, extended": [
        *[parse("oops"), SYNC, parse("SELECT 1/0"), bind(), execute(), query("SELECT 1")],
        *[parse("SELECT 1"), bind(), execute(), SYNC, *EXTENDED, SYNC],
    ],
    "a function call": [typed("F", struct.pack("!IHHH", 2026, 0, 0, 0))],
    "settings": [query("DISCARD ALL"), query("SET TimeZone = 'UTC'"), query("RESET ALL")],
    "COPY": [
        query("COPY copied FROM STDIN") + typed("d", b"1\n") * 3 + typed("c"),
        query("COPY copied FROM STDIN") + typed("d", b"1\n") + typed("f", string("no")),
        query("COPY copied TO STDOUT"),
    ],
    "COPY, extended": [*COPY, typed("d", b"1\n") * 3, typed("c"), SYNC, query("SELECT 1")],
    "COPY, extended, failing": [*COPY, typed("d", b"x\n"), typed("c"), SYNC, query("SELECT 1")],
}
EXPECTED = {
    "many in one Sync": {"SELECT": 10},
    "a Sync for each": {"SELECT": 10},
    "parts of a portal": {"SELECT": 1, "FETCH": 2},
    "COPY": {"COPY": 2},
    "COPY, extended": {"COPY": 1, "SELECT": 1},
    "savepoints": Counter(BEGIN=2, SAVEPOINT=2, ROLLBACK=3, SELECT=4, RELEASE=1, COMMIT=2),
    "errors, extended": {"SELECT": 1},
}  # statements that run to an end
ANSWERED = {"nothing": 0, "errors, extended": 3, "COPY, extended": 2, "COPY, extended, failing": 2}


def answers(name):
    """How often the server says that it is ready."""
    units = [one for one in WORK[name] if one[:1] in {b"Q", b"S", b"F"}]
    return ANSWERED.get(name, len(units))


@pytest.fixture
async def tapped(server):
    """Makes a tap with a reader of one's own in front of the server: (tap, address)."""
    taps = []

    async def make(reader=Reader, *, tcp=False):
        tap = Tap(reader)
        taps.append(tap)
        return tap, await (tap.open_tcp if tcp else tap.open)(server.address)

    yield make
    for tap in taps:
        await tap.close()


async def counted(tap, client, name):
    """What the server says that it began during a work, and what the tap saw of it."""
    before = int((await client.send(query(VXID)))[0])
    tap.take()
    await client.send(*WORK[name], ready=answers(name))
    after = int((await client.send(query(VXID)))[0])
    _messages, tally = tap.take()
    ran = Counter(tally.statements)
    ran["SELECT"] -= 1  # the reading's own
    return after - before, tally.transactions, +ran


async def disagreements(tapped, reader=Reader):
    """The works of which reader and server, or reader and sender, say different things."""
    tap, address = await tapped(reader)
    found = []
    async with Bytes(address) as client:
        for name in WORK:
            await client.send(query("CREATE TEMP TABLE IF NOT EXISTS copied (a int)"))
            began, seen, ran = await counted(tap, client, name)
            if began != seen or ran != EXPECTED.get(name, ran):
                found.append((name, began, seen, dict(ran)))
    return found


async def test_transactions_and_statements_are_those_of_the_server(tapped):
    assert await disagreements(tapped) == []


class Deaf(Reader):
    """Misses every tenth CommandComplete."""

    def __init__(self):
        super().__init__()
        self.heard = 0

    def feed(self, side, data):
        kept = []
        for message in super().feed(side, data):
            self.heard += message.kind == "CommandComplete"
            if message.kind != "CommandComplete" or self.heard % 10:
                kept.append(message)
        return kept


async def test_a_reader_that_misses_every_tenth_statement_is_caught(tapped):
    caught = {name for name, *_ in await disagreements(tapped, Deaf)}
    assert {"many in one Sync", "a Sync for each"} <= caught


MUTATIONS = {
    "a lone Sync": (
        Session,
        "ready",
        lambda self, status, real=Session.ready: max(1, real(self, status)),
    ),
    "a prepared statement": (
        postgresql_session,
        "_NO_WORK",
        {"CloseComplete", "ParseComplete"},
    ),
    "Close and Sync": (postgresql_session, "_NO_WORK", set()),
    "savepoints": (postgresql_session, "goes_to_savepoint", lambda _words: False),
    "a rollback to a savepoint in one Sync": (postgresql_session, "statements", lambda _sql: ()),
    "a transaction in one Sync": (postgresql_session, "_ENDINGS", {"ROLLBACK"}),
    "errors": (Session, "fail", lambda self, _code: setattr(self, "_failed", True)),
    "a missing statement": (postgresql_session, "_LOOKUPS", set()),
    "parts of a portal": (Session, "suspend", lambda _self: ("", 0)),
}


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_reader_with_a_wrong_rule_is_caught(tapped, monkeypatch, name):
    monkeypatch.setattr(*MUTATIONS[name])
    assert name in {caught for caught, *_ in await disagreements(tapped)}


@pytest.mark.parametrize("sql", ["VACUUM hidden", "DO $$ BEGIN COMMIT; PERFORM 1; END $$"])
async def test_what_a_statement_begins_inside_itself_is_not_on_the_wire(tapped, sql):
    tap, address = await tapped()
    async with Bytes(address) as client:
        await client.send(query("CREATE TEMP TABLE hidden (a int)"))
        before = int((await client.send(query(VXID)))[0])
        tap.take()
        await client.send(query(sql))
        after = int((await client.send(query(VXID)))[0])
    assert after - before > tap.take()[1].transactions == 2


CHANGE = "CREATE TEMP TABLE passing (a int PRIMARY KEY); DROP TABLE passing;"


async def test_a_server_begins_transactions_on_an_idle_connection_while_others_change_tables(
    server,
):
    async with Bytes(server.address) as idle, Bytes(server.address) as other:
        before = int((await idle.send(query(VXID)))[0])
        for _ in range(5):
            await other.send(query(f"DO $$ BEGIN FOR i IN 1..100 LOOP {CHANGE} END LOOP; END $$"))
        after = int((await idle.send(query(VXID)))[0])
    assert after - before > 1  # the reading's own


async def with_asyncpg(address):
    connection = await asyncpg.connect(
        host=address.host, port=address.port, user=address.user, database=address.database
    )
    try:
        async for step in asyncpg_steps(connection):
            yield step
    finally:
        await connection.close()


async def asyncpg_steps(connection):
    yield lambda: connection.fetchval(VXID)
    await connection.execute("CREATE TEMP TABLE t (a int)")
    yield {"CREATE": 1}
    for _ in range(3):
        await connection.fetch("SELECT $1::int", 1)
        await connection.fetchrow("SELECT generate_series(1, $1)", 5)
    yield {"SELECT": 6}
    await connection.executemany("INSERT INTO t VALUES ($1)", [(one,) for one in range(20)])
    yield {"INSERT": 20}
    async with connection.transaction():
        await connection.fetchrow("INSERT INTO t VALUES (1) RETURNING a")
        with pytest.raises(asyncpg.PostgresError):
            async with connection.transaction():
                await connection.fetch("SELECT a / 0 FROM t")
        await connection.execute("UPDATE t SET a = 2")
    yield {"BEGIN": 1, "SAVEPOINT": 1, "ROLLBACK": 1, "INSERT": 1, "UPDATE": 1, "COMMIT": 1}
    async with connection.transaction():
        assert len([row async for row in connection.cursor("SELECT a FROM t", prefetch=8)]) == 21
    yield {"BEGIN": 1, "SELECT": 1, "FETCH": 2, "COMMIT": 1}
    await connection.reset()
    yield {"SELECT": 1, "CLOSE": 1, "UNLISTEN": 1, "RESET": 1}
    with pytest.raises(asyncpg.PostgresError):
        await connection.fetch("SELECT a / 0 FROM t")
    yield {}


async def with_psycopg(address):
    connection = await psycopg.AsyncConnection.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        dbname=address.database,
        prepare_threshold=None,  # a rollback makes it send DEALLOCATE of what it has prepared
    )
    async with connection:
        async for step in psycopg_steps(connection):
            yield step


async def psycopg_steps(connection):
    await connection.execute(VXID)
    await connection.commit()

    async def reading():
        cursor = await connection.execute(VXID, prepare=False)
        return (await cursor.fetchone())[0]

    yield reading
    await connection.commit()
    await connection.set_autocommit(True)
    await connection.execute("CREATE TEMP TABLE t (a int)")
    yield {"COMMIT": 1, "CREATE": 1}
    async with connection.cursor() as cursor:
        await cursor.executemany("INSERT INTO t VALUES (%s)", [(one,) for one in range(20)])
    yield {"INSERT": 20}
    async with connection.transaction():
        await connection.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(psycopg.Error):
            async with connection.transaction():
                await connection.execute("SELECT a / 0 FROM t")
    yield {"BEGIN": 1, "SAVEPOINT": 1, "ROLLBACK": 1, "RELEASE": 1, "INSERT": 1, "COMMIT": 1}
    connection.prepare_threshold = 1
    for _ in range(4):
        await connection.execute("SELECT %s::int", [1])
    yield {"SELECT": 4}
    async with connection.cursor() as cursor, cursor.copy("COPY t FROM STDIN") as copy:
        await copy.write_row((1,))
        await copy.write_row((2,))
    yield {"COPY": 1}
    async with connection.pipeline():
        await connection.execute("SELECT 1")
        await (await connection.execute("SELECT 2")).fetchone()
        await connection.execute("SELECT 3")
    yield {"SELECT": 3}
    with pytest.raises(psycopg.Error):
        await connection.execute("SELECT a / 0 FROM t")
    yield {}


@pytest.mark.parametrize("driver", [with_asyncpg, with_psycopg])
async def test_what_a_driver_does_is_read_as_the_server_counts_it(tapped, driver):
    tap, address = await tapped()
    async with aclosing(driver(address)) as steps:
        reading = await anext(steps)
        before = await reading()
        tap.take()
        async for expected in steps:
            after = await reading()
            _messages, tally = tap.take()
            ran = Counter(tally.statements)
            ran["SELECT"] -= 1  # the reading's own
            assert (tally.transactions, +ran) == (after - before, expected)
            assert tally.requests == tally.round_trips  # both wait for each answer
            before = after
    assert tap.account.lost == ""


@pytest.mark.parametrize("driver", [with_asyncpg, with_psycopg])
async def test_a_drivers_stream_cut_at_random_gives_the_same_messages(tapped, driver):
    tap, address = await tapped()
    async with aclosing(driver(address)) as steps:
        async for _expected in steps:
            pass
    for stream in tap.streams:
        whole, _ = read(stream)
        for seed in range(10):
            assert read(cut(stream, random.Random(seed))) == (whole, "")


def cut(stream, chance):
    """The same bytes in the same order, in other pieces."""
    for side, pieces in groupby(stream, key=lambda one: one[0]):
        data = b"".join(piece for _, piece in pieces)
        while data:
            size = chance.choice([1, 2, 3, 7, 40, 1000])
            yield side, data[:size]
            data = data[size:]


async def test_a_client_that_asks_for_encryption_is_read_where_the_server_has_none(tapped):
    tap, address = await tapped(tcp=True)
    connection = await psycopg.AsyncConnection.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        dbname=address.database,
        sslmode="prefer",
        gssencmode="disable",
    )
    await connection.close()
    messages, tally = tap.take()
    assert [one.kind for one in messages[:3]] == ["SSLRequest", "SSLResponse", "StartupMessage"]
    assert (tally.connections, tally.round_trips, tally.requests) == (1, 2, 2)
