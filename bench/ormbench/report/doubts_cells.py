"""What can be wrong with one cell: its end, its drift, its identities, its event loop."""

import statistics
from collections.abc import Iterator

from ormbench.cell import Cell
from ormbench.report.digest_index import Index
from ormbench.report.doubts_counts import count_sightings
from ormbench.report.findings import CellFinding
from ormbench.report.lateness import LONGEST_LAG_NS
from ormbench.report.names import blocks_loop, in_threads
from ormbench.report.outcome_facts import reasons_text
from ormbench.report.quantities import per_1000_text, percent_text, time_text
from ormbench.report.sighting import Sighting
from ormbench.stats.drift import spread, trend
from ormbench.stats.identities import busy, busy_holds, occupancy, occupancy_holds

WIDEST_SPREAD = 0.25  # of block means, the largest over the smallest
STEADY_TREND = 0.8  # Kendall's tau of block means with their order
LEAST_DRIFT = 0.05  # a trend over less is none that matters
FEWEST_FOR_TREND = 6  # blocks; five go one way by chance in 1 of 60 cells
FEWEST_OPERATIONS = 200  # for a 95th percentile

_STEADY = "close other programs, and run it again"


def cell_sightings(index: Index, found: CellFinding) -> Iterator[Sighting]:
    """All that is odd about one cell; of one without numbers only how it ended."""
    if found.status != "OK":
        yield from _end(found)
        return
    yield from _drift(found)
    yield from _few_operations(found)
    yield from _loop_lag(index, found.cell)
    yield from _new_connections(found)
    yield from _failed(found)
    yield from count_sightings(index, found)
    if found.cell.target != "none":  # there the loop around the operation is all there is
        yield from _identities(index, found.cell)


def _end(found: CellFinding) -> Iterator[Sighting]:
    cell, seen = found.cell.id, f"{found.status}: {found.reason}"
    look = f"ormbench explain {cell}"
    if found.status == "INCORRECT":
        cause = "the lane does not do the scenario's work, and a wrong answer has no time"
        yield Sighting("incorrect", cell, seen, 1.0, cause, f"correct the lane: {look}", fatal=True)
    elif found.status in ("ERROR", "TIMEOUT"):
        cause = "the driver or the server did not carry out the operation"
        yield Sighting("errors", cell, seen, 1.0, cause, f"see what the lane sends: {look}")


def _drift(found: CellFinding) -> Iterator[Sighting]:
    means = found.block_means
    width, tau = spread(means), trend(means)
    one_way = len(means) >= FEWEST_FOR_TREND and abs(tau) >= STEADY_TREND and width > LEAST_DRIFT
    if not (one_way or width > WIDEST_SPREAD):
        return
    how = ("rise" if tau > 0 else "fall") if one_way else "differ"
    cause = "the machine's speed or the table changed while the run went on"
    remedy = f"trust ratios, which are paired, before times; {_STEADY}"
    if found.cell.placement == "free":
        remedy += ', or ask for placement = "one-core"'
    seen = f"block means {how} by {percent_text(width)}"
    yield Sighting("drift", found.cell.id, seen, width, cause, remedy)


def _few_operations(found: CellFinding) -> Iterator[Sighting]:
    if found.operations < FEWEST_OPERATIONS:
        seen = f"{found.operations} operations, too few for a 95th percentile"
        cause = "the operation is long for the time that the plan gives it"
        remedy = "read no tail from this cell, or plan more rounds"
        yield Sighting("few-samples", found.cell.id, seen, -found.operations, cause, remedy)


def _loop_lag(index: Index, cell: Cell) -> Iterator[Sighting]:
    lags = [trial.lag_p99_ns for arm in index.arms_of(cell) for trial in arm.trials]
    known = [lag for lag in lags if lag is not None]
    usual = statistics.median(known) if known else 0
    alone = cell.clients == 1 and cell.rate is None  # nobody else waits for the loop
    if alone or blocks_loop(cell) or usual <= LONGEST_LAG_NS:  # there, lateness is the result
        return
    cause, remedy = _lag_advice(cell)
    seen = f"the event loop was {time_text(usual)} late at its 99th percentile"
    yield Sighting("loop-lag", cell.id, seen, usual, cause, remedy)


def _lag_advice(cell: Cell) -> tuple[str, str]:
    if cell.clients > 1:
        return f"{cell.clients} clients wait for one event loop", "ask for fewer clients"
    if cell.placement == "one-core":
        cause = "the server has the core while the event loop waits for it"
        return cause, "ask for --placement split, where there are two cores"
    return "something blocks the event loop or takes its core", _STEADY


def _failed(found: CellFinding) -> Iterator[Sighting]:
    """Operations without a result; what was lost or aborted is no doubt, but what was found."""
    failed = found.outcomes.failed if found.outcomes else 0
    if not (found.outcomes and failed):
        return
    reasons = reasons_text(found.outcomes.failures)
    seen = f"{failed:,} of {found.operations:,} operations have no result: {reasons}"
    cause = "the pool had no connection in time, or each attempt met others on the same rows"
    remedy = "read its goodput: its times are those of giving up, too; ask for fewer clients"
    share = failed / found.operations
    yield Sighting("failed", found.cell.id, seen, share, cause, remedy)


def _new_connections(found: CellFinding) -> Iterator[Sighting]:
    promised = found.count and any(one.connections for one in found.count.operations)
    if not found.new_per_1000 or found.cell.pool is not None or promised:
        return  # there are none, or opening them is what is measured
    each = per_1000_text(found.new_per_1000)
    seen = f"{each} connections opened per 1,000 operations in timed slices"
    cause = "the pool holds fewer connections than it has clients, or the server closed some"
    remedy = f"give the pool at least {found.cell.clients} connections that it keeps"
    yield Sighting("new-connections", found.cell.id, seen, found.new_per_1000, cause, remedy)


def _identities(index: Index, cell: Cell) -> Iterator[Sighting]:
    cause = "wall time holds what no operation accounts for: a pause of the machine, or its clock"
    remedy = "run it again; if it recurs, believe no time of this cell"
    at_once = cell.clients if in_threads(cell) else cell.processes  # threads use several cores
    of_pools = any(one.pool for arm in index.arms_of(cell) for one in arm.group.cells)
    ends = 2 if of_pools else 1  # where pools are compared, slices begin in mid-course
    for slices in (slices for arm in index.arms_of(cell) for slices in arm.blocks):
        share = occupancy(slices, cell.clients)
        if cell.rate is None and not occupancy_holds(slices, cell.clients, ends):
            seen = f"throughput x mean service time is {share * cell.clients:.3g} clients"
            seen += f" where {cell.clients} ran"
            yield Sighting("identity", cell.id, seen, abs(share - 1), cause, remedy)
        if not busy_holds(slices, at_once):
            seen = f"the process used {percent_text(busy(slices))} of the wall time as CPU time"
            yield Sighting("identity", cell.id, seen, busy(slices), cause, remedy)
