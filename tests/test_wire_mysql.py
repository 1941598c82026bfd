"""What the reader of MySQL's protocol makes of packets that are built here, byte by byte."""

import random
import struct

import pytest
from mysql_bytes import (
    BULK,
    CACHE_METADATA,
    COMPRESS,
    CURSOR,
    DEPRECATE_EOF,
    EVERYTHING,
    FULL,
    MORE,
    MYSQL,
    PROTOCOL_41,
    SSL,
    command,
    definition,
    eof,
    failed,
    greeting,
    logged_in,
    ok,
    packet,
    pieces,
    query,
    read,
    response,
    result,
)

from ormbench.wire.message import Message
from ormbench.wire.mysql import Reader


def said(*conversation, start=None):
    """The messages behind the log-in; the connection is read to its end."""
    messages, lost = read([*(start or logged_in()), *conversation])
    assert lost == ""
    return messages[3:]


def kinds(messages):
    return [one.kind for one in messages]


BULK_BODY = struct.pack("<IH", 7, 0x80) + b"\3\0\xfd\0" + (b"\0\1\0\0\0" + b"\0\2ab") + b"\1\1"
CONVERSATION = [
    ("server", greeting()),
    ("client", response()),
    ("server", packet(2, b"\xfecaching_sha2_password\0" + bytes(21))),
    ("client", packet(3, bytes(32))),
    ("server", packet(4, b"\1\3") + ok(5)),
    ("client", query(b"SELECT a FROM t")),
    ("server", result(b"one", b"two", b"")),
    ("client", query(b"INSERT INTO t VALUES (1), (2)")),
    ("server", ok(affected=2)),
    ("client", query(b"LOAD DATA LOCAL INFILE 'f' INTO TABLE t")),
    ("server", packet(1, b"\xfbf")),
    ("client", packet(2, b"\x03SELECT 1") + packet(0, b"\x03DROP TABLE t") + packet(4, b"")),
    ("server", ok(5, affected=9)),
    ("client", query(b"SELEKT")),
    ("server", failed(1, 1064, b"You have an error")),
    ("client", command(0x16, b"UPDATE t SET a = ? WHERE b = ?")),
    ("server", packet(1, b"\0" + struct.pack("<IHHBH", 7, 0, 2, 0, 0))),
    ("server", definition(2) + definition(3) + eof(4)),
    ("client", command(0x17, struct.pack("<IBI", 7, 0, 1) + bytes(9))),
    ("server", ok(affected=1)),
    ("client", command(0xFA, BULK_BODY)),
    ("server", ok(affected=2)),
    ("client", command(0x19, struct.pack("<I", 7)) + command(0x0E)),
    ("server", ok()),
    ("client", query(b"DO 1; SELECT 1")),
    ("server", ok(status=MORE) + result(b"1", first=2)),
    ("client", command(0x01)),
]


def client(kind, text="", asks=True, question=True):  # noqa: FBT002 - as a message says it
    return ("client", kind, text, asks, question)


def server(kind, text="", statement="", rows=0):
    return ("server", kind, text, statement, rows)


def told(message):
    """A message in the words of the two functions above."""
    one = message
    if one.side == "client":
        return (one.side, one.kind, one.text, one.asks, one.question)
    return (one.side, one.kind, one.text, one.statement, one.rows)


UPDATE = "UPDATE t SET a = ? WHERE b = ?"
COLUMN = [server("ColumnCount"), server("ColumnDefinition"), server("EOF")]
EXPECTED = [
    server("Handshake"),
    client("HandshakeResponse", question=False),
    server("AuthSwitchRequest"),
    client("AuthSwitchResponse", question=False),
    server("AuthMoreData"),
    server("OK"),
    client("COM_QUERY", "SELECT a FROM t"),
    *COLUMN,
    *[server("Row")] * 3,
    server("EOF", statement="SELECT", rows=3),
    client("COM_QUERY", "INSERT INTO t VALUES (1), (2)"),
    server("OK", statement="INSERT", rows=2),
    client("COM_QUERY", "LOAD DATA LOCAL INFILE 'f' INTO TABLE t"),
    server("LocalInfileRequest"),
    *[client("LocalInfileData", asks=False, question=False)] * 2,
    client("LocalInfileData", question=False),
    server("OK", statement="LOAD", rows=9),
    client("COM_QUERY", "SELEKT"),
    server("ERR", "1064 You have an error"),
    client("COM_STMT_PREPARE", UPDATE, question=False),
    server("COM_STMT_PREPARE_OK"),
    *[server("ColumnDefinition")] * 2,
    server("EOF"),
    client("COM_STMT_EXECUTE", UPDATE),
    server("OK", statement="UPDATE", rows=1),
    client("COM_STMT_BULK_EXECUTE", UPDATE),
    server("OK", statement="UPDATE", rows=2),
    client("COM_STMT_CLOSE", UPDATE, asks=False, question=False),
    client("COM_PING", question=False),
    server("OK"),
    client("COM_QUERY", "DO 1; SELECT 1"),
    server("OK", statement="DO"),
    *COLUMN,
    server("Row"),
    server("EOF", statement="SELECT", rows=1),
    client("COM_QUIT", asks=False),
]


