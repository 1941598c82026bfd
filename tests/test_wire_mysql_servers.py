"""What the reader says of real connections, held against the counters of their server."""

import functools
import struct
from collections import Counter
from dataclasses import replace

import pytest
from mysql_bytes import DEPRECATE_EOF, QUERY_ATTRIBUTES, packet, pieces, read
from mysql_log import connected, rows
from mysql_tap import Bytes, Client, Tap, compare, settled
from real_targets import required

from ormbench.wire.mysql import Reader

pytestmark = [
    pytest.mark.servers,
    pytest.mark.filterwarnings("ignore"),  # drivers warn of what servers warn of
]
PRODUCTS = ("mysql", "mariadb")
DRIVERS = ("aiomysql", "asyncmy", "asyncmy that caches", "pymysql", "mysqldb")
CACHE = {"stmt_cache_size": 128}
MULTI_STATEMENTS = {"pymysql": {"client_flag": 1 << 16}}  # the others have them by default
TEN = range(2, 12)
TEXTS = [(1.5, None, 2), (None, "é", 3), (2.5, "1" * 300, 4)]


@pytest.fixture(params=PRODUCTS)
def address(request):
    return request.getfixturevalue(f"{request.param}_address")


@pytest.fixture
def control(address):
    connection = connected(address, address.database)
    rows(connection, "DROP TABLE IF EXISTS wire")
    rows(connection, "CREATE TABLE wire (id INT PRIMARY KEY, v INT)")
    rows(connection, "DROP PROCEDURE IF EXISTS wired")
    body = "SELECT 1; INSERT INTO wire VALUES (99, 9); SELECT 2 UNION SELECT 3;"
    rows(connection, f"CREATE PROCEDURE wired() BEGIN {body} END")
    yield connection
    rows(connection, "DROP TABLE wire")
    rows(connection, "DROP PROCEDURE wired")
    connection.close()


@pytest.fixture
def tap(address, control, tmp_path):  # noqa: ARG001 - the table is there
    made = Tap(address, tmp_path)
    yield made
    made.close()


@pytest.fixture(params=DRIVERS)
def driver(request, address):
    name, _, caches = request.param.partition(" that ")
    required(f"{address.product.lower()}+{name}")
    return name, CACHE if caches else {}


async def working(driver, address, tap, work, inside=(), **options):
    name, cache = driver
    client = await Client.connect(name, address, tap.path, **cache, **options)
    try:
        return await compare(client, tap, work, inside)
    finally:
        await client.close()


async def many(client):
    """What an application does, and what it gets wrong."""
    run, each = client.run, functools.partial(client.run, many=True)
    await run("INSERT INTO wire VALUES (%s, %s)", (1, 1))
    await each("INSERT INTO wire (id, v) VALUES (%s, %s)", [(n, n) for n in range(2, 1002)])
    await each("UPDATE wire SET v = %s WHERE id = %s", [(n + 1, n) for n in TEN])
    await each(
        "UPDATE wire a JOIN wire b USING (id) SET a.v = 3 WHERE id = %s", [(n,) for n in TEN]
    )
    await each("UPDATE wire SET v = CONCAT(%s, %s) WHERE id = %s", TEXTS)
    await each("REPLACE INTO wire (id, v) VALUES (%s, %s)", [(n, n) for n in TEN])
    await each("DELETE FROM wire WHERE id = %s", [(n,) for n in TEN])
    assert len(await run("SELECT * FROM wire WHERE id > %s", (1,))) == 990
    await run("INSERT INTO wire SELECT 5000, 1")
    await run("INSERT INTO wire VALUES (1, 1) ON DUPLICATE KEY UPDATE v = VALUES(v)")
    await run("INSERT IGNORE INTO wire VALUES (1, 1)")  # asyncmy asks SHOW WARNINGS
    assert await client.fails("SELEKT 1") == 1064
    assert await client.fails("SELECT @@nosuch") == 1193
    assert await client.fails("SELECT * FROM nosuch") == 1146
    assert await client.fails("INSERT INTO wire VALUES (1, 1)") == 1062
    for sql in ("SAVEPOINT a", "ROLLBACK TO SAVEPOINT a", "COMMIT", "ROLLBACK", "BEGIN", "DO 1"):
        await run(sql)
    for sql in ("(SELECT 1) UNION (SELECT 2)", "/* ; */ WITH a AS (SELECT 1) SELECT * FROM a"):
        await run(sql)
    for sql in ("-- a\nSHOW TABLES", "EXPLAIN UPDATE wire SET v = 1", "DESC wire", "SET @a = 1"):
        await run(sql)
    await client.ping()
    await settled(client.connection.commit())
    await settled(client.connection.rollback())


