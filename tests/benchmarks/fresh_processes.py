"""Count passes in ten fresh processes a target: which counts are the same, which need a range?

Each process has another hash seed and counts every lane of the shipped scenarios, with the same
turns. Compared is each counted operation with the same operation of the other processes.
Prints a Markdown table; needs no quiet machine, because nothing is timed.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

from ormbench.cell import Cell
from ormbench.loader import Loaded, shipped
from ormbench.results.count import Count
from ormbench.run.arm import ArmState, EndedError
from ormbench.run.context import Site
from ormbench.run.count import CountPass
from ormbench.run.pace import Paces
from ormbench.run.routes import Routes
from ormbench.run.turns import Turns
from ormbench.run.worker import WorkerProcess
from ormbench.servers.server import PRODUCTS, Product
from ormbench.servers.supply import SOURCES, Supply, choose, parse_wanted
from ormbench.targets.target import TARGETS
from ormbench.truth.tables import Tables

PROCESSES, TABLE_ROWS, TIMEOUT = 10, 1_000, 30.0
MEASURES = ("requests", "messages", "statements", "transactions", "questions", "connections")
MEASURES += ("rows", "round_trips", "sent", "received")


def main() -> None:
    """Count on each product that is here."""
    supply = choose(parse_wanted(sys.argv[1] if len(sys.argv) > 1 else "auto"))
    print("| target | cells | identical | not identical |\n|---|---|---|---|")
    for product in PRODUCTS:
        if reason := supply.lacks(product):
            print(f"| {product} | | | {reason} |")
            continue
        with running(supply, product) as site, Routes() as routes:
            for name, target in TARGETS.items():
                if target.server == product and target.missing() is None:
                    print(line(name, counted(name, site, routes)), flush=True)


@contextmanager
def running(supply: Supply, product: Product) -> Iterator[Site]:
    """A server with the tables of the shipped scenarios."""
    server = SOURCES[supply.kinds[product]].start(product, "relaxed")
    try:
        tables = Tables(server.address, TABLE_ROWS, "fresh")
        tables.prepare(shipped().values())
        yield Site(server, tables)
        tables.close()
    finally:
        server.stop()


def counted(target: str, site: Site, routes: Routes) -> list[list[Count]]:
    """For each cell of the target, its count in each process."""
    found: dict[str, list[Count]] = {}
    for number in range(PROCESSES):
        with closing(WorkerProcess(number + 1, TIMEOUT)) as worker:
            worker.demand(
                "start",
                files=sorted({str(one.path) for one in shipped().values()}),
                addresses={site.server.product: asdict(site.server.address)},
                table_rows=TABLE_ROWS,
                timeout=TIMEOUT,
            )
            turns, passes = Turns(), CountPass(number, {}, {}, Paces())
            for loaded in shipped().values():
                for lane in loaded.lane_names() if loaded.scenario.data else ():
                    if lane in TARGETS[target].unsupported:
                        continue
                    arm = arm_of(Cell(scenario=loaded.name, lane=lane, target=target), loaded, site)
                    way = partial(routes.counting, site.server.address)
                    count = passes.count(arm, way, turns.take, telling(worker))
                    found.setdefault(arm.cell.id, []).append(count)
    return list(found.values())


def telling(worker: WorkerProcess) -> Callable[..., dict[str, Any]]:
    """What asks the worker, and raises EndedError where it answers with a status."""

    def tell(do: str, **what: Any) -> dict[str, Any]:
        answer = worker.ask(do, **what)
        if "status" in answer:
            raise EndedError(answer["status"], answer["reason"])
        return answer

    return tell


def arm_of(cell: Cell, loaded: Loaded, site: Site) -> ArmState:
    """An arm that is not open yet."""
    return ArmState(0, cell, loaded, 0, site.tables.schema(loaded, 0), site)


def line(target: str, cells: list[list[Count]]) -> str:
    """A row of the table."""
    failed = [f"{one.cell}: {one.reason}" for cell in cells for one in cell[:1] if one.reason]
    same, other = [], list(failed)
    for measure in MEASURES:
        unequal = [cell for cell in cells if not cell[0].reason and not alike(cell, measure)]
        if unequal:
            other += [f"{measure}: {spans(cell, measure)}" for cell in unequal]
        else:
            same.append(measure)
    return f"| {target} | {len(cells)} | {', '.join(same)} | {'; '.join(other) or 'none'} |"


def alike(cell: list[Count], measure: str) -> bool:
    """Whether each operation has the same count in all processes."""
    seen = [[getattr(one, measure) for one in count.operations] for count in cell]
    return all(one == seen[0] for one in seen)


def spans(cell: list[Count], measure: str) -> str:
    """The least and the most over all operations and processes."""
    name = "/".join(cell[0].cell.split("/")[:2])
    seen = [getattr(one, measure) for count in cell for one in count.operations]
    if isinstance(seen[0], int):
        return f"{name} {min(seen)}-{max(seen)}"
    return f"{name} {sorted({str(dict(one)) for one in seen})}"


if __name__ == "__main__":
    main()
