"""The counters of one arm's connections, before a group's rounds and after them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ormbench.load.counters import Reading
from ormbench.results.count import Count
from ormbench.run.arm import ArmState, EndedError
from ormbench.run.context import Site
from ormbench.truth.churn import OPENS, may_open
from ormbench.truth.counters import Difference, begins_itself, difference, joined
from ormbench.wire.tally import Tally

_READINGS = 3


@dataclass(slots=True)
class Entry:
    """One arm's connections; a reading that failed is empty, and the arm says so."""

    arm: ArmState
    site: Site
    copied: int  # rows that resets had put into its tables when the ledger was opened
    first: Reading = field(default_factory=dict)
    opening: Reading = field(default_factory=dict)  # the reading after `first`
    closing: Reading = field(default_factory=dict)
    opened: list[int] = field(default_factory=list)  # connections, by the client's own count, at
    # the time of each of these readings
    churning: bool = False  # connections came and went, as its pool may let them
    alone: bool = False  # a single operation was counted: nobody knows whether others are like it
    renamed: bool = False  # asyncpg's connections prepared or forgot statements meanwhile

    @property
    def new(self) -> int:
        """Connections that the client opened since the ledger was opened."""
        return self.opened[-1] - self.opened[-2]

    def ended_early(self) -> bool:
        """Whether its arm ended, or could not be read, before the last reading."""
        return len(self.opened) < _READINGS

    def may_open(self) -> bool:
        """Whether its pool opens connections on the clock, and nobody is to blame for it."""
        return may_open(self.arm.cell, self.arm.loaded.lane(self.arm.cell.lane).receives)

    def settled(self) -> bool:
        """Whether the same connections were there all the time."""
        return bool(self.first) and (
            self.first.keys() == self.opening.keys() == self.closing.keys()
        )

    def raw(self) -> Mapping[str, int]:
        """What the counters grew by, one reading among it."""
        opening = _sums(self.opening)
        return {name: value - opening[name] for name, value in _sums(self.closing).items()}

    def reading(self) -> dict[str, int]:
        """What one reading of all its connections adds to them."""
        first, opening = _sums(self.first), _sums(self.opening)
        return {name: value - first[name] for name, value in opening.items()}

    def counted(self) -> dict[str, int]:
        """What they grew by, without the reading."""
        cost = self.reading()
        return joined({name: value - cost[name] for name, value in self.raw().items()})

    def check(self, count: Count | None, *, catching_up: bool) -> None:
        """Hold them against the count pass: the arm is INCORRECT, unverified or neither.

        *catching_up*: PostgreSQL's backends may begin transactions of their own.
        """
        arm, operations = self.arm, count.operations if count else ()
        self.alone = len(operations) == 1
        if arm.unverified:
            return
        self.churning = self.may_open() and not (self.settled() and self.new == 0)
        if self.churning:
            arm.unverified = f"{OPENS}, and nothing is proven of it"
            return
        if not (self.first and self.opening and self.closing):
            arm.unverified = "its counters were not read"
            return
        if not self.settled():
            self._replaced(promised=not operations or any(one.connections for one in operations))
            return
        counted, names_all = self.counted(), arm.cell.target.endswith("+asyncpg")
        self.renamed = names_all and counted.get("names", 0) != 0
        early = arm.early()
        whole = arm.turns - early.operations
        arm.counters = _told(counted, whole, operations, names_all=names_all)
        if not operations:
            why = f": {count.reason}" if count else ""
            arm.unverified = f"there is no count pass to compare with{why}"
            return
        product = self.site.server.product
        if wrong := difference(product, operations, arm.turns, arm.counters, early):
            self.blame(wrong, count, catching_up=catching_up)

    def _replaced(self, *, promised: bool) -> None:
        """Connections came and went; *promised*: the count pass opens some, or there is none."""
        arm, new = self.arm, len(self.closing.keys() - self.opening.keys())
        if promised:
            arm.unverified = f"connections came and went: {new} of {len(self.closing)} are new"
            return
        plural = "s" * (new != 1)
        what = f"opened {new} connection{plural} while it was timed, its count pass none"
        arm.ended = EndedError("INCORRECT", what)

    def blame(
        self, wrong: Difference, count: Count | None = None, *, catching_up: bool = False
    ) -> None:
        """End the arm, unless somebody else, or its own operations, may honestly differ so."""
        if doubt := self._doubt(wrong, count, catching_up=catching_up):
            self.arm.unverified = f"{doubt}: {wrong}"
        else:
            self.arm.ended = EndedError("INCORRECT", str(wrong))

    def _doubt(self, wrong: Difference, count: Count | None, *, catching_up: bool) -> str:
        """Why what is wrong may be nobody's fault; "" where it is the arm's."""
        if wrong.unsent:
            return "statements ran that nobody sent (triggers, bulk)"
        server = self.site.server
        if wrong.is_more and server.product == "PostgreSQL":
            operations = count.operations if count else ()
            why = "others use this server" if server.kind == "url" else begins_itself(operations)
            if not why and self.renamed:
                why = "its driver prepared or forgot statements meanwhile, or asked about types"
            if why or catching_up:
                return why or "backends catch up with tables that others empty or make"
        if self.alone:
            return "one operation was counted, and others may differ"
        varies = "operations differ, and further than those that were counted"
        return varies if wrong.varies else ""


def _sums(reading: Reading) -> dict[str, int]:
    names = {name: None for counters in reading.values() for name in counters}
    return {name: sum(counters[name] for counters in reading.values()) for name in names}


def _told(
    counted: dict[str, int], turns: int, operations: Sequence[Tally], *, names_all: bool
) -> dict[str, int]:
    """*counted* without how often prepared statements ran, where that tells nothing.

    A statement that has no name is not in it. Who forgets a name forgets its number, and some
    drivers name a statement only at its sixth call on a connection (not *names_all*): then there
    may be fewer.
    """
    found = dict(counted)
    fewer = found.pop("names", 0) != 0 or not names_all
    least = turns * min((one.prepared for one in operations), default=0)
    unnamed = not operations or any(one.unprepared for one in operations)
    if unnamed or (fewer and found.get("executions", 0) < least):
        found.pop("executions", None)
    return found
