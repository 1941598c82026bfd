"""The idle trial: the server closes the connections that a group leaves idle, then it is used.

At the end of a group's block, off the clock, for scenarios that ask for it.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, text

from ormbench.run.arm import ArmState, EndedError
from ormbench.run.context import Site
from ormbench.run.stock import put_back

LIMIT_SECONDS = 1  # the least that MySQL takes
GRACE_SECONDS = 5.0  # that a server may be late in closing them
LOOK_SECONDS = 0.05

Ask = Callable[..., dict[str, Any]]  # an arm, what to do, with what. Raises EndedError
Attempt = Callable[..., None]  # an arm, a step of it, its arguments: an end is noted
_LIVING = {
    "PostgreSQL": "SELECT pid FROM pg_stat_activity",
    "MySQL": "SHOW PROCESSLIST",
    "MariaDB": "SHOW PROCESSLIST",
}


def idle_trial(
    arms: Sequence[ArmState],
    ask: Ask,
    attempt: Attempt,
    turns: Callable[[int], int],
    say: Callable[[str], None],
) -> None:
    """Let what *arms* hold be closed, then count what operations meet: in `ArmState.idle`.

    Where that cannot be done, *say* why: the arms keep their numbers.
    """
    closed = []
    for arm, site, left in list(_limited(arms, ask, say)):
        if living := _stay_open(site, left):
            say(f"no idle trial of {arm.cell.id}: the server keeps {living} idle connections open")
        else:
            closed.append(arm)
    for arm in closed:
        attempt(arm, _operate, ask, turns)


def _limited(
    arms: Sequence[ArmState], ask: Ask, say: Callable[[str], None]
) -> Iterator[tuple[ArmState, Site, set[int]]]:
    """Give connections their limit; with each arm its site and the server's numbers of them."""
    for arm in arms:
        if not arm.loaded.scenario.idle or arm.site is None or arm.route is not None:
            continue
        try:
            yield arm, arm.site, set(ask(arm, "idle_limit", seconds=LIMIT_SECONDS)["connections"])
        except EndedError as ended:
            say(f"no idle trial of {arm.cell.id}: {ended.reason}")


def _stay_open(site: Site, connections: set[int]) -> int:
    """Wait until the server has closed them; how many it has not."""
    end = time.monotonic() + LIMIT_SECONDS + GRACE_SECONDS
    with site.tables.connected() as control:
        while (living := connections & _living(control, site)) and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
    return len(living)


def _living(control: Connection, site: Site) -> set[int]:
    return {int(row[0]) for row in control.execute(text(_LIVING[site.server.address.product]))}


def _operate(arm: ArmState, ask: Ask, turns: Callable[[int], int]) -> None:
    met, left = Counter[str](), 2 * arm.cell.connections + 3
    while left:
        part = put_back(arm, left)
        met.update(ask(arm, "after_idle", first=turns(part), count=part)["met"])
        left -= part
    arm.idle = dict(met)
