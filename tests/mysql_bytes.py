"""Packets of MySQL's protocol, built byte by byte, and streams of them read and cut."""

import random
import struct

from ormbench.wire.mysql import Reader

MYSQL, COMPRESS, PROTOCOL_41, SSL = 1 << 0, 1 << 5, 1 << 9, 1 << 11  # capability flags
DEPRECATE_EOF, QUERY_ATTRIBUTES = 1 << 24, 1 << 27
EVERYTHING = 0xFFFFFFFF & ~(1 << 25)  # but result sets without definitions
FULL = 0xFFFFFF  # the longest part of a packet
MORE, CURSOR = 0x0008, 0x0040
BULK, CACHE_METADATA = 1 << 2, 1 << 4  # of MariaDB's own


def packet(sequence, body):
    """A payload with its header; in parts, where it is long."""
    parts = [body[at : at + FULL] for at in range(0, len(body) + 1, FULL)]
    return b"".join(
        struct.pack("<I", len(part))[:3] + bytes([(sequence + number) % 256]) + part
        for number, part in enumerate(parts)
    )


def greeting(version=b"9.7.4", flags=EVERYTHING, mariadb=0):
    low, high = flags & 0xFFFF, flags >> 16
    own = struct.pack("<I", mariadb)
    tail = struct.pack("<HBHHB", low, 45, 2, high, 21) + bytes(6) + own
    return packet(0, b"\x0a" + version + b"\0" + bytes(13) + tail + bytes(13))


def response(flags=MYSQL | PROTOCOL_41, mariadb=0):
    start = struct.pack("<IIB", flags, FULL, 45) + bytes(19) + struct.pack("<I", mariadb)
    return packet(1, start + b"ann\0\0")


def ok(sequence=1, affected=0, status=0, header=b"\0", info=b""):
    return packet(sequence, header + bytes([affected, 0]) + struct.pack("<HH", status, 0) + info)


def eof(sequence, status=0):
    return packet(sequence, b"\xfe" + struct.pack("<HH", 0, status))


def failed(sequence, number, text):
    return packet(sequence, b"\xff" + struct.pack("<H", number) + b"#HY000" + text)


def definition(sequence):
    return packet(sequence, b"\3def" + bytes(20))


def command(code, body=b""):
    return packet(0, bytes([code]) + body)


def query(sql):
    return command(0x03, sql)


def result(*rows, status=0, first=1):
    """A result set of one column of text."""
    parts = [packet(first, b"\1"), definition(first + 1), eof(first + 2, status & ~MORE)]
    for row in rows:
        parts.append(packet(first + len(parts), bytes([len(row)]) + row))
    return b"".join(parts) + eof(first + len(parts), status)


def logged_in(flags=MYSQL | PROTOCOL_41, mariadb=0):
    """A log-in in one round trip."""
    server = flags if mariadb else EVERYTHING
    return [
        ("server", greeting(flags=server, mariadb=mariadb)),
        ("client", response(flags, mariadb)),
        ("server", ok(2)),
    ]


def read(stream):
    """The messages of a connection, and why not all."""
    reader = Reader()
    return [one for side, piece in stream for one in reader.feed(side, piece)], reader.lost


def pieces(stream, seed):
    """The same bytes in other pieces."""
    chance = random.Random(seed)
    for side, data in stream:
        at = 0
        while at < len(data):
            size = chance.choice((1, 2, 3, 5, 100, 10_000))
            yield side, data[at : at + size]
            at += size
