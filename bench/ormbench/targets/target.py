"""A target: server kind, dialect and driver, and what the driver can and cannot do.

Adding a driver is adding a row here and, for raw lanes, a module beside this one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from ormbench.errors import UsageError
from ormbench.targets import postgresql_asyncpg, postgresql_psycopg
from ormbench.targets.raw import RawPool, RawSettings


@dataclass(frozen=True, slots=True)
class Target:
    """One row: how SQLAlchemy and a raw lane reach a server through one driver."""

    name: str  # SQLAlchemy's drivername
    server: str
    distribution: str  # what to install, and whose version to record
    connect_args: Callable[[str], dict[str, Any]]  # schema -> connect_args
    raw: Callable[[RawSettings], RawPool]  # makes a raw lane's pool; opens nothing yet
    unsupported: Mapping[str, str] = field(default_factory=dict)  # lane -> reason


TARGETS = {
    target.name: target
    for target in (
        Target(
            "postgresql+asyncpg",
            "PostgreSQL",
            "asyncpg",
            postgresql_asyncpg.connect_args,
            postgresql_asyncpg.Pool,
        ),
        Target(
            "postgresql+psycopg",
            "PostgreSQL",
            "psycopg",
            postgresql_psycopg.connect_args,
            postgresql_psycopg.Pool,
            {"raw_pool": "psycopg_pool sends nothing on return, so this would be raw again"},
        ),
    )
}
NO_TARGET = "none"


def resolve(word: str) -> str:
    """A target's full name from that or its driver's; UsageError names the nearest."""
    if word in TARGETS or word == NO_TARGET:
        return word
    short = [name for name in TARGETS if name.partition("+")[2] == word]
    if len(short) == 1:
        return short[0]
    near = get_close_matches(word, [*TARGETS, *(n.partition("+")[2] for n in TARGETS)], 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"unknown target {word!r}: {hint}see `ormbench list targets`")
