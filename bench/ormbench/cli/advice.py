"""Which command to paste: the one that measures a cell that no run has."""

import shlex

from ormbench.lane import Lane
from ormbench.loader import Loaded, blocks_loop
from ormbench.plan.axes import AXES
from ormbench.targets.target import NO_TARGET, TARGETS


def to_measure(scenario: str, loaded: Loaded, lane: str, rest: str) -> str:
    """The command that measures a lane, with the target and the axes that *rest* names.

    Where it names no target and the usual one cannot run the lane: the first that can.
    """
    parts = [part for part in rest.split("/") if part not in {"", NO_TARGET}]
    axes = [part.split("=", 1) for part in parts if "=" in part]
    targets = [part if part in TARGETS else f"{part}*" for part in parts if "=" not in part]
    targets = targets or _able(loaded.lane(lane), on_loop=blocks_loop(lane))
    given = [("lane", lane), *(("target", one) for one in targets), *axes]
    flags = [word for axis, value in given for word in (f"--{axis}", value)]
    return shlex.join(["ormbench", "run", scenario, *flags])


def _able(lane: Lane, *, on_loop: bool) -> list[str]:
    """The target to name for a lane; none where the usual one will do."""
    able = [
        name
        for name, target in TARGETS.items()
        if target.abilities.issuperset(lane.needs)
        and not lane.defect(name)
        and not (on_loop and target.driver.is_async)
    ]
    return [] if AXES["target"].default in able else able[:1]
