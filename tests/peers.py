"""Plain servers for the relay to lead to, each connection in a thread; and their clients."""

import socket
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from ormbench.servers.server import Address

KINDS = ("unix", "tcp")
SECONDS = 20  # after which a test that waits for bytes has failed


@contextmanager
def serving(kind, handle):
    """The Address of a server that calls *handle* with each socket it accepts, then closes it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, _listener(kind, folder) as listener:
        threading.Thread(target=_accept, args=(listener, handle), daemon=True).start()
        if kind == "unix":
            yield Address("PostgreSQL", folder, 5432, "", "")
        else:
            yield Address("PostgreSQL", *listener.getsockname(), "", "")
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _listener(kind, folder):
    if kind == "tcp":
        return socket.create_server(("127.0.0.1", 0))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(Path(folder) / ".s.PGSQL.5432"))
    listener.listen()
    return listener


def _accept(listener, handle):
    def answer(one):
        with one, suppress(OSError):
            handle(one)

    with suppress(OSError):
        while True:
            one, _ = listener.accept()
            one.settimeout(SECONDS)
            threading.Thread(target=answer, args=(one,), daemon=True).start()


def dial(address):
    """A client's socket."""
    if address.is_socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(SECONDS)
        client.connect(f"{address.host}/.s.PGSQL.{address.port}")
        return client
    client = socket.create_connection((address.host, address.port), SECONDS)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def received(one, size):
    """Exactly *size* bytes."""
    data = bytearray()
    while len(data) < size:
        new = one.recv(min(1 << 18, size - len(data)))
        assert new, f"the connection ended after {len(data)} of {size} bytes"
        data += new
    return bytes(data)


def rest(one):
    """All bytes until the other side has ended."""
    data = bytearray()
    while new := one.recv(1 << 18):
        data += new
    return bytes(data)


def echo(one):
    """Send back what comes, until there is no more."""
    while data := one.recv(1 << 16):
        one.sendall(data)


@contextmanager
def by_tcp(address):
    """An Address by which a server's unix socket is reached over TCP."""

    def forward(one):
        with dial(address) as server:
            back = threading.Thread(target=_copy, args=(server, one), daemon=True)
            back.start()
            _copy(one, server)
            back.join()

    with serving("tcp", forward) as there:
        yield replace(address, host=there.host, port=there.port)


def _copy(source, target):
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
