"""The words of the matrix: a cell, a contrast of two cells, a group, and their names.

Pure data. A cell is one point of the matrix; a group is up to four arms, each an
occurrence of a cell, whose slices are interleaved because they are compared.
"""

from dataclasses import dataclass, fields
from typing import Literal

from ormbench import pool

Transaction = Literal["per-operation", "autocommit"]
Placement = Literal["one-core", "split", "free"]
Arrivals = Literal["constant", "poisson"]
Loop = Literal["asyncio", "uvloop"]

GROUP_LIMIT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One point of the matrix: a workload, a way of doing it, and all that surrounds it."""

    scenario: str
    lane: str
    target: str  # "postgresql+asyncpg"; "none" for a lane that needs no database
    clients: int = 1
    transaction: Transaction = "per-operation"
    placement: Placement = "one-core"
    rate: float | None = None  # operations per second offered; None is a closed loop
    arrivals: Arrivals = "poisson"  # how an open loop spaces its turns
    loop: Loop = "asyncio"  # the event loop of its worker
    rtt: float | None = None  # ms of round-trip time added by a relay; None: there is no relay
    pool: str | None = None  # a word of `ormbench.pool`; None: as many connections as clients
    isolation: str | None = None  # a word of `ormbench.isolation`; None: the server's default
    processes: int = 1  # worker processes, each with a pool of its own, that share the clients
    batch: int | None = None  # rows of an operation; None: as many as the scenario says
    cache: int | None = None  # statements that a connection keeps; None: what its driver does

    @property
    def id(self) -> str:
        """``scenario/lane/target`` and each axis that is not at its default."""
        unusual = self.unusual().items()
        named = (
            f"{axis}={value:g}" if isinstance(value, float) else f"{axis}={value}"
            for axis, value in unusual
        )
        return "/".join([self.scenario, self.lane, self.target, *named])

    @property
    def connections(self) -> int:
        """The most connections that its pools hold at once."""
        if self.target == "none":
            return self.clients
        each = -(-self.clients // self.processes)
        return self.processes * (pool.parse(self.pool) if self.pool else pool.FITTED).most(each)

    def unusual(self) -> dict[str, object]:
        """The axes that are not at their default, by name."""
        plain = {"scenario", "lane", "target"}
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name not in plain and getattr(self, field.name) != field.default
        }


ContrastKind = Literal["lane", "target", "axis", "aa"]


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two arms of a group whose slices are paired: candidate over reference."""

    candidate: int  # arm: an index into Group.cells
    reference: int
    kind: ContrastKind


@dataclass(frozen=True, slots=True)
class Group:
    """Cells that are compared with each other; the same cell twice is an A/A pair."""

    name: str
    cells: tuple[Cell, ...]
    contrasts: tuple[Contrast, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A cell that the plan asks for and this run cannot have, with the reason."""

    cell: Cell
    reason: str
