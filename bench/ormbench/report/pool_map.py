"""Pools against clients: what a map holds, and what its columns prove. Pure."""

import math
from dataclasses import dataclass
from typing import Literal

from ormbench.cell import Cell
from ormbench.pool import FITTED, Pool, parse
from ormbench.report.findings import CellFinding, Estimate

Standing = Literal["within", "below", "cannot tell", ""]  # of 95 % of the best; "": not compared
Mark = Literal["S", "W", "C"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One pool with so many clients."""

    cell: Cell
    found: CellFinding | None  # None where it has no numbers
    missing: str = ""  # why not: "TIMEOUT: ...", or why it was left out
    share: Estimate | None = None  # its goodput over that of the column's best
    is_best: bool = False
    standing: Standing = ""
    marks: tuple[Mark, ...] = ()

    @property
    def pool(self) -> Pool:
        """Its pool."""
        return parse(self.cell.pool) if self.cell.pool else FITTED

    @property
    def held(self) -> int:
        """Connections that it comes to hold: SQLAlchemy opens none that no client waits for."""
        most = self.cell.connections
        return most if self.pool.kind == "driver" else min(most, self.cell.clients)

    @property
    def opened(self) -> float:
        """Connections opened per 1,000 operations."""
        return self.found.new_per_1000 if self.found else 0.0

    @property
    def failed(self) -> float:
        """Operations without a correct result per 1,000."""
        return wrong_per_1000(self.found)


@dataclass(frozen=True, slots=True)
class Column:
    """All pools with so many clients, in the order of the map's rows."""

    clients: int
    entries: tuple[Entry, ...]
    judged: tuple[tuple[Cell, Cell, Estimate], ...]  # goodput of one over another's, each pair

    def versus(self, one: Entry, other: Entry) -> Estimate | None:
        """Goodput of *one* over that of *other*; None where one of them has no numbers."""
        pairs = {(a, b): found for a, b, found in self.judged}
        return pairs.get((one.cell, other.cell))

    @property
    def measured(self) -> tuple[Entry, ...]:
        """The entries that have numbers."""
        return tuple(one for one in self.entries if one.found)

    @property
    def best(self) -> Entry | None:
        """The entry that the others are measured by."""
        return next((one for one in self.entries if one.is_best), None)

    @property
    def compared(self) -> bool:
        """Whether pools were compared here, so that a claim is possible."""
        return any(one.standing for one in self.entries)

    @property
    def smallest(self) -> tuple[Entry, ...]:
        """The entries within 5 % of the best with the fewest connections; () if not decided.

        Decided means that each smaller one is decidedly not.
        """
        within = self._standing("within")
        least = min((one.cell.connections for one in within), default=0)
        if any(one.cell.connections < least for one in self._standing("cannot tell")):
            return ()
        return tuple(one for one in within if one.cell.connections == least)

    @property
    def candidates(self) -> tuple[Entry, ...]:
        """Those between which it cannot tell the smallest; () where it can."""
        if self.smallest:
            return ()
        within, undecided = self._standing("within"), self._standing("cannot tell")
        least = min((one.cell.connections for one in within), default=math.inf)
        return tuple(one for one in (*undecided, *within) if one.cell.connections <= least)

    def _standing(self, wanted: Standing) -> tuple[Entry, ...]:
        return tuple(one for one in self.entries if one.standing == wanted)


@dataclass(frozen=True, slots=True)
class PoolMap:
    """Pools against clients."""

    cell: Cell  # without its pool, with one client
    words: tuple[str | None, ...]  # of the rows: largest first, those that keep none last
    columns: tuple[Column, ...]  # fewest clients first

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, column by column."""
        return tuple(one for column in self.columns for one in column.entries)


def is_apart(pool: Pool) -> bool:
    """Whether a pool keeps no connections of SQLAlchemy's: it stands beside the others."""
    return pool.kind in ("nullpool", "static", "driver")


def wrong_per_1000(found: CellFinding | None) -> float:
    """Operations without a correct result per 1,000; 0 of a cell without numbers."""
    if found is None or found.outcomes is None or not found.operations:
        return 0.0
    wrong = found.outcomes.failed + found.outcomes.lost + found.outcomes.broken
    return 1_000 * wrong / found.operations
