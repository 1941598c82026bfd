"""What is proven of arms whose connections come and go: the server's totals over a whole group.

A connection that is gone cannot be asked, but the server keeps its counts. So all that the server
counted must be what arms with connections of their own counted there, and of each other arm its
turns times its count pass, its new connections times what one costs, and the ledger's readings.
Sessions must be as many as the clients opened. Where one arm alone has such a pool the rest is its
own, and proves it; several are proven together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ormbench.cell import Cell
from ormbench.results.count import Count
from ormbench.run.count import counted_as
from ormbench.run.entry import Entry
from ormbench.run.share import Share, Sharing
from ormbench.servers.server import Product
from ormbench.truth.churn import OPENS, PROVEN, connects_each_time
from ormbench.truth.counters import Difference, compared, foremost, joined, rollbacks
from ormbench.wire.tally import Tally

_CLIENTS = "the clients of this group opened"
_GROUP = "what its group did comes to"
_WORKERS = "workers of parallel queries may have begun them, which this version does not count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """By how much a server's totals grew over a group's rounds, without the coordinator's own."""

    sessions: int
    counters: Mapping[str, int]  # named as `promised` names them
    rollbacks: int | None = None  # PostgreSQL's; None where what readings roll back is not known
    strangers: bool = False  # whether somebody else is connected, who has not told all he did
    surely: bool = True  # whether more than promised can be nobody else's (parallel workers)
    session_word: str = "sessions"  # what the server calls them