async def test_each_driver_and_its_server_count_alike(driver, address, tap):
    seen, differs = await working(driver, address, tap, many)
    assert differs == []
    assert tap.asked() == tap.turns()
    touched = Counter()
    for one in seen:
        touched[one.statement] += one.rows
    assert (touched["DELETE"], touched["INSERT"] >= 1001, touched["SELECT"] >= 993) == (10, 1, 1)


async def test_a_real_stream_reads_alike_in_pieces_of_any_size(driver, address, tap):
    await working(driver, address, tap, many)
    stream = list(tap.streams[-1])  # a copy: the client's farewell may still come
    whole = read(stream)
    assert len(whole[0]) > 50
    for seed in range(5):
        assert read(pieces(stream, seed)) == whole


async def several(client):
    """Strings of several statements."""
    await client.run("SELECT 1; INSERT INTO wire VALUES (7, 7); SELECT * FROM wire;")
    await client.run("""SELECT ';', "a;\\";", `id`, 'it''s;' FROM wire # ;\n; SET @a = 1; -- ;""")
    assert await client.fails("SELECT 1; SELECT nosuch; DO 1") == 1054
    assert await client.fails("SELECT 1; SELEKT; DO 1") == 1064


async def test_what_a_procedure_runs_is_none_of_the_clients_statements(address, tap):
    async def calling(client):
        await client.run("SET @a = 1; CALL wired(); UPDATE wire SET v = 1; DO 1")
        await client.run("DELETE FROM wire; CALL wired")

    inside = ("SELECT", "INSERT")
    options = MULTI_STATEMENTS["pymysql"]
    seen, differs = await working(("pymysql", {}), address, tap, calling, inside, **options)
    assert differs == []
    found = [(one.statement, one.rows) for one in seen if one.statement]
    called = ("CALL", {"MySQL": 3, "MariaDB": 4}[address.product])  # 3 are returned, 1 is inserted
    expected = [("SET", 0), called, ("UPDATE", 1), ("DO", 0), ("DELETE", 1), called]
    assert found == expected


@pytest.fixture
def lines(tmp_path):
    """A file that PyMySQL sends in some 300 packets: their numbers pass 0 again."""
    path = tmp_path / "lines.txt"
    path.write_text("".join(f"{n}\t{'x' * 1000}\n" for n in range(5000)))
    return path


