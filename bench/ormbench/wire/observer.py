"""Reads along on one connection through the relay, for its route's account."""

import time
from collections.abc import Callable

from ormbench.wire import mysql, postgresql
from ormbench.wire.message import Reader, Side
from ormbench.wire.plainly import opening
from ormbench.wire.tally import Account

Answer = Callable[[int, bytes], object]


def _reader(product: str) -> Reader:
    return postgresql.Reader() if product == "PostgreSQL" else mysql.Reader()


class Observer:
    """Sees each chunk in order of arrival, and may change the first ones (see plainly).

    What a client asked about encryption, and was answered here, is not counted.
    """

    def __init__(self, product: str, account: Account, *, plain: bool) -> None:
        self._reader, self._account = _reader(product), account
        self._opening = opening(product) if plain else None
        self._key = account.opened()
        self.unanswered = False  # the client has asked, and the server has not said a word
        self.answer: Answer = lambda _arrived, _data: None  # how to say something to the client

    def client(self, data: bytes) -> bytes:
        """What the client sent; returns what goes on."""
        if self._opening:
            data, answer = self._opening.client(data)
            if answer:
                self.answer(time.perf_counter_ns(), answer)
        return self._count("client", data)

    def server(self, data: bytes) -> bytes:
        """What the server sent; returns what goes on."""
        return self._count("server", self._opening.server(data) if self._opening else data)

    def close(self) -> None:
        """The connection has ended."""
        self._account.closed(self._key)

    def _count(self, side: Side, data: bytes) -> bytes:
        if data:
            messages = self._reader.feed(side, data)
            self.unanswered = side == "client" and any(one.asks for one in messages)
            self._account.passed(self._key, side, len(data), messages)
            if self._reader.lost:
                self._account.lose(self._reader.lost)
        return data