@dataclass(frozen=True, slots=True)
class Whole:
    """All arms of a group on one server, at the end of its rounds."""

    product: Product
    entries: Sequence[Entry]
    counts: Mapping[str, Count]
    alike: Mapping[Cell, Count]

    def check(self, grown: Grown, *, catching_up: bool = False) -> None:
        """Each arm whose connections come and go is proven, INCORRECT, or says what is not."""
        churning = [entry for entry in self.entries if entry.churning]
        if why := self._not_known(grown):
            self._say(churning, f"{OPENS}, and {why}")
            return
        if wrong := self._sessions(grown):
            self._blame_all(wrong)
            return
        for entry in churning:
            if wrong := self._connections(entry):
                _blame(entry, wrong, self._count(entry))
        self._check_counters(grown, churning, catching_up=catching_up)

    def _check_counters(
        self, grown: Grown, churning: Sequence[Entry], *, catching_up: bool
    ) -> None:
        """The same, where sessions are as many as the clients opened."""
        shares = [self._share(entry) for entry in churning]
        if why := next((one.unknown for one in shares if one.unknown), ""):
            self._say(churning, f"{PROVEN} (sessions), its transactions not: {why}")
            return
        wrong, rolled_back = self._counters(grown, shares), self._rollbacks(grown)
        if (wrong or rolled_back) and any(entry.arm.ended for entry in self.entries):
            self._say(churning, f"{PROVEN} (sessions), but an arm beside it is INCORRECT")
        elif wrong and wrong.is_more and not grown.surely:
            self._say(churning, f"{PROVEN} (sessions), its transactions not: {wrong}; {_WORKERS}")
        elif wrong:
            for entry in churning:
                _blame(entry, wrong, self._count(entry), catching_up=catching_up)
        elif rolled_back:
            self._blame_all(rolled_back)
        else:
            self._proven(grown, churning, shares)

    def _blame_all(self, wrong: Difference) -> None:
        """For what the server has no name for who did it, but for arms that prove nothing."""
        for entry in self.entries:
            if entry.churning or not entry.arm.unverified:
                _blame(entry, wrong)

    def _say(self, churning: Sequence[Entry], words: str) -> None:
        for entry in churning:
            if entry.arm.ended is None:
                entry.arm.unverified = words

    def _not_known(self, grown: Grown) -> str:
        """Why the totals prove nothing; "" where they do."""
        if any(entry.ended_early() for entry in self.entries):
            return "nothing is proven of it: an arm beside it ended before its counters were read"
        if not all(entry.churning or entry.settled() for entry in self.entries):
            return "nothing is proven of it: connections beside it came and went that should not"
        if grown.strangers and self.entries[0].site.server.kind != "url":
            return "nothing is proven of it: connections are open that no pool of its group knows"
        return ""

    def _sessions(self, grown: Grown) -> Difference | None:
        opened = sum(self._opened(entry) for entry in self.entries)
        if grown.sessions == opened:
            return None
        return Difference(grown.session_word, grown.sessions, opened, opened, promise=_CLIENTS)

    def _opened(self, entry: Entry) -> int:
        """Connections that an arm opened; where a lane's own processes do, as many as promised."""
        if entry.new or entry.arm.loaded.lane(entry.arm.cell.lane).receives != "new_engine":
            return entry.new
        usual = {one.connections for one in self._operations(entry)}
        return entry.arm.turns * max(usual) if len(usual) == 1 else 0

    def _count(self, entry: Entry) -> Count | None:
        return self.counts.get(entry.arm.cell.id)

    def _operations(self, entry: Entry) -> Sequence[Tally]:
        count = self._count(entry)
        return count.operations if count else ()

    def _connections(self, entry: Entry) -> Difference | None:
        """Connections that an arm opened, where each operation opens its own."""
        values = [one.connections for one in self._operations(entry)]
        if not values or not min(values) or entry.closing:
            return None
        arm, opened = entry.arm, self._opened(entry)
        return compared("connections", opened, arm.turns, values, arm.early())

    def _share(self, entry: Entry) -> Share:
        count = self._count(entry)
        if count is None or not count.operations:
            return Share(unknown="it has no count" + (f": {count.reason}" if count else ""))
        receives = entry.arm.loaded.lane(entry.arm.cell.lane).receives
        connecting = connects_each_time(counted_as(entry.arm.cell, receives))
        other = self.alike.get(connecting) if connecting else None
        share = Share()
        found = Sharing(self.product, entry, count.operations, self._opened(entry), share)
        share.unknown = found.add(other.operations if other else ())
        return share

    def _counters(self, grown: Grown, shares: Sequence[Share]) -> Difference | None:
        """A counter that did not grow by what all arms did; first one that grew too little."""
        rest, wrong = self._rest(grown), []
        for name in shares[0].spans:
            low, high = (sum(one.spans[name][end] for one in shares) for end in (0, 1))
            if not low <= rest[name] <= high:
                alike = name not in set().union(*(one.varying for one in shares))
                wrong.append(Difference(name, rest[name], low, high, promise=_GROUP, early=alike))
        sent = [one for entry in self.entries for one in self._operations(entry)]
        return foremost(self.product, sent, wrong)

    def _rest(self, grown: Grown) -> dict[str, int]:
        """What the counters grew by beyond arms whose own connections tell."""
        found = dict(grown.counters)
        for entry in self.entries:
            if not entry.churning:
                for name, value in joined(entry.raw()).items():
                    if name in found:
                        found[name] -= value
        return found

    def _rollbacks(self, grown: Grown) -> Difference | None:
        """Transactions that PostgreSQL rolled back, of all arms, where the wire tells them."""
        if grown.rollbacks is None:
            return None
        least = most = 0
        alike = True
        for entry in self.entries:
            values = [rollbacks(one) for one in self._operations(entry)]
            known = [one for one in values if one is not None]
            if not known or len(known) < len(values):
                return None
            alike = alike and min(known) == max(known)
            low, high = entry.arm.early().span(
                "xact_rollback", entry.arm.turns, min(known), max(known)
            )
            least, most = least + low, most + high
        if least <= grown.rollbacks <= most:
            return None
        return Difference(
            "xact_rollback", grown.rollbacks, least, most, promise=_GROUP, early=alike
        )

    def _proven(self, grown: Grown, churning: Sequence[Entry], shares: Sequence[Share]) -> None:
        """Let one arm have the counters for its own, and several say that they share them."""
        if len(churning) > 1:
            every = [grown.session_word, *shares[0].spans]
            told = ", ".join(name for name in every if name in {every[0], every[1], "Com_commit"})
            self._say(churning, f"{PROVEN} ({told})")
            return
        [entry], [share], rest = churning, shares, self._rest(grown)
        own = {name: rest[name] - share.beside.get(name, 0) for name in share.spans}
        entry.arm.counters |= {grown.session_word: self._opened(entry), **own}
        entry.arm.unverified = ""


def _blame(
    entry: Entry, wrong: Difference, count: Count | None = None, *, catching_up: bool = False
) -> None:
    if entry.arm.ended is None:
        entry.blame(wrong, count, catching_up=catching_up)