def test_a_conversation_reads_as_what_it_is():
    messages, lost = read(CONVERSATION)
    assert lost == ""
    assert [told(one) for one in messages] == EXPECTED
    size = sum(len(data) for _, data in CONVERSATION)
    assert sum(one.size for one in messages) == size
    assert [one.times for one in messages if one.times != 1] == [2]
    later = [one.statement for one in messages if one.question and one.side == "server"]
    assert later == ["SELECT"]


def test_it_reads_alike_wherever_it_is_cut():
    whole = read(CONVERSATION)
    for number, (side, data) in enumerate(CONVERSATION):
        for at in range(1, len(data)):
            cut = [(side, data[:at]), (side, data[at:])]
            assert read(CONVERSATION[:number] + cut + CONVERSATION[number + 1 :]) == whole
    for seed in range(100):
        assert read(pieces(CONVERSATION, seed)) == whole


@pytest.mark.parametrize("length", [FULL - 1, FULL, FULL + 1, 2 * FULL])
def test_parts_of_a_long_packet_are_one_message(length):
    sql = b"SELECT '" + b"x" * (length - 10) + b"'"
    row = b"\xfd" + b"x" * (length - 1)
    start = packet(1, b"\1") + definition(2) + eof(3)
    messages = said(("client", query(sql)), ("server", start + packet(4, row) + eof(0)))
    asked, answer = messages[0], messages[-2]
    assert (asked.kind, asked.size, len(asked.text)) == ("COM_QUERY", len(query(sql)), len(sql))
    assert (answer.kind, answer.size) == ("Row", len(packet(4, row)))
    assert messages[-1].rows == 1


@pytest.mark.parametrize("header", [b"\xfe", b"\xfe" + b"\0" * 7])
def test_a_long_row_is_no_end_of_rows(header):
    rows = packet(3, header + b"x" * FULL) + ok(5, header=b"\xfe", info=b"a word more")
    start = logged_in(MYSQL | PROTOCOL_41 | DEPRECATE_EOF)
    asked = ("client", query(b"SELECT 1"))
    messages = said(asked, ("server", packet(1, b"\1") + definition(2) + rows), start=start)
    assert kinds(messages[1:]) == ["ColumnCount", "ColumnDefinition", "Row", "OK"]


def test_without_eof_packets_definitions_end_by_their_number():
    start = logged_in(MYSQL | PROTOCOL_41 | DEPRECATE_EOF)
    asked = ("client", command(0x16, b"SELECT ?, ?"))
    found = packet(1, b"\0" + struct.pack("<IHHBH", 1, 2, 2, 0, 0))
    answer = found + b"".join(definition(n) for n in range(2, 6))
    messages = said(asked, ("server", answer), ("client", command(0x0E)), start=start)
    assert kinds(messages) == [
        "COM_STMT_PREPARE",
        "COM_STMT_PREPARE_OK",
        *["ColumnDefinition"] * 4,
        "COM_PING",
    ]


def test_an_open_cursor_has_no_rows_until_they_are_fetched():
    opened = packet(1, b"\1") + definition(2) + eof(3, CURSOR)
    fetched = packet(1, b"\0\0x") + eof(2, CURSOR)
    messages = said(
        ("client", command(0x17, bytes(9))),
        ("server", opened),
        ("client", command(0x1C, bytes(8))),
        ("server", fetched),
        ("client", command(0x0E)),
        ("server", ok()),
    )
    assert kinds(messages[4:]) == ["COM_STMT_FETCH", "Row", "EOF", "COM_PING", "OK"]


def test_mariadb_may_leave_out_the_definitions_that_its_client_has():
    start = logged_in(PROTOCOL_41, BULK | CACHE_METADATA)
    asked = ("client", query(b"SELECT 1"))
    with_them = packet(1, b"\1\1") + definition(2) + eof(3) + packet(4, b"\1a") + eof(5)
    without = packet(1, b"\1\0") + eof(2) + packet(3, b"\1a") + eof(4)
    messages = said(asked, ("server", with_them), asked, ("server", without), start=start)
    found = kinds(messages)
    assert found[:6] == ["COM_QUERY", *kinds_of_a_result(), "Row", "EOF"]
    assert found[6:] == ["COM_QUERY", "ColumnCount", "EOF", "Row", "EOF"]


def kinds_of_a_result():
    return ["ColumnCount", "ColumnDefinition", "EOF"]


def test_mariadb_reports_progress_in_what_looks_like_an_error():
    progress = packet(1, b"\xff\xff\xff\1\1\1\0\0\0\5Stage")
    messages = said(("client", query(b"ALTER TABLE t FORCE")), ("server", progress + ok(2)))
    assert [told(one) for one in messages[1:]] == [
        server("Progress"),
        server("OK", statement="ALTER"),
    ]


