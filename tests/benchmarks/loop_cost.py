"""What the run loop adds to an operation, against a hand-written `while` that awaits the same.

Short slices of all loops, in random order each round, so that the machine's mood hits all alike;
a block is a fresh process. Reported: the Hodges-Lehmann estimate of the paired difference over
blocks, with its 99 % interval. Beside it, for contrast, a loop as they are often written: an
object for each turn and a recorder that is called by keyword; and an arm of the `empty` scenario,
whose operation is the harness's own, as every report shows it.
"""

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from itertools import repeat
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.load import loop
from ormbench.load.arm import Arm
from ormbench.load.schedule import NOW, Closed
from ormbench.loader import shipped
from ormbench.stats.location import Location, locate

BLOCKS, ROUNDS, OPERATIONS = 10, 100, 5_000
GOAL_NS = 300
LOOPS = ("by hand", "run loop", "objects")
clock = time.perf_counter_ns


async def operation(_values: tuple[Any, ...]) -> None:
    """A coroutine that returns at once: anything longer would hide the loop."""


async def by_hand(inputs: list[tuple[Any, ...]]) -> None:
    """The floor: nothing is recorded."""
    number, last = 0, len(inputs)
    while number < last:
        await operation(inputs[number])
        number += 1


async def run_loop(inputs: list[tuple[Any, ...]]) -> None:
    """The loop of ormbench, with turns as an arm makes them."""
    due = Closed().due(len(inputs), NOW)
    await loop.run(zip(due, inputs, strict=True), operation, [asyncio.sleep])


class Turn(NamedTuple):
    """What the loop of `objects` hands around."""

    number: int
    due: int | None


class Recorder:
    """A list of tuples, filled by keyword."""

    def __init__(self) -> None:
        self.times: list[tuple[int | None, int, int]] = []

    def add(self, *, due: int | None, start: int, end: int) -> None:
        """Keep one."""
        self.times.append((due, start, end))


async def attempt(values: tuple[Any, ...]) -> str:
    """An outcome for each operation."""
    try:
        await operation(values)
    except TimeoutError:
        return "timeout"
    return "ok"


async def objects(inputs: list[tuple[Any, ...]]) -> None:
    """An object for each turn, inputs looked up in the loop, a recorder called by keyword."""
    recorder = Recorder()
    turns = (Turn(number=number, due=due) for number, due in enumerate(repeat(None, len(inputs))))
    for turn in turns:
        values = inputs[turn.number]
        if turn.due is not None:
            await asyncio.sleep(max(0, turn.due - clock()) / 1e9)
        start = clock()
        if await attempt(values) == "ok":
            recorder.add(due=turn.due, start=start, end=clock())


async def block(seed: int) -> dict[str, float]:
    """Medians over rounds: of each loop's paired difference from `by hand`, and of the arm."""
    random, inputs = Random(seed), [(number,) for number in range(OPERATIONS)]
    loops = {"by hand": by_hand, "run loop": run_loop, "objects": objects}
    found: dict[str, list[float]] = {name: [] for name in (*LOOPS, "empty")}
    arm = await empty_arm()
    gc.collect()
    for _ in range(ROUNDS):
        took = {}
        for name in random.sample(LOOPS, len(LOOPS)):
            start = clock()
            await loops[name](inputs)
            took[name] = (clock() - start) / OPERATIONS
        for name in LOOPS:
            found[name].append(took[name] - (0 if name == "by hand" else took["by hand"]))
    for number in range(ROUNDS // 4):
        answer = await arm.slice(number * 3_000, 3, 2_000, 0)
        found["empty"].append(answer["service_ns"] / 2_000)
    await arm.close()
    return {name: statistics.median(values) for name, values in found.items()}


async def empty_arm() -> Arm:
    """The shipped scenario that does nothing."""
    loaded = shipped()["empty"]
    cell = Cell(scenario="empty", lane="nothing", target="none")
    return Arm(loaded, cell, await bind(loaded, cell, None, ""), table_rows=0, timeout=60)


def main() -> int:
    """Run the blocks; exit code 1 where the loop misses its goal."""
    if sys.argv[1:]:
        print(json.dumps(asyncio.run(block(int(sys.argv[1])))))
        return 0
    blocks = []
    for number in range(BLOCKS):
        command = [sys.executable, str(Path(__file__)), str(number)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        blocks.append(json.loads(done.stdout))
    print(f"loop cost, {BLOCKS} processes x {ROUNDS} rounds x {OPERATIONS} operations:")
    show(blocks, "by hand", "a hand-written while loop takes")
    found = show(blocks, "run loop", "the run loop adds")
    word = "met" if found.high <= GOAL_NS else "MISSED" if found.low > GOAL_NS else "cannot tell"
    print(f"  {'':42}goal: at most {GOAL_NS} ns: {word}")
    show(blocks, "objects", "a loop of objects and keywords would add")
    show(blocks, "empty", "the empty scenario, as reports show it")
    return int(found.low > GOAL_NS)


def show(blocks: list[dict[str, float]], name: str, words: str) -> Location:
    """Print one line."""
    found = locate([one[name] for one in blocks])
    interval = f"[{found.low:.0f}, {found.high:.0f}]"
    print(f"  {words:42}{found.value:6.0f} ns/op  99 % {interval}, {found.count} blocks")
    return found


if __name__ == "__main__":
    sys.exit(main())
