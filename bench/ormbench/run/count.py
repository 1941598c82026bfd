"""The count pass: a few operations of each cell through the relay, before anything is timed.

Each cell is counted once in a run, with one client: what an operation sends does not depend on
who else is there. The connection is warm, so that a driver has prepared what it prepares. Where a
pool opens connections while it is timed, what one costs is counted, too.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ormbench import pool
from ormbench.cell import Cell
from ormbench.lane import OWN_UNITS, Receives
from ormbench.results.count import Count
from ormbench.run.arm import ArmState, EndedError
from ormbench.run.pace import Paces
from ormbench.run.stock import stretches
from ormbench.truth.churn import connects_each_time, may_open
from ormbench.truth.counters import alike
from ormbench.wire.relay import Route, Taken

Way = Callable[[], Route]

ARM = -1  # the number of the arm that is counted, in its worker; those of a group count from 0
WARM = 8  # operations; psycopg prepares at a connection's sixth call of a statement
COUNTED = 5  # operations that are counted, one by one
FURTHER = 20  # after these, where they were alike: one that differs among them has more counted
FURTHER_NS = 1_000_000_000  # unless they would take longer than this
SLOW_NS = 200_000_000  # operations above this are warmed by one, and as many are counted as
# take FURTHER_NS: one at least, COUNTED at most
RELAY_NS = 300_000  # that the relay may add to a round trip; it was 190 us where we looked


class CountPass:
    """Counts the cells of a run, and learns from it how slow they are."""

    def __init__(
        self, block: int, known: dict[str, Count], alike: dict[Cell, Count], paces: Paces
    ) -> None:
        self.block, self.paces = block, paces
        self.known = known  # Cell.id -> its count, from earlier blocks and from this one
        self.alike = alike  # what was counted -> its count, for all cells that are counted so
        self.new: list[Count] = []

    def count(self, arm: ArmState, way: Way, turns: Callable[[int], int], ask: Any) -> Count:
        """The count of an arm's cell, and of what a connection costs it; each once.

        *way* opens a route that reads, *turns* gives out numbers, *ask* asks the arm's worker.
        A cell that differs from a counted one in its load or its distance alone has the same count.
        Raises EndedError where a cell's first operation shows that it is too slow for this plan.
        """
        own, cell = arm.cell.id, _what(arm)
        if own not in self.known:
            known = self.alike.get(cell)
            if known is not None and known.cell in self.known:
                found = replace(known, cell=own, transcript=(), like=known.cell)
            else:
                known = known or self._counted(arm, cell, way, turns, ask)
                found = self.alike[cell] = replace(known, cell=own)
            self.known[own] = found
            self.new.append(found)
        if connecting := self._uncounted(arm):
            self.alike[connecting] = self._counted(arm, connecting, way, turns, ask)
        return self.known[own]

    def lacks(self, arm: ArmState) -> bool:
        """Whether something of an arm's cell is not counted yet, or in no record of its run."""
        return arm.cell.id not in self.known or self._uncounted(arm) is not None

    def _uncounted(self, arm: ArmState) -> Cell | None:
        """The cell whose count tells what a connection costs that of *arm*; None: it is there.

        Or nobody needs it.
        """
        if not may_open(arm.cell, _receives(arm)) or not self.known[arm.cell.id].operations:
            return None
        connecting = connects_each_time(_what(arm))
        return None if connecting in self.alike else connecting

    def _counted(
        self, arm: ArmState, cell: Cell, way: Way, turns: Callable[[int], int], ask: Any
    ) -> Count:
        bare = Count(cell.id, self.block, (), ())
        try:
            arm.reset()
            with closing(way()) as route:
                where = asdict(route.address)
                ask("open", arm=ARM, cell=asdict(cell), schema=arm.schema, address=where)
                try:
                    taken = _Series(arm, self.paces, route, turns, ask).operations()
                finally:
                    ask("drop", arm=ARM)
        except EndedError as ended:
            if ended.status == "SKIPPED":
                raise
            return replace(bare, reason=f"{ended.status}: {ended.reason}")
        if lost := next((one.lost for one in taken if one.lost), ""):
            return replace(bare, reason=lost)
        return replace(
            bare,
            operations=tuple(one.tally for one in taken),
            transcript=taken[-1].transcript,
        )


