"""Makes findings of grids: strategies against rows an operation, from what a strategy costs.

An operation of a strategy costs so many nanoseconds, and so many more a row; its round trips are
so many, and so many more a row.
"""

import dataclasses
import math
import zlib

from sample_findings import comparison, estimate, sample

from ormbench.cell import Cell, LeftOut
from ormbench.report.findings import CellFinding
from ormbench.results.count import Count
from ormbench.wire.tally import Tally

ASYNCPG, PSYCOPG = "postgresql+asyncpg", "postgresql+psycopg"
MYSQL, MARIADB = "mysql+asyncmy", "mariadb+asyncmy"
BATCHES = (1, 10, 100, 1_000, 10_000)
US, MS = 1_000, 1_000_000
REFERENCE = "core"
COSTS = {  # ns an operation, ns a row, round trips an operation, round trips a row
    "each_commit": (50 * US, 900 * US, 0, 3),
    "each_flush": (300 * US, 300 * US, 2, 1),
    "add_all": (280 * US, 45 * US, 4, 0.001),
    "add_all_keys": (290 * US, 38 * US, 3, 0),
    "orm_insert": (420 * US, 20 * US, 3, 0),
    "orm_returning": (430 * US, 32 * US, 4, 0.001),
    "bulk_mappings": (330 * US, 19 * US, 3, 0),
    "core": (400 * US, 14 * US, 3, 0),
    "core_returning": (410 * US, 24 * US, 3, 0.001),
    "core_values": (390 * US, 60 * US, 3, 0),
    "core_each": (180 * US, 190 * US, 2, 1),
    "text": (390 * US, 13.5 * US, 3, 0),
    "unnest": (450 * US, 6 * US, 3, 0),
    "raw_held": (230 * US, 9 * US, 3, 0),
    "raw": (260 * US, 9 * US, 3, 0),
    "copy": (600 * US, 3.4 * US, 5, 0),
    "copy_binary": (620 * US, 2.6 * US, 5, 0),
    "load_data": (900 * US, 4 * US, 4, 0),
}
SLOWER = {ASYNCPG: 1.0, PSYCOPG: 1.3, MYSQL: 1.9, MARIADB: 1.7}
ABSENT = {  # lane and product that do not go together
    "copy": "mysql mariadb",
    "copy_binary": "mysql mariadb",
    "unnest": "mysql mariadb",
    "load_data": "postgresql",
}


def mean_ns(lane, target, batch):
    each, row, _, _ = COSTS[lane]
    odd = zlib.crc32(f"{lane} {target}".encode()) % 100 / 1_000
    return (each + row * batch) * SLOWER[target] * (1 + odd)


def trips(lane, batch):
    _, _, each, row = COSTS[lane]
    return max(1, math.ceil(each + row * batch))


def finding(cell, status="OK", reason=""):
    """A cell with its numbers, or the reason why it has none."""
    known = CellFinding(cell, status, reason, f"label of {cell.lane}", "", "", (), "")
    if status != "OK":
        return known
    mean = mean_ns(cell.lane, cell.target, cell.batch)
    sent = Tally(round_trips=trips(cell.lane, cell.batch))
    return dataclasses.replace(
        known,
        operations=1_200,
        service=estimate(mean, 0.02),
        throughput=estimate(1e9 / mean, 0.02, "op/s"),
        percentiles=((50.0, round(mean * 0.97)), (90.0, round(mean * 1.1))),
        block_means=(mean,) * 8,
        count=Count(cell.id, 1, (sent,), ()),
    )


def fate(cell, odd):
    """How a cell ends: as *odd* says by lane, target and batch, else by its cost."""
    product = cell.target.partition("+")[0]
    if product in ABSENT.get(cell.lane, ""):
        return "UNSUPPORTED", f"{product} has no way of {cell.lane}"
    for key in ((cell.lane, cell.target, cell.batch), (cell.lane, cell.batch)):
        if key in odd:
            return odd[key]
    predicted = mean_ns(cell.lane, cell.target, cell.batch) / 1e9
    if predicted > 1.5:
        return "SKIPPED", f"predicted {predicted:.0f} s an operation"
    return "OK", ""


def gridded(
    targets=(ASYNCPG,),
    *,
    scenarios=("insert_rows",),
    lanes=tuple(COSTS),
    batches=BATCHES,
    caches=(None,),
    odd=None,
    share=0.03,
):
    """Findings of a run of *scenarios* with every lane and number of rows on each target."""
    cells, compared, left_out = [], [], []
    for scenario in scenarios:
        for target in targets:
            for cache in caches:
                for batch in batches:
                    these = [
                        Cell(scenario=scenario, lane=lane, target=target, batch=batch, cache=cache)
                        for lane in lanes
                    ]
                    known = {cell: fate(cell, odd or {}) for cell in these}
                    gone = ("UNSUPPORTED", "SKIPPED")
                    cells += [finding(c, *f) for c, f in known.items() if f[0] not in gone]
                    left_out += [LeftOut(c, ": ".join(f)) for c, f in known.items() if f[0] in gone]
                    compared += pairs([c for c, f in known.items() if f[0] == "OK"], share)
    aa = comparison("aa", cells[0].cell, cells[0].cell, estimate(0.998, 0.013, "ratio"), 1e6)
    products = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}
    shown = dict.fromkeys(products[one.partition("+")[0]] for one in targets)
    return dataclasses.replace(
        sample(),
        ladders=(),
        cells=tuple(cells),
        comparisons=(*compared, aa),
        left_out=tuple(left_out),
        focus=scenarios[0],
        focus_target=targets[0],
        servers=tuple((one, "1.2 embedded") for one in shown),
        reference=f"lane={REFERENCE}",
        stories=(),
    )


def pairs(cells, share):
    """Each of *cells* against the reference among them."""
    against = next((cell for cell in cells if cell.lane == REFERENCE), None)
    for cell in cells:
        if against is not None and cell != against:
            base = mean_ns(REFERENCE, cell.target, cell.batch)
            ratio = estimate(mean_ns(cell.lane, cell.target, cell.batch) / base, share, "ratio")
            yield comparison("lane", cell, against, ratio, base)
