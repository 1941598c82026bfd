"""What is taken apart from an arm's slices, with operations of its own that are not recorded."""

from collections.abc import Callable
from typing import Any

from ormbench.load.calibration import SliceSize
from ormbench.loader import blocks_loop
from ormbench.run.arm import ArmState
from ormbench.run.stock import put_back

LAG_NS = 30_000_000
LAG_OPERATIONS = 200  # at most

Turns = Callable[[int], int]  # the first of so many fresh numbers
Ask = Callable[..., dict[str, Any]]  # an arm, what to do, with what. Raises EndedError


def lag(arm: ArmState, turns: Turns, ask: Ask) -> None:
    """How late the loop was, where anybody could have waited for it or the lane is about it."""
    cell = arm.cell
    if cell.clients == 1 and cell.rate is None and not blocks_loop(cell.lane):
        return
    wanted = max(cell.clients, min(LAG_OPERATIONS, LAG_NS // max(1, arm.operation_ns)))
    operations = put_back(arm, wanted)
    answer = ask(arm, "lag", first=turns(operations), operations=operations)
    arm.lag_p99_ns = answer["lag_p99_ns"]


def waits(arm: ArmState, size: SliceSize, turns: Turns, ask: Ask) -> None:
    """How long operations wait for a connection, where they may have to."""
    if arm.site is None or (arm.cell.pool is None and arm.cell.clients == 1):
        return
    what = {"operations": put_back(arm, size.turns), "settling": size.settling}
    arm.checkout = ask(arm, "waits", first=turns(size.turns), **what)["checkout"] or ""
