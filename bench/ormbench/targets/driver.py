"""A driver: one row that says how SQLAlchemy and a raw lane reach a server through it.

Adding a driver is adding a row to ``drivers.py``, with a module for its raw pool where none of
those that are there will do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ormbench.servers.server import Product
from ormbench.targets.raw import EngineCache, RawPool, RawSettings, SyncRawPool

Ability = Literal[
    "COPY",  # as text
    "binary COPY",
    "LOAD DATA",
    "pipeline",
    "server-side cursor",
    "statement cache",
]
PoolWaits = Literal["limited", "endless", "never"]
"""As long as it is told, without end, or not at all: it raises."""


def no_arguments(_schema: str) -> dict[str, Any]:
    """For drivers whose schema travels in the address."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One row."""

    name: str  # in a target's name
    dialect: str  # what SQLAlchemy calls it, after the plus
    servers: tuple[Product, ...]
    distribution: str  # whose version is recorded
    module: str  # what is imported; where it is not there, its cells are UNSUPPORTED
    install: str  # what to install then
    raw: Callable[[RawSettings], RawPool | SyncRawPool]  # makes a raw lane's pool; opens nothing
    connect_args: Callable[[str], dict[str, Any]] = no_arguments  # schema -> connect_args
    cache: Callable[[int], EngineCache] | None = None  # that keeps so many; None: it has no cache
    is_async: bool = True
    paramstyle: str | None = None  # of raw statements; None takes the dialect's own
    pool: str | None = None  # the driver's own; None where it has none
    pool_waits: PoolWaits = "limited"  # what its pool does with who finds no connection
    not_lent: str = ""  # why SQLAlchemy cannot be over that pool; "" where it can
    isolation_levels: tuple[str, ...]  # that SQLAlchemy takes for it
    abilities: frozenset[Ability]
    unsupported: Mapping[str, str] = field(default_factory=dict)  # lane -> reason
    defects: tuple[str, ...] = ()  # known ones, with their source