def test_the_newest_prepared_statement_has_a_number_that_stands_for_it():
    found = packet(1, b"\0" + struct.pack("<IHHBH", 3, 0, 0, 0, 0))
    pair = command(0x16, b"DELETE FROM t") + command(0x17, b"\xff" * 4 + bytes(5))
    messages = said(("client", pair), ("server", found + ok(affected=4)))
    assert told(messages[-1]) == server("OK", statement="DELETE", rows=4)


def test_a_procedure_is_one_statement_whatever_it_sends():
    sets = result(b"1", b"2", status=MORE) + result(b"3", status=MORE, first=7)
    asked = query(b"CALL p(); SELECT 1")
    answer = sets + ok(11, status=MORE) + result(b"1", first=12)
    messages = said(("client", asked), ("server", answer), ("client", command(0x0E)))
    found = [(one.statement, one.rows, one.question) for one in messages if one.statement]
    assert found == [("CALL", 3, False), ("SELECT", 1, True)]
    assert messages[-1].kind == "COM_PING"


def test_a_new_log_in_on_a_connection_is_no_command():
    messages = said(
        ("client", command(0x11, b"bob\0\0")),
        ("server", packet(1, b"\xfemysql_native_password\0" + bytes(21))),
        ("client", packet(2, bytes(20))),
        ("server", ok(3)),
        ("client", command(0x0E)),
        ("server", ok()),
    )
    assert kinds(messages) == [
        "COM_CHANGE_USER",
        "AuthSwitchRequest",
        "AuthSwitchResponse",
        "OK",
        "COM_PING",
        "OK",
    ]
    assert [one.question for one in messages].count(True) == 1


def test_what_fails_before_it_runs_is_no_statement():
    asked = ("client", query(b"SELECT a FROM t"))
    unknown, empty = failed(1, 1146, b"Table 't'"), failed(1, 1065, b"Query was empty")
    messages = said(asked, ("server", unknown), asked, ("server", empty))
    assert [one.statement for one in messages if one.kind == "ERR"] == ["SELECT", ""]


def test_a_server_that_takes_nobody_says_why():
    refused = packet(0, b"\xff" + struct.pack("<H", 1040) + b"Too many connections")
    messages, lost = read([("server", refused)])
    assert (messages[0].kind, messages[0].text, lost) == ("ERR", "1040 Too many connections", "")


def test_a_server_that_closes_says_why():
    messages = said(("server", failed(0, 4031, b"The client was disconnected")))
    assert messages[0].text == "4031 The client was disconnected"


NO_PROTOCOL = "sent what is not the protocol of MySQL and MariaDB"
LOST = {
    "the connection is encrypted": [
        ("server", greeting()),
        ("client", packet(1, response(SSL | PROTOCOL_41)[4:36])),
        ("client", b"\x16\x03\x01\x02\x00"),
    ],
    "the connection is compressed": logged_in(COMPRESS | PROTOCOL_41 | MYSQL),
    "the client may have result sets sent without their definitions": [
        ("server", greeting(flags=0xFFFFFFFF)),
        ("client", response(1 << 25 | PROTOCOL_41)),
    ],
    "the client speaks the protocol from before MySQL 4.1": logged_in(MYSQL),
    "the server does not speak the protocol of MySQL and MariaDB": [
        ("server", packet(0, b"\x09" + bytes(60)))
    ],
    f"the client {NO_PROTOCOL}": [("client", struct.pack("!IHH", 8, 3, 0) + bytes(100))],
    f"the server {NO_PROTOCOL}": [*logged_in(), ("server", ok())],
}


@pytest.mark.parametrize("reason", LOST)
def test_what_it_cannot_read_it_says(reason):
    reader = Reader()
    for side, data in LOST[reason]:
        reader.feed(side, data)
    assert reader.lost == reason
    assert reader.feed("client", query(b"SELECT 1")) == []


def test_a_request_for_encryption_is_not_answered_in_this_protocol():
    messages, _ = read(LOST["the connection is encrypted"])
    assert told(messages[-1]) == client("SSLRequest", asks=False, question=False)


def test_what_only_one_end_could_do_is_not_done():
    flags = EVERYTHING & ~COMPRESS
    start = [("server", greeting(flags=flags)), ("client", response(COMPRESS | PROTOCOL_41))]
    assert read(start)[1] == ""


def test_no_bytes_make_it_raise():
    chance = random.Random(5)
    for _ in range(2000):
        stream = [list(one) for one in CONVERSATION]
        for _ in range(chance.randrange(1, 4)):
            one = chance.choice(stream)
            data = bytearray(one[1])
            data[chance.randrange(len(data))] = chance.randrange(256)
            one[1] = bytes(data)
        messages, _ = read(stream)
        assert all(isinstance(one, Message) for one in messages)
