"""A tap between a real PostgreSQL server and its clients, and a client that sends bytes."""

import asyncio
import contextlib
import shutil
import struct
import tempfile
from dataclasses import replace
from pathlib import Path

from ormbench.wire.postgresql import Reader
from ormbench.wire.tally import Account

VXID = (
    "SELECT split_part(virtualtransaction, '/', 2)::bigint FROM pg_locks "
    "WHERE locktype = 'virtualxid' AND pid = pg_backend_pid()"
)


async def connected(address):
    """A connection to where a server or a tap listens."""
    if address.is_socket:
        return await asyncio.open_unix_connection(f"{address.host}/.s.PGSQL.{address.port}")
    return await asyncio.open_connection(address.host, address.port)


class Tap:
    """Forwards bytes, and shows them to a reader and an account before they go on."""

    def __init__(self, reader=Reader):
        self.account = Account()
        self.messages = []
        self.streams = []  # of each connection: (side, piece) as they passed
        self._reader = reader
        self._folder = Path(tempfile.mkdtemp())
        self._tasks = set()

    async def open(self, address):
        """Where clients connect instead of *address*: a unix socket."""
        self._target = address
        path = self._folder / f".s.PGSQL.{address.port}"
        self._listener = await asyncio.start_unix_server(self._serve, path)
        return replace(address, host=str(self._folder))

    async def open_tcp(self, address):
        """Where clients connect instead: a port of the loopback."""
        self._target = address
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._listener.sockets[0].getsockname()[1]
        return replace(address, host="127.0.0.1", port=port)

    async def close(self):
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        shutil.rmtree(self._folder)

    def take(self):
        """Messages and tally since the last call."""
        messages, self.messages = self.messages, []
        tally, _lines = self.account.take()
        return messages, tally

    async def _serve(self, from_client, to_client):
        self._tasks.add(asyncio.current_task())
        from_server, to_server = await connected(self._target)
        key, reader, stream = self.account.opened(), self._reader(), []
        self.streams.append(stream)

        async def forward(side, source, drain):
            while piece := await source.read(65_536):
                stream.append((side, piece))
                messages = reader.feed(side, piece)
                self.messages += messages
                self.account.passed(key, side, len(piece), messages)
                if reader.lost:
                    self.account.lose(reader.lost)
                drain.write(piece)
                await drain.drain()
            drain.close()

        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(
                forward("client", from_client, to_server),
                forward("server", from_server, to_client),
            )
        for one in (to_server, to_client):
            one.close()
        self.account.closed(key)


class Bytes:
    """A client that sends what it is told, and waits until the server is ready; by trust."""

    def __init__(self, address):
        self._address = address

    async def __aenter__(self):
        address = self._address
        self._reads, self._writes = await connected(address)
        self._writes.write(opening(user=address.user, database=address.database))
        await self._ready()
        return self

    async def __aexit__(self, *_failure):
        self._writes.close()
        await self._writes.wait_closed()

    async def send(self, *messages, ready=1):
        """Send *messages*, wait for *ready* times ReadyForQuery; the rows' first values."""
        self._writes.write(b"".join(messages))
        rows = []
        for _ in range(ready):
            rows += await self._ready()
        return rows

    async def _ready(self):
        rows = []
        while True:
            kind, body = await self._next()
            if kind == b"D":
                rows.append(body[6:])
            if kind == b"Z":
                return rows

    async def _next(self):
        kind, length = struct.unpack("!cI", await self._reads.readexactly(5))
        return kind, await self._reads.readexactly(length - 4)


def typed(letter, body=b""):
    """A message of the protocol."""
    return letter.encode() + struct.pack("!I", len(body) + 4) + body


def string(text):
    return text.encode() + b"\0"


def opening(minor=0, **parameters):
    """A start-up message of version 3.*minor*."""
    pairs = b"".join(string(key) + string(value) for key, value in parameters.items())
    return struct.pack("!IHH", len(pairs) + 9, 3, minor) + pairs + b"\0"


def query(sql):
    return typed("Q", string(sql))


def parse(sql, name=""):
    return typed("P", string(name) + string(sql) + b"\0\0")


def bind(statement="", portal=""):
    return typed("B", string(portal) + string(statement) + bytes(6))


def describe(what="P", name=""):
    return typed("D", what.encode() + string(name))


def execute(portal="", limit=0):
    return typed("E", string(portal) + struct.pack("!I", limit))


def close(what="S", name=""):
    return typed("C", what.encode() + string(name))


SYNC = typed("S")
FLUSH = typed("H")
TERMINATE = typed("X")
