"""A pool, as one word: its class, its size, and what it does to a connection.

    5+10            five connections that stay, ten more that close on return
    20+0:ping:lifo  twenty, each asked whether it lives before it is handed out, the last one first
    nullpool        none: each checkout connects
    static          one connection, whoever asks
    driver          the driver's own pool, with as many connections as clients
    driver:size=20  the driver's own pool of twenty
    fitted:ping     SQLAlchemy's queue, with as many connections as clients

Pure: what a word means to SQLAlchemy is in ``lanes``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PoolKind = Literal["queue", "fitted", "nullpool", "static", "driver"]
Reset = Literal["rollback", "none"]
_FLAGS = ("ping", "lifo")
_VALUES = ("timeout", "recycle", "reset", "size")
_OF_QUEUE = ("ping", "lifo", "timeout", "recycle", "reset")
_TAKES: Mapping[PoolKind, tuple[str, ...]] = {
    "queue": _OF_QUEUE,
    "fitted": _OF_QUEUE,
    "nullpool": ("reset",),
    "static": ("ping", "recycle", "reset"),
    "driver": ("size", "timeout", "reset"),
}
_BECAUSE: Mapping[PoolKind, str] = {
    "queue": "its size is written first, as in 20+0",
    "fitted": "its size is that of the clients; write 20+0, or driver:size=20",
    "nullpool": "each checkout has a new connection, and waits for nobody",
    "static": "it has one connection, and nobody waits for it",
    "driver": "SQLAlchemy keeps no connection then: this would be the driver's to do",
}
EXPECTED = (
    "SIZE+OVERFLOW, fitted, nullpool, static or driver; then, each after a colon: "
    "ping, lifo, timeout=SECONDS, recycle=SECONDS, reset=none, and size=N of driver"
)
_MOST = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One way of keeping connections."""

    kind: PoolKind = "fitted"
    size: int | None = None  # that stay open; None: as many as clients
    overflow: int = 0  # more at most, closed on return
    ping: bool = False  # ask a connection whether it lives before it is handed out
    lifo: bool = False
    timeout: float | None = None  # seconds that a checkout waits; None: 30, or what the driver does
    recycle: int | None = None  # seconds after which a connection is replaced at checkout
    reset: Reset = "rollback"  # what is done to a connection that comes back

    def most(self, clients: int) -> int:
        """Connections at most, with so many *clients* that need one each."""
        return self.plain(clients) + self.overflow

    def plain(self, clients: int) -> int:
        """Connections at most without its overflow, with so many *clients*."""
        if self.kind == "static":
            return 1
        return clients if self.size is None else self.size

    def may_run_out(self, clients: int) -> bool:
        """Whether one of so many *clients* may wait in vain for the connection that it needs."""
        return self.most(clients) < clients or self.timeout is not None

    @property
    def word(self) -> str:
        """As it is written; options in one order, so that one pool has one word."""
        first = f"{self.size}+{self.overflow}" if self.kind == "queue" else self.kind
        sized = f"size={self.size}" if self.kind == "driver" and self.size is not None else ""
        options = [
            sized,
            "ping" * self.ping,
            "lifo" * self.lifo,
            "" if self.timeout is None else f"timeout={_shortest(self.timeout)}",
            "" if self.recycle is None else f"recycle={self.recycle}",
            "reset=none" if self.reset == "none" else "",
        ]
        return ":".join([first, *filter(None, options)])


FITTED = Pool()


def _shortest(number: float) -> str:
    """*number*, so that it is read back as what it is."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def parse(word: str) -> Pool:
    """The pool of a word. Raises ValueError that says what is expected."""
    first, *options = word.split(":")
    kind, found = _first(first)
    given: set[str] = set()
    for option in options:
        name, value = _option(option, kind)
        if name in given:
            raise ValueError(f"{name} is there twice")
        given.add(name)
        found[name] = value
    return Pool(kind=kind, **found)  # type: ignore[arg-type]  # each value was read by its own rule


def _first(word: str) -> tuple[PoolKind, dict[str, object]]:
    for kind in _TAKES:
        if word == kind and kind != "queue":
            return kind, {}
    size, plus, overflow = word.partition("+")
    if not (plus and _is_number(size) and _is_number(overflow)):
        raise ValueError(f"expected {EXPECTED}")
    if int(size) == 0:
        raise ValueError(
            "to SQLAlchemy a size of 0 means no limit at all; where no connection is to stay "
            "open, say nullpool"
        )
    return "queue", {"size": int(size), "overflow": int(overflow)}


def _option(option: str, kind: PoolKind) -> tuple[str, object]:
    name, equals, value = option.partition("=")
    if name not in (_VALUES if equals else _FLAGS):
        raise ValueError(f"no option {option!r}; expected {EXPECTED}")
    if name not in _TAKES[kind]:
        called = "a queue" if kind == "queue" else kind
        takes = ", ".join(_TAKES[kind])
        raise ValueError(f"{called} takes no {name}: {_BECAUSE[kind]} (it takes {takes})")
    if name in _FLAGS:
        return name, True
    if name == "reset":
        if value not in {"none", "rollback"}:
            raise ValueError(f"reset={value}: expected none or rollback")
        return name, value
    return name, _seconds(value) if name == "timeout" else _whole(name, value)


def _seconds(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < _MOST:
        raise ValueError(f"timeout={value}: expected seconds above 0")
    return number


def _whole(name: str, value: str) -> int:
    least = 0 if name == "recycle" else 1  # recycle=0 replaces at each checkout
    if not _is_number(value) or not least <= int(value) < _MOST:
        unit = "seconds" if name == "recycle" else "connections"
        raise ValueError(f"{name}={value}: expected whole {unit} from {least}")
    return int(value)


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal() and len(word) < len(str(_MOST))
