"""Which cores client, server and coordinator run on. Pure: the allowed cores are handed in."""

import os
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ormbench.cell import Placement
from ormbench.errors import UsageError

CAN_PIN = hasattr(os, "sched_setaffinity")
"""Whether this system lets a process be tied to cores at all (Linux does, macOS does not)."""

_TOO_FEW = "client and server need a core each and {} is allowed; take one-core or free"
_NO_CORE_FOR_RELAY = (
    "an rtt needs a core for the relay beside those that are measured on: {} in all for placement "
    "{}, and {} allowed here"
)
_WITH_RELAY: dict[Placement, int] = {"one-core": 2, "split": 3, "free": 2}


def allowed_cpus() -> frozenset[int]:
    """The cores that this process may use; all of them where the system cannot say."""
    if CAN_PIN:
        return _ALLOWED
    return frozenset(range(os.cpu_count() or 1))


_ALLOWED = frozenset(os.sched_getaffinity(0)) if CAN_PIN else frozenset[int]()


def stay_on(cpus: AbstractSet[int]) -> None:
    """Tie this process to *cpus*; nothing where the system cannot."""
    if CAN_PIN:
        os.sched_setaffinity(0, cpus)


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores of each party."""

    client: frozenset[int]
    server: frozenset[int]
    coordinator: frozenset[int]


def cores(placement: Placement, cpus: AbstractSet[int]) -> Cores:
    """Share out the allowed *cpus*. Raises UsageError where there are too few of them.

    ``one-core``: client and server on the last one, the coordinator on the others.
    ``split``: the client alone on the last one, the server on the others, and the coordinator
    on the server's side: the first of them is its own as soon as the server keeps one.
    ``free``: everybody everywhere.

    The wire relay of a cell with an rtt goes where the coordinator is: that one sleeps meanwhile.
    """
    everywhere = frozenset(cpus)
    if not everywhere:
        raise UsageError(f"placement {placement}: no core is allowed; at least one is needed")
    last = frozenset({max(everywhere)})
    others = everywhere - last
    if placement == "free":
        return Cores(everywhere, everywhere, everywhere)
    if placement == "one-core":
        return Cores(last, last, others or last)
    if not others:
        raise UsageError(f"placement split: {_TOO_FEW.format(1)}")
    first = frozenset({min(others)})
    return Cores(last, others - first or others, first)


def unavailable(
    placement: Placement,
    cpus: AbstractSet[int],
    clients: int,
    *,
    relayed: bool = False,
    can_pin: bool = CAN_PIN,
) -> str | None:
    """Why a cell with so many *clients* cannot be placed so; None where it can.

    A *relayed* cell, one with an rtt, needs a core more: on theirs, the relay's own work would
    count as the lane's, and its delays would wait for whoever runs.
    """
    if relayed and len(cpus) < (enough := _WITH_RELAY[placement]):
        verb = "is" if len(cpus) == 1 else "are"
        return _NO_CORE_FOR_RELAY.format(enough, placement, f"{len(cpus)} {verb}")
    if placement == "free":
        return None
    if not can_pin:
        return "this system cannot tie a process to a core (Linux can): only placement free"
    if placement == "one-core" and clients > 1:
        return (
            f"one-core is for serial cells: {clients} clients on one core would measure "
            "the scheduler; take split or free"
        )
    if placement == "split" and len(cpus) < 2:  # noqa: PLR2004 - one core for each side
        return _TOO_FEW.format(len(cpus))
    return None
