"""What a run found: the one object that every rendering (terminal, HTML, Markdown) is made from.

Pure data. Times are nanoseconds, CPU is nanoseconds of CPU time; the renderings convert at the
edge. No number travels without its interval, its unit and its direction.
"""

from dataclasses import dataclass
from typing import Literal

from ormbench.cell import Cell, ContrastKind, LeftOut
from ormbench.results.count import Count
from ormbench.results.trial import Status

Verdict = Literal["faster", "slower", "same", "cannot tell", "wrong data"]
CellStatus = Status | Literal["WRONG DATA"]
Direction = Literal["lower is better", "higher is better"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 99 % interval over blocks."""

    value: float
    low: float
    high: float
    blocks: int  # how many blocks it rests on
    unit: str  # "ns/op", "op/s", "ratio", "cpu ns/op"
    direction: Direction


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason not to trust a number, its likely cause, and what to do."""

    code: str  # "drift", "errors", "few-samples", "loop-lag", "foreign-load", ...
    about: str  # a cell id, or "run"
    seen: str
    cause: str
    remedy: str
    fatal: bool = False  # the run is not trustworthy while this stands
    cells: tuple[str, ...] = ()  # ids of all cells it concerns, where `about` is "run"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the recorded operations of a cell that did not simply succeed."""

    failed: int = 0  # no result: a pool time-out, too many attempts
    aborted: int = 0  # attempts that the server ended, each made again
    broken: int = 0  # operations that read, and end states that are, what cannot be
    lost: int = 0  # updates that were committed and are not there
    failures: tuple[tuple[str, int], ...] = ()  # why, and how many, most first; settling ones too
    aborts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class WrongData:
    """A cell that lost updates or broke an invariant, and how often, over all of its arms."""

    cell: Cell
    operations: int
    lost: int  # updates
    broken: int  # operations and end states


@dataclass(frozen=True, slots=True)
class CellFinding:
    """All that is known of one cell."""

    cell: Cell
    status: CellStatus  # "WRONG DATA": see `wrong`; it has no times
    reason: str
    label: str  # first line of the lane's docstring
    docs: str  # the documentation page whose advice the lane follows; "" if none
    source: str  # the lane's source code
    sql: tuple[str, ...]
    sample: str
    operations: int = 0
    service: Estimate | None = None  # mean service time, ns/op
    throughput: Estimate | None = None  # op/s
    client_cpu: Estimate | None = None  # cpu ns/op
    percentiles: tuple[tuple[float, int], ...] = ()  # (50.0, ns): only those n supports; service
    response: tuple[tuple[float, int], ...] = ()  # the same of response time, open loop only
    new_per_1000: float = 0.0  # connections opened per 1,000 operations
    bound: Literal["client-bound", "server-bound", "waiting", ""] = ""
    block_means: tuple[float, ...] = ()  # mean service time of each block in run order, ns/op
    lag: int | None = None  # how late the event loop was, ns: p99 of a slice, median over trials
    count: Count | None = None  # what its count pass saw on the wire; None where there was none
    agreed: int = 0  # trials in which the server's own counters equal what the wire promised
    compared: int = 0  # trials in which they could be compared
    unverified: str = ""  # why they could not, where that is so
    unverified_trials: int = 0  # in which that is so
    counters: tuple[tuple[str, int], ...] = ()  # the server's own, over the compared trials
    turns: int = 0  # operations that those counters saw
    added_rtt: float | None = None  # ns of round-trip time that the relay added, as achieved
    audited: bool = False  # whether lost updates and broken invariants were looked for
    goodput: Estimate | None = None  # committed, correct operations, op/s
    goodput_blocks: tuple[tuple[int, float], ...] = ()  # number of a block, its goodput
    wrong: WrongData | None = None  # None where nothing was lost and nothing broken
    outcomes: Outcomes | None = None  # None where nothing of the kind happened
    checkout: tuple[tuple[float, int], ...] = ()  # percentiles of checkout wait, ns
    idle: tuple[tuple[str, int], ...] = ()  # right after the server closed all idle connections:
    # "answered", or an error's words, and how many operations


@dataclass(frozen=True, slots=True)
class Beside:
    """Another candidate of the same reference, timed in the same rounds."""

    other: Cell
    blocks: tuple[int, ...]  # their numbers
    block_ratios: tuple[float, ...]  # of time, the comparison's candidate over this


@dataclass(frozen=True, slots=True)
class Comparison:
    """Candidate over reference: ratios of time, above 1 means the candidate takes longer."""

    group: str
    kind: ContrastKind
    candidate: Cell
    reference: Cell
    verdict: Verdict
    ratio: Estimate  # Hodges-Lehmann over blocks of paired log-ratios
    total_ratio: Estimate  # ratio of total times: feels stalls
    difference: Estimate  # of mean service time, ns/op
    cpu_difference: Estimate  # of client CPU, cpu ns/op
    stalls: tuple[int, int]  # slices above 1.5 x their trial's median: candidate, reference
    blocks: tuple[int, ...] = ()  # numbers of those that have a ratio
    block_ratios: tuple[float, ...] = ()
    beside: tuple[Beside, ...] = ()  # without those whose times are no answer
    wrong: tuple[WrongData, ...] = ()  # which of the two; then there is a verdict, and no ratio


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether the run's numbers may be read at all, and what it would not have seen."""

    usable: bool
    cause: str  # why not; "" if usable
    correct: int  # cells whose answers and state were proven equal to the reference
    checked: int
    aa: Comparison | None  # the A/A pair
    sees: float | None  # smallest difference that this run can tell, as a fraction: 0.02
    harness: Estimate | None  # the empty scenario, ns/op
    doubts: tuple[Doubt, ...] = ()
    agreed: int = 0  # cells of which each trial's server counters equal what the wire promised
    compared: int = 0  # cells whose counters could be compared, in every trial
    known_errors: int = 0  # cells that broke as their lanes say they would


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder from driver to ORM: what this lane adds to the one before."""

    label: str  # "bare driver, connection held", "+ pool", "+ Core", "+ ORM"
    cell: Cell
    adds: Estimate  # ns/op; for the first rung the whole mean
    reaches: float  # cumulative ns/op after this rung
    decided: bool  # the interval of `adds` lies above 0; a rung below 0 is no step up


@dataclass(frozen=True, slots=True)
class Ladder:
    """Where the microseconds of one workload go, on one target."""

    scenario: str
    target: str
    rungs: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One decision: its question, the verdict with interval, and where it holds."""

    question: str  # "ORM OR CORE?"
    verdict: str  # "ORM costs 10 % here", or "not measured: ormbench run pools"
    detail: str
    measured: bool
    others: tuple[tuple[str, str], ...] = ()  # of other products, each for itself: name, verdict


@dataclass(frozen=True, slots=True)
class AACount:
    """How many A/A comparisons of a run were called different."""

    comparisons: int
    different: int


@dataclass(frozen=True, slots=True)
class Findings:
    """A whole run, digested."""

    run: str  # its name
    path: str  # its folder, as the reader would type it
    plan: str
    started: str  # ISO 8601, UTC
    seconds: float  # wall time of the measurement
    blocks: int
    headline: str  # one line, generated from the largest paired difference
    answer: tuple[str, ...]  # the answer in sentences; () where the run is not usable
    reference: str  # "lane=core"
    focus: str  # the scenario that the first table and the ladder show
    focus_target: str
    trust: Trust
    ladders: tuple[Ladder, ...]
    comparisons: tuple[Comparison, ...]
    cells: tuple[CellFinding, ...]
    cards: tuple[Card, ...]
    left_out: tuple[LeftOut, ...]
    aa_count: AACount | None  # only where the plan makes more than a few A/A pairs
    scope: str  # "loopback, one machine, client and server share one core"
    does_not_say: tuple[str, ...]
    reproduce: str  # the command that makes this run again
    next_steps: tuple[str, ...]  # commands worth running next
    environment: tuple[tuple[str, str], ...]  # ("SQLAlchemy", "2.1.9"), in reading order
    server_settings: tuple[tuple[str, str], ...]
    servers: tuple[tuple[str, str], ...] = ()  # product and "18.4 embedded", the focus's first
    focus_driver: str = ""  # "asyncpg 0.32.0"
    stories: tuple[tuple[str, str], ...] = ()  # scenario, and what situation it is
