"""The raw lane through the harness, against asyncpg in a loop written by hand.

Same server, core, pool settings, transaction, SQL and inputs; interleaved slices of some 30 ms in
random order, paired inside a round; a block is a fresh process. Reported: the Hodges-Lehmann
estimate of the ratio of throughputs over blocks, with its 99 % interval, and the same for the
hand-written loop against itself, which shows what this machine can tell today.
"""

import asyncio
import gc
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.load import loop
from ormbench.load.schedule import NOW, Closed
from ormbench.loader import shipped
from ormbench.servers.embedded import EmbeddedPostgres
from ormbench.servers.placement import allowed_cpus, cores
from ormbench.servers.server import Address
from ormbench.stats.location import Location, hodges_lehmann, locate
from ormbench.truth.tables import Tables

BLOCKS, ROUNDS, TABLE_ROWS = 10, 60, 10_000
SLICE_NS = 30_000_000
GOAL = 0.98
CELL = Cell(scenario="get_by_id", lane="raw", target="postgresql+asyncpg")
Inputs = list[tuple[Any, ...]]
Way = Callable[[Inputs], Coroutine[Any, Any, None]]
clock = time.perf_counter_ns


async def no_reset(_connection: Any) -> None:
    """As the raw lane's pool has it."""


async def open_pool(address: Address, schema: str) -> Any:
    """A pool of one connection."""
    return await asyncpg.create_pool(
        host=address.host,
        port=address.port,
        user=address.user,
        database=address.database,
        server_settings={"search_path": schema},
        min_size=1,
        max_size=1,
        max_inactive_connection_lifetime=0,
        reset=no_reset,
    )


def by_hand(pool: Any, sql: str) -> Way:
    """What somebody would write who wants to know how fast asyncpg is."""

    async def run(inputs: Inputs) -> None:
        for (key,) in inputs:
            async with pool.acquire() as connection, connection.transaction():
                await connection.fetchrow(sql, key)

    return run


def by_harness(operation: loop.Operation) -> Way:
    """What a worker does with a slice."""

    async def run(inputs: Inputs) -> None:
        due = Closed().due(len(inputs), NOW)
        await loop.run(zip(due, inputs, strict=True), operation, [asyncio.sleep])

    return run


async def block(address: Address, schema: str, seed: int) -> dict[str, float]:
    """Log ratios of throughput over `by hand`: of the harness, and of a second pool by hand."""
    loaded = shipped()["get_by_id"]
    bound = await bind(loaded, CELL, address, schema)
    pools = [await open_pool(address, schema) for _ in range(2)]
    lane = loaded.lane("raw")
    keys = [loaded.scenario.inputs(lane, turn, TABLE_ROWS) for turn in range(TABLE_ROWS)]
    await bound.operation(keys[0])
    (sql,) = bound.statements
    ways = {
        "harness": by_harness(bound.operation),
        "hand": by_hand(pools[0], sql),
        "again": by_hand(pools[1], sql),
    }
    found = await rounds(ways, keys, Random(seed))
    for pool in pools:
        await pool.close()
    await bound.close()
    return found


async def rounds(ways: dict[str, Way], keys: Inputs, random: Random) -> dict[str, float]:
    """Warm up, find the size of a slice, then run the rounds, each slice in a task of its own.

    A wake-up passes all coroutines of its task: without one, ours would weigh on those by hand.
    """
    for run in ways.values():
        await run(keys[:200])
    start = clock()
    await ways["hand"](keys[:200])
    size = min(len(keys), max(10, SLICE_NS * 200 // (clock() - start)))
    found: dict[str, list[float]] = {"harness": [], "again": []}
    took: dict[str, float] = {}
    for _ in range(ROUNDS):
        first = random.randrange(len(keys) - size + 1)
        gc.collect()
        for name in random.sample(sorted(ways), len(ways)):
            start = clock()
            await asyncio.create_task(ways[name](keys[first : first + size]))
            took[name] = (clock() - start) / size
        for name, ratios in found.items():
            ratios.append(math.log(took["hand"] / took[name]))
    return {name: hodges_lehmann(ratios) for name, ratios in found.items()} | {"ns": took["hand"]}


def child(message: str) -> None:
    """One block, in a process of its own."""
    told = json.loads(message)
    os.sched_setaffinity(0, cores("one-core", allowed_cpus()).client)
    print(json.dumps(asyncio.run(block(Address(**told["address"]), told["schema"], told["seed"]))))


def measure() -> list[dict[str, float]]:
    """All blocks on one server."""
    loaded, blocks = shipped()["get_by_id"], []
    with EmbeddedPostgres.start() as server:
        tables = Tables(server.address, TABLE_ROWS, "cost")
        tables.prepare([loaded])
        server.place(cores("one-core", allowed_cpus()).server)
        for seed in range(BLOCKS):
            told = {"address": asdict(server.address), "schema": tables.schema(loaded, 0)}
            command = [sys.executable, str(Path(__file__)), json.dumps({**told, "seed": seed})]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            blocks.append(json.loads(done.stdout))
        tables.close()
    return blocks


def main() -> int:
    """Run the blocks; exit code 1 where the raw lane misses its goal."""
    if sys.argv[1:]:
        child(sys.argv[1])
        return 0
    blocks = measure()
    operation = locate([one["ns"] for one in blocks]).value / 1_000
    print(f"raw lane, get_by_id on asyncpg, {operation:.0f} us/op by hand, client and server on")
    print(f"one core, {BLOCKS} processes x {ROUNDS} rounds of slices of {SLICE_NS // 10**6} ms:")
    found = show(blocks, "harness", "throughput, harness over hand-written")
    word = "met" if found.low >= GOAL else "MISSED" if found.high < GOAL else "cannot tell today"
    print(f"  {'':40}goal: at least {GOAL}: {word}")
    show(blocks, "again", "hand-written over itself")
    return int(found.high < GOAL)


def show(blocks: list[dict[str, float]], name: str, words: str) -> Location:
    """Print one line."""
    found = locate([one[name] for one in blocks]).exp()
    interval = f"[{found.low:.4f}, {found.high:.4f}]"
    print(f"  {words:40}{found.value:.4f}  99 % {interval}, {found.count} blocks")
    return found


if __name__ == "__main__":
    sys.exit(main())
