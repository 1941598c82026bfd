"""A grid of strategies against rows an operation, as its chart, its words and tables read it."""

from collections.abc import Iterator
from dataclasses import dataclass

from ormbench.cell import Cell
from ormbench.report.findings import CellFinding, Estimate
from ormbench.report.names import bare_driver, driver_name, product_name, unusual_axes
from ormbench.stats.verdict import Verdict, verdict


@dataclass(frozen=True, slots=True)
class Point:
    """One strategy with so many rows an operation."""

    cell: Cell
    batch: int
    found: CellFinding | None = None  # None where it has no numbers
    missing: str = ""  # then why: "UNSUPPORTED: asyncmy on MySQL has no COPY"
    ratio: Estimate | None = None  # its time over the reference's with as many rows; 1 of that
    rows_per_second: float | None = None  # the reference's, divided by that ratio
    trips: float | None = None  # round trips an operation; None where nothing counted them

    @property
    def verdict(self) -> Verdict:
        """What its ratio says; "cannot tell" where it has none."""
        return verdict(self.ratio.low, self.ratio.high) if self.ratio else "cannot tell"


@dataclass(frozen=True, slots=True)
class Strategy:
    """A lane, from few rows to many."""

    lane: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two strategies of which one is decidedly faster with few rows, the other with many."""

    passes: str  # the lane that is faster with many rows
    passed: str
    last: int  # the most rows with which *passed* was decidedly faster, below the next
    first: int  # the fewest from which on *passes* decidedly is
    at: float  # rows in between where the ratio would be 1: log-log interpolation


@dataclass(frozen=True, slots=True)
class Tier:
    """The strategies that the intervals cannot separate from the fastest, with so many rows."""

    batch: int
    fastest: str  # lane
    equals: tuple[str, ...]  # lanes, with the fastest


@dataclass(frozen=True, slots=True)
class Grid:
    """All strategies of one scenario on one target."""

    key: Cell  # what its cells share: lane and batch mean nothing in it
    reference: str  # lane
    strategies: tuple[Strategy, ...]  # in the order of the plan
    crossings: tuple[Crossing, ...]
    tiers: tuple[Tier, ...]  # from few rows to many

    @property
    def name(self) -> str:
        """As "insert_rows, asyncpg", "insert_rows, MySQL aiomysql, cache=128"."""
        driver = driver_name(self.key.target)
        return ", ".join([self.key.scenario, driver, *unusual_axes(self.key)])

    @property
    def place(self) -> str:
        """As "PostgreSQL, asyncpg", "MySQL, aiomysql, cache=128"; MariaDB is another server."""
        target = self.key.target
        return ", ".join([product_name(target), bare_driver(target), *unusual_axes(self.key)])

    @property
    def batches(self) -> tuple[int, ...]:
        """Each number of rows once, from few to many."""
        return tuple(sorted({one.batch for lane in self.strategies for one in lane.points}))

    @property
    def points(self) -> Iterator[Point]:
        """All points."""
        return (point for strategy in self.strategies for point in strategy.points)

    def point(self, lane: str, batch: int) -> Point | None:
        """A lane with so many rows; None where nobody asked for that."""
        return next((o for o in self.points if (o.cell.lane, o.batch) == (lane, batch)), None)
