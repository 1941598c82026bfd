"""Which pools may open connections while they are timed, and what is said of such cells. Pure."""

from dataclasses import replace

from ormbench import pool
from ormbench.cell import Cell
from ormbench.lane import OWN_UNITS, Receives

OPENS = "its pool opens connections while it is timed"
PROVEN = f"{OPENS}: proven for the group as a whole"


def may_open(cell: Cell, receives: Receives) -> bool:
    """Whether connections may come and go on the clock without anybody having done wrong.

    A pool that keeps all that it may hand out opens none once it is warm; but where operations may
    hold several at once, nobody knows when all of it has been handed out.
    """
    wanted = pool.parse(cell.pool) if cell.pool else pool.FITTED
    if receives == "new_engine" or wanted.kind in {"nullpool", "driver"}:
        return True
    each = -(-cell.clients // cell.processes)
    if wanted.recycle is not None or (receives in OWN_UNITS and wanted.most(each) > each):
        return True
    return wanted.overflow > 0 and each > wanted.plain(each)


def connects_each_time(cell: Cell) -> Cell | None:
    """The cell that opens a connection for each checkout and is else as *cell*; None: cannot be.

    What it sends beyond *cell* is what a new connection costs.
    """
    wanted = pool.parse(cell.pool) if cell.pool else pool.FITTED
    if wanted.kind not in {"queue", "fitted"}:
        return None
    return replace(cell, pool=pool.Pool(kind="nullpool", reset=wanted.reset).word)