def loading(path):
    async def work(client):
        await client.run(f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE wire (id, @rest)")
        assert (await client.run("SELECT COUNT(*) FROM wire")) == [(5000,)]

    return work


@pytest.mark.parametrize("name", ["aiomysql", "pymysql", "mysqldb"])
async def test_a_file_that_is_loaded_is_no_command(name, address, tap, lines):
    required(f"{address.product.lower()}+{name}")
    work = (name, {}), address, tap, loading(lines)
    seen, differs = await working(*work, local_infile=True)
    assert differs == []
    assert [one.kind for one in seen if one.question] == ["COM_QUERY", "COM_QUERY"]
    assert [one.rows for one in seen if one.statement] == [5000, 1]
    assert tap.asked() == tap.turns()


LARGE = 17 * 1024 * 1024  # bytes: more than a packet holds


async def test_a_statement_and_a_row_of_two_packets_are_one_each(address, control, tap):
    async def large(client):
        assert await client.run(f"SELECT LENGTH('{'x' * LARGE}')") == [(LARGE,)]
        assert len(await client.run(f"SELECT REPEAT('x', {LARGE}), 'y' UNION ALL SELECT 1, 2")) == 2

    before = rows(control, "SELECT @@max_allowed_packet")[0][0]
    rows(control, f"SET GLOBAL max_allowed_packet = {4 * LARGE}")
    try:
        seen, differs = await working(("pymysql", {}), address, tap, large)
    finally:
        rows(control, f"SET GLOBAL max_allowed_packet = {before}")
    assert differs == []
    assert [one.rows for one in seen if one.statement] == [1, 2]
    assert Counter(one.kind for one in seen)["Row"] == 3


def number(found):
    """The number of a statement that has been prepared."""
    return found[0][1:5]


def command_by_command(*, deprecate_eof):
    """Each command that a server still knows; the packets of an answer are counted out here."""
    eof = 0 if deprecate_eof else 1

    async def work(client):
        ask = client.command
        for code, body, answers in (
            (0x0E, b"", 1),  # ping
            (0x02, b"mysql", 1),  # another database
            (0x02, b"nosuch", 1),  # an error
            (0x09, b"", 1),  # statistics
            (0x1B, b"\0\0", 1),  # an option
            (0x0D, b"", 1),  # debug
            (0x40, b"", 1),  # unknown
            (0x16, b"SELECT nosuch", 1),  # cannot be prepared
            (0x17, bytes(9), 1),  # unknown statement
        ):
            ask(code, body, answers)
        ask(0x02, client.database)
        ask(0x04, b"wire\0", 3)  # the fields of a table
        rows_of = number(ask(0x16, b"SELECT 1 UNION SELECT 2", 2 + eof))
        for _ in range(2):
            ask(0x17, rows_of + b"\0\1\0\0\0", 5 + eof)
        ask(0x17, rows_of + b"\1\1\0\0\0", 3)  # with a cursor
        ask(0x1C, rows_of + b"\1\0\0\0", 2)  # fetch one row
        ask(0x1C, rows_of + b"\5\0\0\0", 2)  # and the other
        ask(0x1A, rows_of)  # reset
        client.tell(0x19, rows_of)  # close, which is not answered
        ask(0x0E)
        insert = number(ask(0x16, b"INSERT INTO wire VALUES (?, 1)", 2 + eof))
        ask(0x17, insert + b"\0\1\0\0\0" + b"\0\1\3\0" + struct.pack("<i", 5))
        client.tell(0x18, insert + b"\0\0" + b"6")  # long data
        ask(0x17, insert + b"\0\1\0\0\0" + b"\0\1\xfc\0")
        call = number(ask(0x16, b"CALL wired()", 1))
        ask(0x17, call + b"\0\1\0\0\0", 4 + 5 + 1 + 2 * eof)
        await client.run("SELECT 1")

    return work


@pytest.mark.parametrize("deprecate_eof", [False, True])
async def test_each_command_is_counted_as_its_server_does(address, tap, deprecate_eof):
    client = Bytes(address, tap.path, DEPRECATE_EOF if deprecate_eof else 0)
    work = command_by_command(deprecate_eof=deprecate_eof)
    try:
        seen, differs = await compare(client, tap, work, inside=("SELECT", "INSERT"))
    finally:
        await client.close()
    assert differs == []
    assert [one.statement for one in seen if one.statement == "SELECT"] == 4 * ["SELECT"]
    assert Counter(one.kind for one in seen)["Row"] == 2 + 2 + 1 + 1 + 3 + 1


def attribute(name, value):
    """A query attribute that is a text."""
    named = bytes([254, 0, len(name)]) + name
    return b"\1\1" + b"\0\1" + named + bytes([len(value)]) + value


async def test_attributes_of_a_query_are_passed_over(mysql_address, tmp_path):
    tap = Tap(mysql_address, tmp_path)
    client = Bytes(mysql_address, tap.path, QUERY_ATTRIBUTES)
    try:
        for attributes in (b"\0\1", attribute(b"trace", b"7; SELECT"), b"\1\1\1\1\6\0\1n"):
            assert client.command(3, attributes + b"DO 1")[0][0] == 0
        tail = [one for one in tap.take() if one.text or one.statement]
        assert [one.text or one.statement for one in tail] == ["DO 1", "DO"] * 3
    finally:
        await client.close()
        tap.close()


async def test_commands_that_are_sent_ahead_of_answers_are_read_in_order(address, tap):
    async def ahead(client):
        client.connection._sock.sendall(
            packet(0, b"\x16SELECT 1") + packet(0, b"\x0e") + packet(0, b"\3DO 1")
        )
        client.packets(5)

    client = Bytes(address, tap.path)
    try:
        seen, differs = await compare(client, tap, ahead)
    finally:
        await client.close()
    assert differs == []
    answers = [one.kind for one in seen if one.side == "server"]
    assert answers == ["COM_STMT_PREPARE_OK", "ColumnDefinition", "EOF", "OK", "OK"]


async def test_a_compressed_connection_is_said_to_be_one(address, tap):
    required(f"{address.product.lower()}+mysqldb")
    client = await Client.connect("mysqldb", address, tap.path, compress=True)
    await client.run("SELECT 1")
    await client.close()
    assert [one.kind for one in tap.take()] == ["Handshake", "HandshakeResponse"]
    assert tap.readers[-1].lost == "the connection is compressed"


async def test_an_encrypted_connection_is_said_to_be_one(mysql_address, tmp_path):
    tap = Tap(mysql_address, tmp_path)
    try:
        client = await Client.connect("pymysql", mysql_address, tap.path, ssl_disabled=False)
        await client.run("SELECT 1")
        await client.close()
    finally:
        tap.close()
    assert [one.kind for one in tap.take()] == ["Handshake", "SSLRequest"]
    assert tap.readers[-1].lost == "the connection is encrypted"


class Forgetful(Reader):
    """Drops every tenth command."""

    commands = 0

    def feed(self, side, data):
        return [one for one in super().feed(side, data) if not self._is_tenth(one)]

    def _is_tenth(self, message):
        self.commands += message.kind.startswith("COM_") and message.side == "client"
        return message.asks and self.commands % 10 == 0


class Literal(Reader):
    """Takes the contents of a file for commands."""

    def _from_client(self, packet):
        return self._command(packet) if self._session.wants_file else super()._from_client(packet)


class Single(Reader):
    """Counts a command once, however many statements it brings."""

    def feed(self, side, data):
        found = super().feed(side, data)
        return [replace(one, times=1, question=one.question and side == "client") for one in found]


@pytest.mark.parametrize("driver", [("pymysql", {}), ("aiomysql", {}), ("asyncmy", CACHE)])
async def test_mutation_a_reader_that_drops_commands_is_caught(driver, address, tap):
    tap.reads_with = Forgetful
    _, differs = await working(driver, address, tap, many)
    assert any(one.startswith("Questions: ") for one in differs)
    assert any(one.startswith("Bytes_received: ") for one in differs)


async def test_mutation_a_reader_that_takes_a_file_for_commands_is_caught(address, tap, lines):
    tap.reads_with = Literal
    options = {"local_infile": True}
    _, differs = await working(("pymysql", {}), address, tap, loading(lines), **options)
    assert any(one.startswith("Questions: ") for one in differs)


async def test_mutation_a_reader_that_counts_a_string_once_is_caught(address, tap):
    tap.reads_with = Single
    _, differs = await working(("aiomysql", {}), address, tap, several)
    assert differs == ["Questions: server 10, wire 4"]


async def test_mutation_a_reader_that_counts_a_bulk_execute_once_is_caught(address, tap):
    tap.reads_with = Single
    _, differs = await working(("asyncmy", CACHE), address, tap, many)
    caught = {"MySQL": [], "MariaDB": ["DELETE", "UPDATE"]}  # MySQL has no such command
    assert [one.partition(":")[0] for one in differs] == caught[address.product]
