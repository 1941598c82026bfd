"""The numbers of the maps of pools as tables: a row for each pool with so many clients."""

from collections.abc import Iterator
from dataclasses import dataclass

from ormbench.report.digest_pools import maps
from ormbench.report.findings import Findings
from ormbench.report.names import driver_name, unusual_axes
from ormbench.report.pool_map import Column, Entry, PoolMap
from ormbench.report.pool_words import pool_name
from ormbench.report.quantities import part_text, per_1000_text, percentile_name, time_text

_WAIT = 99.0  # the percentile of checkout wait that is shown, or the highest below it
MARKS = {"S": "starves", "W": "wastes", "C": "churns"}


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One pool with so many clients, in words."""

    clients: str
    pool: str
    connections: str  # at most, of all processes
    share: str  # goodput as a part of the best, with its interval
    says: str  # what that decides
    wait: str  # checkout wait, with the percentile
    opened: str  # connections per 1,000 operations
    failed: str  # of 1,000 operations
    missing: str = ""  # why there are no numbers


@dataclass(frozen=True, slots=True)
class PoolTable:
    """One map."""

    caption: str
    rows: tuple[PoolRow, ...]
    fails: bool  # whether operations failed anywhere


def pool_tables(findings: Findings) -> tuple[PoolTable, ...]:
    """A table for each map; () where no pools were measured, or nothing is to be read."""
    if not findings.trust.usable:
        return ()
    found = maps(findings.comparisons, findings.cells, findings.left_out)
    return tuple(_table(one) for one in found)


def map_name(found: PoolMap) -> str:
    """What a map is about: "pool_pressure, orm, asyncpg", or with "processes=2"."""
    cell = found.cell
    return ", ".join([cell.scenario, cell.lane, driver_name(cell.target), *unusual_axes(cell)])


def wait_of(entry: Entry) -> tuple[float, int] | None:
    """(percentile, nanoseconds) of checkout wait: p99, or the highest below that n supports."""
    waits = entry.found.checkout if entry.found else ()
    known = [one for one in waits if one[0] <= _WAIT]
    return known[-1] if known else None


def _table(found: PoolMap) -> PoolTable:
    rows = tuple(row for column in found.columns for row in _rows(column))
    fails = any(entry.failed for entry in found.entries)
    return PoolTable(f"{map_name(found)}: goodput as % of the best of as many clients", rows, fails)


def _rows(column: Column) -> Iterator[PoolRow]:
    for entry in column.entries:
        wait = wait_of(entry)
        yield PoolRow(
            clients=str(column.clients),
            pool=pool_name(entry),
            connections=str(entry.cell.connections),
            share=_share(entry) if entry.found else "",
            says=", ".join(_says(entry, column)),
            wait=f"{percentile_name(wait[0])} {time_text(wait[1])}" if wait else "",
            opened=per_1000_text(entry.opened) if entry.found else "",
            failed=per_1000_text(entry.failed) if entry.found else "",
            missing=entry.missing,
        )


def _share(entry: Entry) -> str:
    if entry.is_best:
        return "100 %, the best"
    return part_text(entry.share) if entry.share else ""


def _says(entry: Entry, column: Column) -> Iterator[str]:
    """What the entry's interval decides, in words, and its marks."""
    if entry in column.smallest:
        yield "smallest within 5 %"
    elif entry.standing == "within" and "W" not in entry.marks:
        yield "within 5 %"
    elif entry.standing == "below" and "S" not in entry.marks:
        yield "below 95 %"
    elif entry.standing == "cannot tell":
        yield "cannot tell"
    yield from (MARKS[mark] for mark in entry.marks)
