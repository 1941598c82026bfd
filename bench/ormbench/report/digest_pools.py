"""Which cells form a map of pools against clients, and what each of its columns proves. Pure.

A map is one lane of one scenario on one target, in so many processes: a row a pool, a column a
number of clients. Pools of one column are compared with each other and with no other column's.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ormbench.cell import Cell, LeftOut
from ormbench.report.digest_cells import estimate
from ormbench.report.findings import CellFinding, Comparison, Estimate
from ormbench.report.pairings import Pairings
from ormbench.report.pool_map import (
    Column,
    Entry,
    Mark,
    PoolMap,
    Standing,
    is_apart,
    wrong_per_1000,
)
from ormbench.stats.location import Location, locate
from ormbench.stats.verdict import EQUIVALENCE

WITHIN = 1 - EQUIVALENCE  # of the best goodput: what counts as as good as the best
CHURN = 10.0  # connections opened per 1,000 operations; above, the pool churns
FEWEST = 2  # pools with numbers; below, there is nothing to compare
_UNKNOWN = (0.0, math.inf)
_NOTHING = 1e-6  # op/s


def maps(
    comparisons: Sequence[Comparison],
    cells: Sequence[CellFinding],
    left_out: Sequence[LeftOut] = (),
) -> tuple[PoolMap, ...]:
    """A map for each lane that was measured with two pools of other sizes or classes.

    In the order of *cells*. Closed loops alone: at an offered rate, goodput is the rate.
    """
    known: dict[Cell, dict[Cell, Entry]] = {}
    for one in cells:
        if one.cell.rate is None and one.cell.target != "none":
            known.setdefault(key_of(one.cell), {})[one.cell] = _entry(one)
    for left in left_out:
        if (key := key_of(left.cell)) in known:
            known[key].setdefault(left.cell, Entry(left.cell, None, left.reason))
    paired = Pairings(comparisons)
    return tuple(
        _map(key, list(entries.values()), paired)
        for key, entries in known.items()
        if _differ(list(entries.values()))
    )


def key_of(cell: Cell) -> Cell:
    """What the cells of a map share. One client alone shares a core with the server by default."""
    serial = cell.clients == 1 and cell.placement == "one-core"
    return replace(cell, pool=None, clients=1, placement="free" if serial else cell.placement)


def _entry(found: CellFinding) -> Entry:
    if found.status == "OK" and found.goodput is not None:
        return Entry(found.cell, found)
    return Entry(found.cell, None, f"{found.status}: {found.reason}".removesuffix(": "))


def _differ(entries: Sequence[Entry]) -> bool:
    """Whether at least two pools have numbers that differ by more than a ping or a reset."""
    pools = [one.pool for one in entries if one.found]
    return len({(one.kind, one.size, one.overflow) for one in pools}) >= FEWEST


def _map(key: Cell, entries: Sequence[Entry], paired: Pairings) -> PoolMap:
    clients = sorted({one.cell.clients for one in entries})
    most = {one.cell.pool: (0, 0, 0, "") for one in entries}
    for one in entries:
        most[one.cell.pool] = max(most[one.cell.pool], _place(one, clients[-1]))
    words = tuple(sorted(most, key=lambda word: most[word], reverse=True))
    columns = []
    for count in clients:
        here = [one for one in entries if one.cell.clients == count]
        columns.append(
            _column(count, sorted(here, key=lambda one: words.index(one.cell.pool)), paired)
        )
    return PoolMap(key, words, tuple(columns))


def _place(one: Entry, clients: int) -> tuple[int, int, int, str]:
    """Where a pool stands among the rows: with most connections, then with more that stay."""
    pool = one.pool
    stay = clients if pool.size is None else pool.size
    return 0 if is_apart(pool) else 1, pool.most(clients), stay, pool.word


def _column(clients: int, entries: Sequence[Entry], paired: Pairings) -> Column:
    measured = [one for one in entries if one.found]
    pairs = {
        (one.cell, other.cell): _versus(one, other, paired)
        for one in measured
        for other in measured
        if one is not other
    }
    judged = tuple((*both, found) for both, found in pairs.items())
    best = _best(measured, pairs)
    placed = (_placed(one, best, pairs) if one.found else one for one in entries)
    return Column(clients, tuple(_marked(tuple(placed))), judged)


def _best(measured: Sequence[Entry], pairs: Mapping[tuple[Cell, Cell], Estimate]) -> Cell | None:
    """The one that most others do not surpass; of equals the first."""

    def beaten(one: Entry) -> int:
        against = (pairs[one.cell, other.cell] for other in measured if other is not one)
        return sum(found.value < 1 for found in against)

    return min(measured, key=beaten).cell if measured else None


def _versus(one: Entry, other: Entry, paired: Pairings) -> Estimate:
    """Goodput of *one* over that of *other*: by paired times, or where operations fail, as it is.

    Times of operations that got nothing prove nothing. Unpaired, bounds are open.
    """
    if wrong_per_1000(one.found) or wrong_per_1000(other.found):
        return _of_goodput(one, other)
    if slower := paired.ratio(other.cell, one.cell):
        return estimate(slower, "ratio", "higher is better")
    unpaired = Location(_rate(one) / _rate(other), *_UNKNOWN, 0)
    return estimate(unpaired, "ratio", "higher is better")


def _of_goodput(one: Entry, other: Entry) -> Estimate:
    """The ratio of goodput block by block; 0 has no logarithm, and is next to nothing."""
    mine, theirs = _by_block(one), _by_block(other)
    both = [block for block in mine if block in theirs]
    logs = [math.log(max(mine[block], _NOTHING) / max(theirs[block], _NOTHING)) for block in both]
    found = locate(logs).exp() if logs else Location(_rate(one) / _rate(other), *_UNKNOWN, 0)
    return estimate(found, "ratio", "higher is better")


def _by_block(entry: Entry) -> dict[int, float]:
    return dict(entry.found.goodput_blocks) if entry.found else {}


def _rate(entry: Entry) -> float:
    known = entry.found.goodput if entry.found else None
    return max(known.value, _NOTHING) if known else _NOTHING


def _placed(one: Entry, best: Cell | None, pairs: Mapping[tuple[Cell, Cell], Estimate]) -> Entry:
    """*one* with its share of the best, and how it stands to 95 % of that.

    Within means of every other pool, so that nothing rests on which of them came out best.
    """
    others = [found for (a, _), found in pairs.items() if a == one.cell]
    share = estimate(Location(1.0, 1.0, 1.0, 0), "ratio", "higher is better")
    share = share if one.cell == best or best is None else pairs[one.cell, best]
    known = [found for found in others if (found.low, found.high) != _UNKNOWN]
    standing: Standing = "cannot tell" if known else ""
    if known and all(found.low >= WITHIN for found in others):
        standing = "within"
    elif one.cell != best and share.high < WITHIN:
        standing = "below"
    return replace(one, share=share, is_best=one.cell == best, standing=standing)


def _marked(entries: Sequence[Entry]) -> Iterator[Entry]:
    least = min((one.held for one in entries if one.standing == "within"), default=0)
    for one in entries:
        marks: list[Mark] = []
        if one.standing == "below" and one.cell.connections < one.cell.clients:
            marks.append("S")
        keeps = one.pool.kind != "nullpool"
        if one.standing == "within" and keeps and one.held > least:
            marks.append("W")
        if one.opened > CHURN:
            marks.append("C")
        yield replace(one, marks=tuple(marks))
