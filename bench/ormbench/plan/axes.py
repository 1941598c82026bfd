"""The axes of the matrix: their names, the values they take, how words become values."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ormbench import isolation, pool
from ormbench.errors import UsageError
from ormbench.targets.target import resolve

AUTO = "auto"
LONGEST_RTT = 1_000.0  # ms; half way round the world and back is 300


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: what it means, and how a word or a TOML value becomes one of its values."""

    name: str
    meaning: str
    parse: Callable[[Any], Any]
    default: Any = None


def _word(value: Any) -> str:
    return str(value)


def _choice(*allowed: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return str(value)

    return parse


def _count(value: Any) -> int:
    if isinstance(value, float) or not str(value).isdecimal() or int(value) < 1:
        raise ValueError("a whole number from 1")
    return int(value)


def _rate(value: Any) -> float | None:
    if value is None or value == "closed":
        return None
    try:
        rate = 0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        rate = 0
    if not 0 < rate < float("inf"):
        raise ValueError("operations per second above 0, or `closed`")
    return rate


def _rtt(value: Any) -> float | None:
    if value is None or value == "direct":
        return None
    try:
        added = -1.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        added = -1.0
    if not 0 <= added <= LONGEST_RTT:
        raise ValueError(f"milliseconds from 0 to {LONGEST_RTT:g}, or `direct`")
    return abs(added)  # -0.0 is 0, and is written so


def _batch(value: Any) -> int | None:
    return None if value in (None, "default") else _count(value)


def _cache(value: Any) -> int | None:
    if value in (None, "default"):
        return None
    if isinstance(value, (bool, float)) or not str(value).isdecimal():
        raise ValueError("how many statements, 0 for none, or `default`")
    return int(value)


def _pool(value: Any) -> str | None:
    word = pool.parse("fitted" if value is None else str(value)).word
    return None if word == pool.FITTED.word else word


def _isolation(value: Any) -> str | None:
    return None if value in (None, "default") else isolation.parse(str(value)).word


AXES = {
    axis.name: axis
    for axis in (
        Axis("scenario", "the workload", _word),
        Axis("lane", "the way of doing it: orm, core, raw, ... (globs allowed)", _word),
        Axis("target", "server, dialect and driver", _word, "postgresql+asyncpg"),
        Axis(
            "clients",
            "concurrent workers; each has a connection, unless --pool says less",
            _count,
            1,
        ),
        Axis(
            "transaction",
            "a transaction an operation, or none at all",
            _choice("per-operation", "autocommit"),
            "per-operation",
        ),
        Axis(
            "placement",
            "which cores client and server share (auto: one-core if serial, else free)",
            _choice(AUTO, "one-core", "split", "free"),
            AUTO,
        ),
        Axis("rate", "operations offered a second, or `closed`", _rate, None),
        Axis(
            "arrivals",
            "how an open loop spaces its turns",
            _choice("poisson", "constant"),
            "poisson",
        ),
        Axis("loop", "the event loop: asyncio or uvloop", _choice("asyncio", "uvloop"), "asyncio"),
        Axis(
            "rtt",
            "milliseconds that a relay adds to each round trip (0: the relay alone), or `direct`",
            _rtt,
            None,
        ),
        Axis(
            "pool",
            "5+10 (size+overflow), nullpool, static, driver, or fitted, the default: as many "
            "connections as clients; options: 20+0:ping:lifo:timeout=1:recycle=60:reset=none",
            _pool,
            None,
        ),
        Axis(
            "isolation",
            "read-uncommitted, read-committed, repeatable-read, serializable: of the engine; "
            "serializable:connection is set at each checkout; or `default`, the server's",
            _isolation,
            None,
        ),
        Axis("processes", "worker processes that share the clients, each with a pool", _count, 1),
        Axis(
            "batch",
            "rows an operation, of scenarios that take any number; or `default`, the scenario's",
            _batch,
            None,
        ),
        Axis(
            "cache",
            "prepared statements that a connection keeps, 0 for none; or `default`, the driver's",
            _cache,
            None,
        ),
    )
}


def values(name: str, given: Any) -> list[Any]:
    """The values of axis *name*: of a TOML value, a list of them, or a comma list of a flag.

    Each value once, in the order given.

    Raises UsageError that names the axis, the word and what would be right.
    """
    axis = AXES[name]
    words = given.split(",") if isinstance(given, str) else given
    if isinstance(words, Mapping):
        raise UsageError(f"axis {name} is a table, expected a value or a list of values")
    if not isinstance(words, Sequence):
        words = [words]
    if not words:
        raise UsageError(f"axis {name} has no value")
    found = (_value(axis, word.strip() if isinstance(word, str) else word) for word in words)
    return list(dict.fromkeys(found))


def _value(axis: Axis, word: Any) -> Any:
    if axis.name == "target" and not any(mark in str(word) for mark in "*?"):
        return resolve(str(word))
    try:
        return axis.parse(word)
    except ValueError as error:
        raise UsageError(f"axis {axis.name} does not take {word!r}: {error}") from None


def nearest(kind: str, word: str, known: Sequence[str], listing: str) -> UsageError:
    """The error for a word that nothing is called, with the nearest name that something is."""
    near = get_close_matches(word, known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return UsageError(f"unknown {kind} {word!r}: {hint}see `ormbench list {listing}`")


def check_keys(given: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Raise UsageError for a key of a plan file's table *where* that is none of the *known*."""
    for key in given:
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known))}"
            raise UsageError(f"unknown key {where}{key}: {hint}")
