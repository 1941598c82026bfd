"""What an arm whose connections come and go may have moved its server's counters by."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ormbench.run.entry import Entry
from ormbench.servers.server import Product
from ormbench.truth.counters import joined, promised
from ormbench.truth.early import prepares_later
from ormbench.wire.tally import Tally

STARTS = 1  # transactions that a backend of PostgreSQL commits while it starts (measured on 18)
_EXECUTIONS = "executions"  # of what is gone nobody knows how often it ran


@dataclass(slots=True)
class Share:
    """The least and the most of each counter, or why that is not known."""

    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    beside: dict[str, int] = field(default_factory=dict)  # of it, what no operation did: readings
    varying: set[str] = field(default_factory=set)  # counters in which its operations differ
    unknown: str = ""

    def add(self, name: str, low: int, high: int | None = None) -> None:
        """Let a counter have grown by *low* more, or by *high* at most."""
        least, most = self.spans.get(name, (0, 0))
        self.spans[name] = least + low, most + (low if high is None else high)

    def add_beside(self, name: str, value: int) -> None:
        """The same of what no operation did."""
        self.add(name, value)
        self.beside[name] = self.beside.get(name, 0) + value


@dataclass(frozen=True, slots=True)
class Sharing:
    """Adds up the share of one arm, which has *opened* so many connections."""

    product: Product
    entry: Entry
    operations: Sequence[Tally]  # of its count pass
    opened: int
    share: Share

    def add(self, connecting: Sequence[Tally]) -> str:
        """Add all of it; why something of it is not known, else "".

        *connecting*: its operations where each opens a connection; () where nobody counted them.
        """
        self._add_operations()
        self._add_preparations()
        return self._add_connections(connecting) or self._add_readings()

    def _add_operations(self) -> None:
        arm, each = self.entry.arm, [self._promised(one) for one in self.operations]
        for name in each[0]:
            values = [one[name] for one in each]
            low, high = min(values), max(values)
            self.share.add(name, *arm.early().span(name, arm.turns, low, high))
            self.share.varying |= {name} if low < high else set()

    def _promised(self, one: Tally) -> dict[str, int]:
        found = promised(self.product, one)
        found.pop(_EXECUTIONS, None)
        return found

    def _add_connections(self, connecting: Sequence[Tally]) -> str:
        """Add what new connections cost beyond those that each operation opens anyhow."""
        if self.product == "PostgreSQL":
            self.share.add_beside("transactions", STARTS * self.opened)
        early, usual = self.entry.arm.early(), {one.connections for one in self.operations}
        attempts = self.entry.arm.turns - early.operations + early.attempts
        if len(usual) > 1 or (early.partly and usual != {0}):
            return "its operations open unequal numbers of connections"
        further = self.opened - attempts * min(usual)
        if further == 0:
            return ""
        cost = self._cost(connecting)
        if cost is None:
            return "nobody counted what a new connection costs"
        for name, value in cost.items():
            self.share.add(name, further * value)
        return ""

    def _cost(self, connecting: Sequence[Tally]) -> dict[str, int] | None:
        """What an operation moves counters by beyond the usual, for each connection it opens."""
        if not connecting:
            return None
        more = connecting[-1].connections - self.operations[-1].connections
        one, usual = self._promised(connecting[-1]), self._promised(self.operations[-1])
        cost = {name: value - usual[name] for name, value in one.items()}
        if more <= 0 or any(value % more for value in cost.values()):
            return None
        return {name: value // more for name, value in cost.items()}

    def _add_readings(self) -> str:
        """Add what the last reading did on the connections that are open."""
        first, opening, closing = self.entry.first, self.entry.opening, self.entry.closing
        there, here = len(opening), len(closing)
        if self.product != "PostgreSQL":  # whose clients say good-bye: a question of no session
            self.share.add_beside("Questions", there - here)
        if not here:
            return ""
        cost = joined(self.entry.reading())
        if not there or first.keys() != opening.keys() or any(v % there for v in cost.values()):
            return "what reading its connections costs is not known"
        for name in self.share.spans:
            self.share.add_beside(name, cost.get(name, 0) // there * here)
        return ""

    def _add_preparations(self) -> None:
        """Add what PostgreSQL's drivers prepare on new connections outside of any transaction.

        That is a transaction by itself. psycopg prepares at the sixth call, if there is one, and
        any driver what the ledger asks.
        """
        cell = self.entry.arm.cell
        if self.product == "PostgreSQL" and cell.transaction == "autocommit":
            asked = len(self.entry.closing.keys() - self.entry.opening.keys())
            each = max(sum(one.statements.values()) for one in self.operations)
            later = each * self.opened if prepares_later(cell.target) else 0
            self.share.add("transactions", 0, asked + later)
