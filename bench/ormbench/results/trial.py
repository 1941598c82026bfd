"""What a run stores of each cell: proofs, slices, trials.

All times are integer nanoseconds. A trial is the unit of storage and of evidence: all
slices of one arm of a group in one block. Pure data, with its JSON form.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["OK", "INCORRECT", "ERROR", "TIMEOUT", "UNSUPPORTED", "SKIPPED"]


@dataclass(frozen=True, slots=True)
class Slice:
    """The recorded operations of one arm in one round."""

    round: int
    place: int  # 0 for the arm that ran first in this round
    operations: int  # recorded ones; the settling operations are not among them
    wall_ns: int  # in which so many operations ended; see `load.tasks.Lap`
    service_ns: int  # sum of the service times
    cpu_ns: int  # CPU time of the worker process, or of all of them
    server_cpu_ns: int | None  # CPU time of the server's processes; None where unreadable
    failed: int = 0  # operations that ended without a result: a pool time-out, too many retries
    aborted: int = 0  # attempts that the server ended: made again, unless that was the last
    broken: int = 0  # operations that read what cannot be, and end states that cannot
    lost: int = 0  # updates that were committed and are not there
    idle_ns: int = 0  # of clients whose process had no turn left while others had; a sum


@dataclass(frozen=True, slots=True)
class Trial:
    """All slices of one arm of a group in one block; histograms are HDR V2, base64."""

    group: str
    arm: int
    cell: str  # Cell.id
    block: int
    status: Status
    reason: str = ""  # why there is no number, in the driver's or the harness's words
    slices: tuple[Slice, ...] = ()
    service: str = ""  # histogram of end - start
    response: str = ""  # histogram of end - due; empty in a closed loop
    start_lag: str = ""  # histogram of start - due; empty in a closed loop
    new_connections: int = 0  # opened inside recorded slices
    lag_p99_ns: int | None = None  # the event loop's lateness in one instrumented slice
    counters: dict[str, int] = field(default_factory=dict)  # the server's own, over all its turns
    turns: int = 0  # operations that those counters saw: recorded ones and settling ones
    unverified: str = ""  # why the server's counters prove nothing here; "" where they agree
    added_rtt_ns: int | None = None  # round-trip time that the relay added, as achieved, mean
    failures: dict[str, int] = field(default_factory=dict)  # why -> operations without a result
    aborts: dict[str, int] = field(default_factory=dict)  # why -> attempts that the server ended
    checkout: str = ""  # histogram of checkout waits, of one instrumented slice
    idle: dict[str, int] = field(default_factory=dict)  # "answered", or an error's words -> how
    # many of the operations right after the server had closed all idle connections
    known: bool = False  # the lane declares a defect for this target; `reason` ends with it

    @property
    def is_unforeseen(self) -> bool:
        """Whether it broke, and nobody had said that it would."""
        return self.status in {"ERROR", "TIMEOUT"} and not self.known

    def to_json(self) -> dict[str, Any]:
        """A JSON object; slices become lists in the order of their fields."""
        plain = asdict(self)
        plain["slices"] = [list(one.values()) for one in plain["slices"]]
        return {"kind": "trial", **plain}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Trial":
        """Read one back; raises TypeError or KeyError where it is not a trial."""
        given = {key: value for key, value in plain.items() if key != "kind"}
        given.setdefault("known", plain["status"] == "ERROR" and _ends_with_defect(plain["reason"]))
        return cls(**{**given, "slices": tuple(Slice(*one) for one in plain["slices"])})


def _ends_with_defect(reason: str) -> bool:
    """Whether it names a known defect: records before schema 6 say so in their words alone."""
    return " (known: " in reason and reason.endswith(")")


@dataclass(frozen=True, slots=True)
class Proof:
    """What an arm showed before its first timed slice: its answers and the SQL behind them."""

    group: str
    arm: int
    cell: str
    block: int
    answers_checked: int  # turns whose answer was compared with the reference
    state_checked: bool  # the table's state was compared with the reference state
    sql: tuple[str, ...]  # statements of one operation, as handed to the driver
    sample: str  # the answer to the first turn, shortened

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return {"kind": "proof", **asdict(self)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Proof":
        """Read one back; raises TypeError where it is not a proof."""
        known = {key: value for key, value in plain.items() if key != "kind"}
        return cls(**{**known, "sql": tuple(plain["sql"])})
