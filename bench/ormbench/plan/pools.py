"""Pools that a plan file gives a name: `[pools.app]`, with SQLAlchemy's words, as one word.

The word (`ormbench.pool`) is what a cell carries, so that a run folder needs no plan file.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ormbench import pool
from ormbench.errors import UsageError
from ormbench.plan.axes import check_keys

_KINDS: dict[str, pool.PoolKind] = {
    "queue": "queue",
    "fitted": "fitted",
    "null": "nullpool",
    "static": "static",
    "driver": "driver",
}
SIZE, OVERFLOW = 5, 10  # of a queue, as SQLAlchemy has them
_SIZED = {"queue": {"size", "overflow"}, "driver": {"size"}}  # other classes have no size to set


def named_pools(plain: Mapping[str, Any]) -> dict[str, str]:
    """Name -> word of the tables in ``[pools]``. Raises UsageError that names the key."""
    return {name: _word(f"pools.{name}", name, given) for name, given in plain.items()}


def _word(where: str, name: str, given: Any) -> str:
    if not isinstance(given, Mapping):
        raise UsageError(f"{where} is not a table: write [{where}]")
    if _parsed(name) is not None:
        raise UsageError(f"{where}: {name!r} is a pool by itself, give this one another name")
    check_keys(given, _KEYS, f"{where}.")
    kind = _value(where, "class", given.get("class", "queue"))
    for key in ("size", "overflow"):
        if key in given and key not in _SIZED.get(kind, ()):
            raise UsageError(f"{where}.{key}: a pool of class {given['class']} has none")
    found = {_KEYS[key][0]: _value(where, key, value) for key, value in given.items()}
    if kind == "queue":
        found = {"size": SIZE, "overflow": OVERFLOW, **found}
    word = pool.Pool(**{**found, "kind": kind}).word
    try:
        return pool.parse(word).word
    except ValueError as error:
        raise UsageError(f"{where} would be {word}: {error}") from None


def _parsed(word: str) -> pool.Pool | None:
    try:
        return pool.parse(word)
    except ValueError:
        return None


def _value(where: str, key: str, value: Any) -> Any:
    _, read, expected = _KEYS[key]
    found = read(value)
    if found is None:
        raise UsageError(f"{where}.{key} = {value!r}, expected {expected}")
    return found


def _kind(value: Any) -> pool.PoolKind | None:
    return _KINDS.get(value) if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _seconds(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and value > 0 else None


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _reset(value: Any) -> str | None:
    return value if value in ("rollback", "none") else None


_COUNT, _TRUTH = "a whole number from 0", "true or false"
_KEYS: dict[str, tuple[str, Callable[[Any], Any], str]] = {  # the field of Pool, its reader
    "class": ("kind", _kind, f"one of {', '.join(_KINDS)}"),
    "size": ("size", _whole, _COUNT),
    "overflow": ("overflow", _whole, _COUNT),
    "timeout": ("timeout", _seconds, "seconds above 0"),
    "pre_ping": ("ping", _truth, _TRUTH),
    "recycle": ("recycle", _whole, "whole seconds from 0"),
    "reset_on_return": ("reset", _reset, '"rollback" or "none"'),
    "lifo": ("lifo", _truth, _TRUTH),
}
