"""A tap between a MySQL or MariaDB server and its clients, and the counts of both compared."""

import importlib
import inspect
import socket
import threading
from collections import Counter
from contextlib import suppress
from itertools import chain, pairwise

import pymysql
from mysql_bytes import DEPRECATE_EOF, packet

from ormbench.wire.mysql import Reader

STATUS = r"SHOW SESSION STATUS WHERE Variable_name RLIKE '^Com_|^Questions$|^Bytes_'"
"""Its answer is below 16 KiB: of a longer one, MariaDB 11 leaves 16 KiB out of Bytes_sent."""


class Tap:
    """Forwards bytes, and shows each piece to a reader of its connection before it goes on."""

    def __init__(self, address, folder):
        self.path = str(folder / "tap.sock")
        self.messages = []
        self.all = []
        self.streams = []  # of each connection: (side, piece) as they passed
        self.readers = []
        self.reads_with = Reader
        self._address = address
        self._lock = threading.Lock()
        self._sockets = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def take(self):
        """Messages since the last call."""
        with self._lock:
            messages, self.messages = self.messages, []
            self.all += messages
        return messages

    def asked(self):
        """How many messages the server had to answer, since the tap was opened."""
        self.take()
        return sum(one.asks for one in self.all)

    def turns(self):
        """How often the server spoke after the client had."""
        pairs = chain.from_iterable(pairwise(stream) for stream in self.streams)
        sides = [(one[0], other[0]) for one, other in pairs]
        return sides.count(("client", "server"))

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._address.host)
                self._sockets += client, server
                self.readers.append(self.reads_with())
                self.streams.append([])
                for side, source, drain in (("client", client, server), ("server", server, client)):
                    what = (side, source, drain, self.readers[-1], self.streams[-1])
                    threading.Thread(target=self._forward, args=what, daemon=True).start()

    def _forward(self, side, source, drain, reader, stream):
        with suppress(OSError):
            while piece := source.recv(65_536):
                with self._lock:
                    stream.append((side, piece))
                    self.messages += reader.feed(side, piece)
                drain.sendall(piece)
            drain.shutdown(socket.SHUT_WR)
        if side == "server":
            source.close()
            drain.close()


async def settled(value):
    """What an async driver's call comes to; a blocking driver's already is it."""
    return await value if inspect.isawaitable(value) else value


class Client:
    """A connection of one of the four drivers, called alike."""

    @classmethod
    async def connect(cls, driver, address, path, **options):
        self = cls()
        self.module = importlib.import_module("MySQLdb" if driver == "mysqldb" else driver)
        plain = {"pymysql": {"ssl_disabled": True}, "mysqldb": {"ssl_mode": "DISABLED"}}
        self.connection = await settled(
            self.module.connect(
                unix_socket=path,
                user=address.user,
                password=address.password,
                charset="utf8mb4",
                **{"db": address.database, **plain.get(driver, {}), **options},
            )
        )
        return self

    async def run(self, sql, values=None, *, many=False):
        """All rows of all result sets."""
        cursor = await settled(self.connection.cursor())
        call = cursor.executemany if many else cursor.execute
        await settled(call(sql, values))
        rows = []
        while True:
            rows += await settled(cursor.fetchall()) if cursor.description else ()
            if not await settled(cursor.nextset()):
                break
        await settled(cursor.close())
        return rows

    async def fails(self, sql, values=None):
        try:
            await self.run(sql, values)
        except self.module.Error as error:
            return error.args[0]
        raise AssertionError(f"did not fail: {sql}")

    async def ping(self):
        await settled(self.connection.ping())

    async def close(self):
        end = getattr(self.connection, "ensure_closed", self.connection.close)
        await settled(end())

    async def status(self):
        return {name: int(value) for name, value in await self.run(STATUS)}


OTHERWISE = {  # counters, without `Com_`, that do not begin with the word of their statements
    "set_option": "SET",
    "change_db": "USE",
    "compound_sql": "COMPOUND",
    "admin_commands": "",
    "empty_query": "",
}


def counted_as(counter):
    """The word of the statements that a counter counts; "" of one that counts none."""
    prefix, _, rest = counter.partition("_")
    if prefix != "Com" or rest.startswith("stmt_"):
        return ""
    return OTHERWISE.get(rest, rest.partition("_")[0].upper())


async def compare(client, tap, work, inside=()):
    """What the tap saw of *work*, and the lines in which the server's own counters differ from it.

    *inside*: words of statements that run inside others, where the wire does not show them.
    """
    first = await client.status()
    tap.take()
    before = await client.status()
    reading = tap.take()
    await work(client)
    seen = tap.take()
    after = await client.status()
    asked = [one for one in tap.take() if one.side == "client"]
    grown = Counter({name: after[name] - before[name] for name in after})
    grown.subtract({name: before[name] - first[name] for name in after if name[:6] != "Bytes_"})
    wire = {
        "Bytes_received": size("client", seen + asked),
        "Bytes_sent": size("server", reading + seen),
        "Questions": sum(one.question for one in seen),
    }
    server, told = Counter(), Counter()
    for name, value in grown.items():
        if word := counted_as(name):
            server[word] += value
    for one in seen:
        if one.statement:
            told[one.statement] += one.times
    views = [(name, grown[name], count) for name, count in wire.items()]
    views += [(w, server[w], told[w]) for w in sorted(server | told) if w not in inside]
    differs = [f"{name}: server {s}, wire {w}" for name, s, w in views if s != w]
    return seen, differs + [one.lost for one in tap.readers if one.lost]


def size(side, messages):
    return sum(one.size for one in messages if one.side == side)


class Login(pymysql.connections.Connection):
    """Logs in, and sends no more of its own accord."""

    def set_character_set(self, charset, collation=None):
        pass


class Bytes:
    """A client that sends what it is told; PyMySQL logs it in."""

    def __init__(self, address, path, flags=0):
        self.connection = Login(
            unix_socket=path,
            user=address.user,
            password=address.password,
            database=address.database,
            autocommit=None,
            ssl_disabled=True,
            client_flag=flags,
        )
        self.database = address.database.encode()
        self._deprecate_eof = flags & DEPRECATE_EOF

    async def run(self, sql):
        """Rows of text of one result set; [] where there is none."""
        first = self.command(3, sql.encode())[0]
        if first[0] == 0:
            return []
        self.packets(first[0] + (not self._deprecate_eof))
        rows = []
        while (body := self.packets(1)[0])[0] != 0xFE:
            at, row = 0, []
            while at < len(body):
                row.append(body[at + 1 : at + 1 + body[at]].decode())
                at += 1 + body[at]
            rows.append(row)
        return rows

    status = Client.status

    def command(self, code, body=b"", answers=1):
        """Send a command, and read that many packets of the answer."""
        self.tell(code, body)
        return self.packets(answers)

    def tell(self, code, body=b""):
        self.connection._sock.sendall(packet(0, bytes([code]) + body))

    def packets(self, count):
        """The payloads of the server's next packets."""
        found = []
        for _ in range(count):
            header = self._read(4)
            found.append(self._read(int.from_bytes(header[:3], "little")))
        return found

    def _read(self, count):
        return self.connection._rfile.read(count)

    async def close(self):
        self.connection.close()
