"""One arm in one block, as the coordinator knows it."""

from collections import Counter
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import cast

from sqlalchemy.exc import SQLAlchemyError

from ormbench.cell import Cell
from ormbench.defect import Defect
from ormbench.lane import OWN_UNITS
from ormbench.lanes.retry import POOL_TIMEOUT
from ormbench.loader import Loaded
from ormbench.results.trial import Proof, Slice, Status, Trial
from ormbench.run.context import Site
from ormbench.truth.early import Early, prepares_later
from ormbench.wire.relay import Route


class EndedError(Exception):
    """An arm ended without a number."""

    def __init__(self, status: str, reason: str, *, known: bool = False) -> None:
        super().__init__(reason)
        self.status = cast("Status", status)
        self.reason = reason
        self.known = known  # it is a defect that the lane declares

    def with_defect(self, defect: Defect | None) -> "EndedError":
        """The same, with *defect* beside the words of an error that it explains."""
        if self.status != "ERROR" or defect is None or not defect.explains(self.reason):
            return self
        return EndedError(self.status, f"{self.reason} (known: {defect.what})", known=True)


@dataclass(slots=True)
class ArmState:
    """What the coordinator knows of one arm in this block."""

    number: int
    cell: Cell
    loaded: Loaded
    place: int  # which of the schemas for writing arms is its own
    schema: str
    site: Site | None  # None for a lane that needs no database
    ended: EndedError | None = None
    rows: int = 0  # of an operation; 0 where its scenario does not say
    lasts: int | None = None  # turns until its tables are used up; None: they never are
    operation_ns: int = 0
    reset_ns: int = 0
    slices: list[Slice] = field(default_factory=list)
    proof: Proof | None = None
    new_connections: int = 0
    lag_p99_ns: int | None = None
    route: Route | None = None  # the way through the relay; None: straight to the server
    turns: int = 0  # operations since the ledger was opened
    counters: dict[str, int] = field(default_factory=dict)  # the server's own, over those turns
    unverified: str = "nobody read its counters"  # why they prove nothing; "" where they agree
    added_rtts: list[int] = field(default_factory=list)  # ns, the mean of each slice
    failures: Counter[str] = field(default_factory=Counter)  # of its slices, with settling ones
    aborts: Counter[str] = field(default_factory=Counter)
    broken: int = 0  # operations that read what cannot be, settling ones among them
    checkout: str = ""  # histogram
    idle: dict[str, int] = field(default_factory=dict)

    def early(self) -> Early:
        """How many of its operations, and of their attempts, did not run to their end."""
        without = self.failures.total()
        own = self.loaded.lane(self.cell.lane).receives in OWN_UNITS
        return Early(
            attempts=self.aborts.total() + self.broken,
            operations=without + self.broken,
            partly=self.failures[POOL_TIMEOUT] if own else 0,
            after_rollback=int(prepares_later(self.cell.target)),
        )

    def reset(self) -> None:
        """Put its tables back to where each of its slices starts. Raises EndedError."""
        if self.site is None:
            return
        try:
            self.site.tables.reset(self.loaded, self.place)
        except SQLAlchemyError as error:
            words = f"{type(error).__name__}: {error}".partition("\n")[0]
            what = f"its tables cannot be put back, does it keep a lock? {words}"
            raise EndedError("ERROR", what) from error

    def server_cpu_ns(self) -> int | None:
        """CPU time of its server so far, in ns; None where that is not known."""
        return self.site.server.cpu_ns() if self.site is not None else None

    def trial(self, group: str, block: int, histograms: dict[str, str]) -> Trial:
        """What is stored: slices and histograms, or the status and reason of an early end."""
        bare = Trial(group, self.number, self.cell.id, block, "OK")
        bare = replace(bare, counters=self.counters, turns=self.turns)
        if self.ended is not None:
            ended = self.ended
            return replace(bare, status=ended.status, reason=ended.reason, known=ended.known)
        return replace(
            bare,
            slices=tuple(self.slices),
            new_connections=self.new_connections,
            lag_p99_ns=self.lag_p99_ns,
            unverified=self.unverified if self.site else "",
            added_rtt_ns=round(fmean(self.added_rtts)) if self.added_rtts else None,
            failures=dict(self.failures),
            aborts=dict(self.aborts),
            checkout=self.checkout,
            idle=self.idle,
            service=histograms["service"],
            response=histograms["response"],
            start_lag=histograms["start_lag"],
        )