def _receives(arm: ArmState) -> Receives:
    return arm.loaded.lane(arm.cell.lane).receives


def _what(arm: ArmState) -> Cell:
    """The cell that is counted for that of *arm*."""
    return counted_as(arm.cell, _receives(arm))


def counted_as(cell: Cell, receives: Receives = "session") -> Cell:
    """The cell whose count holds for *cell*: one client, closed loop, no added distance.

    To an operation that holds one connection at a time, a pool's size is nothing; what it does to
    a connection is. Of lanes that hold several at once (*receives*) the pool stays as it is.
    """
    word = cell.pool if receives in OWN_UNITS else _sends(cell.pool)
    plain = replace(cell, clients=1, rate=None, arrivals="poisson", rtt=None, processes=1)
    return replace(plain, placement="free", pool=word)


def _sends(word: str | None) -> str | None:
    """One pool for all that send the same with one client; None where it is the usual one."""
    wanted = pool.parse(word) if word else pool.FITTED
    if wanted.kind not in {"queue", "fitted"}:
        return word
    each_time = wanted.recycle if wanted.recycle == 0 else None
    same = pool.Pool(ping=wanted.ping, reset=wanted.reset, recycle=each_time)
    return None if same == pool.FITTED else same.word


@dataclass(frozen=True, slots=True)
class _Series:
    """The operations of one count, in turn, over the tables of *arm* that were just put back."""

    arm: ArmState
    paces: Paces
    route: Route
    turns: Callable[[int], int]
    ask: Any
    parts: Callable[[int], Iterator[int]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", stretches(self.arm))

    def operations(self) -> list[Taken]:
        """What each of COUNTED operations sent and received, after WARM others.

        Operations may differ by their turn, as pages of different sizes do. Where these few do not
        show it, FURTHER ones together may: then as many are counted one by one as well. Their turns
        follow each other, so what happens in one turn of FURTHER is always seen.
        """
        if (took := self._first()) > SLOW_NS:
            return self._one_by_one(min(COUNTED, FURTHER_NS // took) or 1)
        spent = self._run(WARM - 1)
        self._note(spent // (WARM - 1))
        self.route.take()
        taken = self._one_by_one(COUNTED)
        if spent * FURTHER > FURTHER_NS * (WARM - 1) or not alike([one.tally for one in taken]):
            return taken
        self._run(FURTHER)
        if not alike([one.tally for one in taken], self.route.take().tally, FURTHER):
            taken += self._one_by_one(FURTHER)
        return taken

    def _first(self) -> int:
        """Run the first operation, on a cold connection; in ns. Raises EndedError.

        An operation is too slow here only if it is without what the relay may add to it: the proof,
        which goes straight to the server, tells of all others.
        """
        took, arm = self._run(1), self.arm
        added = RELAY_NS * self.route.take().tally.round_trips
        if took > added and (reason := self.paces.too_slow(arm.cell, arm.rows, took - added)):
            raise EndedError("SKIPPED", reason)
        self._note(took)
        return took

    def _note(self, ns: int) -> None:
        """That is what an operation takes, until it is known better: nearby, and by itself."""
        if self.arm.cell.rtt is None:
            self.paces.guess(self.arm.cell, self.arm.rows, ns)

    def _one_by_one(self, times: int) -> list[Taken]:
        taken = []
        for _ in range(times):
            self._run(1)
            taken.append(self.route.take())
            if taken[-1].lost:
                break
        return taken

    def _run(self, count: int) -> int:
        """Run so many operations; how long they took, in ns."""
        took = 0
        for part in self.parts(count):
            first = self.turns(part)
            took += self.ask("turns", arm=ARM, first=first, count=part)["took_ns"]
        return took
