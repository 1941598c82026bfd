"""How long a plan may take, told before anything is known of the machine: an estimate. Pure.

A second here is one of a machine of two cores that does nothing else.
"""

from collections.abc import Sequence

from ormbench.cell import Cell

BLOCK = 1.6  # seconds: spawn a worker, import, load
WORKER = 1.0  # each further worker of a block: they are spawned together, on few cores
ARM = 0.1  # open, prove, warm up, look at the loop's lag, close
CLIENT = 0.05  # of an arm, each further client: its turns of warm-up, lag and waits
TRIPS = 40  # round trips of an arm before its rounds: connect, prove, warm up
SLICE = 0.012
CLIENT_SLICE = 0.008  # of a slice, each further client: they share the cores
FEWEST = 4  # rounds to which a budget may shrink a block
ROW = 50e-6  # in an operation: COPY takes a tenth of it, a statement for each row ten times as much
PROOF, WARM, PATIENCE = 0.5, 0.1, 1.0  # what an arm takes of each, unless one operation takes more


def estimate(cells: Sequence[Cell], blocks: int, rounds: int, budget: float | None = None) -> float:
    """Seconds of *blocks* that measure these arms. A *budget* shrinks rounds, and nothing else."""
    beside = _beside(cells)
    whole = blocks * (beside + sum(_rounds(cell, rounds) for cell in cells))
    if budget is None:
        return whole
    least = blocks * (beside + sum(_rounds(cell, min(FEWEST, rounds)) for cell in cells))
    return max(least, min(whole, budget))


def operation(cell: Cell) -> float:
    """Seconds of one operation, where it is a matter of its rows; 0 where it has one or none."""
    return ROW * cell.batch if cell.batch and cell.batch > 1 else 0.0


def _beside(cells: Sequence[Cell]) -> float:
    """What a block takes beside its rounds."""
    arms = sum(ARM + CLIENT * (cell.clients - 1) + _of_rows(operation(cell)) for cell in cells)
    away = sum(TRIPS * (cell.rtt or 0.0) / 1_000 for cell in cells)
    return BLOCK + WORKER * (_workers(cells) - 1) + arms + away


def _of_rows(seconds: float) -> float:
    """Proof and warm-up with operations of that length."""
    return max(seconds, min(5 * seconds, PROOF)) + max(seconds, min(20 * seconds, WARM))


def _rounds(cell: Cell, rounds: int) -> float:
    """The slices of an arm in a block; slow operations have fewer of them."""
    seconds = operation(cell)
    slices = rounds * (SLICE + CLIENT_SLICE * (cell.clients - 1))
    return max(slices, min(rounds * seconds, max(seconds, min(FEWEST * seconds, PATIENCE))))


def _workers(cells: Sequence[Cell]) -> int:
    """Worker processes of a block: on each event loop as many as one of *cells* needs."""
    needed: dict[str, int] = {}
    for cell in cells:
        needed[cell.loop] = max(cell.processes, needed.get(cell.loop, 0))
    return sum(needed.values())
