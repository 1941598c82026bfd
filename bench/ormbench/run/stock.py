"""How long an arm's tables last, where operations use up what is in them, as deletes do.

They are put back off the clock, and before they are used up: no operation ever finds its rows gone.
Between two such moments turn numbers follow each other, which is what `State.lasts` counts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import lcm

from ormbench.load.calibration import SliceSize
from ormbench.run.arm import ArmState, EndedError

ENDLESS = 1_000_000  # turns: more than a block has of them
LARGEST = 1_000_000_000  # rows of a table that anybody could be told to have


def check(arm: ArmState) -> None:
    """Learn how long the tables of *arm* last. Raises EndedError where each client has no turn."""
    state, site = arm.loaded.scenario.state, arm.site
    if state is None or state.lasts is None or site is None:
        return
    rows, clients, short = site.tables.table_rows, arm.cell.clients, ""
    try:
        turns = state.lasts(rows)
        if turns < clients:
            short = shortage(state.lasts, rows, clients, arm.rows)
    except Exception as error:
        what = f"lasts of {arm.loaded.name}: {type(error).__name__}: {error}".partition("\n")[0]
        raise EndedError("ERROR", what) from error
    if short:
        raise EndedError("UNSUPPORTED", short)
    arm.lasts = None if turns >= ENDLESS else turns


def shortage(lasts: Callable[..., int], table_rows: int, clients: int, batch: int) -> str:
    """Why a table of *table_rows*, which *lasts* less than a turn of each client, will not do."""
    rows, turns = f"its table of {table_rows:,} row{'s' * (table_rows != 1)}", lasts(table_rows)
    operations = f"operation{'s' * (turns > 1)}"
    if batch:
        operations += f" of {batch:,} row{'s' * (batch != 1)}"
    told = (
        f"{rows} lasts for {turns:,} {operations}, and {clients:,} clients want one each"
        if turns > 0
        else f"{rows} is too small for an {operations}"
    )
    enough = _enough(lasts, table_rows, clients)
    return f"{told}: --table-rows {enough}" if enough else told


def _enough(lasts: Callable[..., int], too_few: int, clients: int) -> int | None:
    """The least rows that last for a turn of each client; None where no table is large enough."""
    enough = 2 * too_few
    while lasts(enough) < clients:
        too_few, enough = enough, 2 * enough
        if enough > LARGEST:
            return None
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        too_few, enough = (middle, enough) if lasts(middle) < clients else (too_few, middle)
    return enough


def put_back(arm: ArmState, wanted: int) -> int:
    """Put back tables that turns use up; for how many of the *wanted* turns they last then."""
    if arm.lasts is None:
        return wanted
    arm.reset()
    return min(wanted, arm.lasts)


def stretches(arm: ArmState) -> Callable[[int], Iterator[int]]:
    """What parts a number of turns so that the tables of *arm*, just put back, last for each.

    It puts them back before the parts that need it; what earlier calls used up is gone.
    """
    left = arm.lasts

    def parts(count: int) -> Iterator[int]:
        nonlocal left
        while count:
            if left == 0:
                left = put_back(arm, ENDLESS)
            part = count if left is None else min(count, left)
            left = None if left is None else left - part
            count -= part
            yield part

    return parts


def within(size: SliceSize, arms: Sequence[ArmState]) -> SliceSize:
    """*size* with so many turns that the tables of all *arms* last; settling ones go first.

    All processes of an arm still have equally many.
    """
    lasts = min((arm.lasts for arm in arms if arm.lasts is not None), default=None)
    if lasts is None:
        return size
    step = lcm(*(arm.cell.processes for arm in arms))
    operations = min(size.operations, lasts // step * step)
    settling = min(size.settling, (lasts - operations) // step * step)
    return replace(size, operations=operations, settling=settling)
