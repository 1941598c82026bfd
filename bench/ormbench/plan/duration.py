"""How long a plan may take, told before anything is known of the machine: an estimate. Pure.

A second here is one of a machine of two cores that does nothing else. The constants are what fits
the blocks of the published runs (results/published); beside each stands the plan whose runs say
most about it. What a run really takes is within a third of the estimate there, and no nearer.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from ormbench.cell import Cell
from ormbench.load.calibration import FEWEST_ROUNDS, PATIENCE_NS

NS = 1_000_000_000
BLOCK = 1.6  # seconds: spawn a worker, import, load; quick
WORKER = 1.0  # each further worker of a block: they are spawned together, on few cores; pools
ARM = 0.06  # open, prove, warm up, look at the loop's lag, close; quick
CLIENT = 0.045  # of an arm, each further client: its turns of warm-up, lag and waits; pools
TRIPS = 40  # round trips of an arm before its rounds: connect, prove, warm up; rtt
SLICE = 0.012  # about 10 ms of operations, and what a slice takes beside them; quick
CLIENT_SLICE = 0.008  # of a slice, each further client: they share the cores; pools
REFILL = 0.12  # 10,000 rows put back or read: before each slice, twice for a proof; isolation
COUNT = 0.2  # of the first block, each cell that it counts: a route, a connection; isolation
COUNTED = (0.05, 33), (0.2, 13), (float("inf"), 2)  # operations of a count, up to so many seconds
ROW = 50e-6  # of an operation: COPY takes a tenth, a statement a row ten times as much; inserts
PROOF, WARM = 0.5, 0.1  # what `load` gives an arm of each, unless one operation takes more


def estimate(
    cells: Sequence[Cell],
    blocks: int,
    rounds: int,
    budget: float | None = None,
    refilled: Collection[str] = (),
) -> float:
    """Seconds of *blocks* that measure these arms. A *budget* shrinks rounds, and nothing else.

    *refilled* are the scenarios whose slices each start from a table that is filled anew.
    """
    beside = _counting(cells) + blocks * _beside(cells, refilled)

    def whole(rounds: int) -> float:
        return beside + blocks * sum(_rounds(cell, rounds, refilled) for cell in cells)

    if budget is None:
        return whole(rounds)
    return max(whole(min(FEWEST_ROUNDS, rounds)), min(whole(rounds), budget))


def operation(cell: Cell) -> float:
    """Seconds of one operation, where it is a matter of its rows; 0 where it has one or none."""
    return ROW * cell.batch if cell.batch and cell.batch > 1 else 0.0


def _counting(cells: Sequence[Cell]) -> float:
    """The count passes of the first block: one of all cells that differ in their load alone."""
    counted = {
        replace(cell, clients=1, rate=None, rtt=None, processes=1, placement="free")
        for cell in cells
    }
    return sum(COUNT + _counted(operation(cell)) for cell in counted)


def _counted(seconds: float) -> float:
    return seconds * next(times for most, times in COUNTED if seconds <= most)


def _beside(cells: Sequence[Cell], refilled: Collection[str]) -> float:
    """What a block takes beside its rounds."""
    arms = sum(ARM + CLIENT * (cell.clients - 1) + _of_rows(operation(cell)) for cell in cells)
    away = sum(TRIPS * (cell.rtt or 0.0) / 1_000 for cell in cells)
    tables = sum(2 * REFILL for cell in cells if cell.scenario in refilled)
    return BLOCK + WORKER * (_workers(cells) - 1) + arms + away + tables


def _of_rows(seconds: float) -> float:
    """Proof and warm-up with operations of that length."""
    return max(seconds, min(5 * seconds, PROOF)) + max(seconds, min(20 * seconds, WARM))


def _rounds(cell: Cell, rounds: int, refilled: Collection[str]) -> float:
    """The slices of an arm in a block; slow operations have fewer of them."""
    seconds, each = operation(cell), SLICE + CLIENT_SLICE * (cell.clients - 1)
    patience = max(seconds, min(FEWEST_ROUNDS * seconds, PATIENCE_NS / NS))
    if cell.scenario not in refilled:
        return max(rounds * each, min(rounds * seconds, patience))
    fewer = min(rounds, max(FEWEST_ROUNDS, rounds * SLICE / (SLICE + REFILL)))
    return max(fewer * each, min(fewer * seconds, patience)) + fewer * REFILL


def _workers(cells: Sequence[Cell]) -> int:
    """Worker processes of a block: on each event loop as many as one of *cells* needs."""
    needed: dict[str, int] = {}
    for cell in cells:
        needed[cell.loop] = max(cell.processes, needed.get(cell.loop, 0))
    return sum(needed.values())
