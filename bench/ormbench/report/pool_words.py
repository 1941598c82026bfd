"""What a run says of pools, by rule: the title of the chart, the answer, the card.

"64 clients: smallest pool within 5 % of the best is 20+0": said of most clients, where each smaller
pool is decidedly not within 5 %, and else which ones it cannot tell apart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ormbench.report.digest_pools import CHURN, maps
from ormbench.report.findings import Card, CellFinding, Comparison, Estimate
from ormbench.report.focus import CONTENDER, Focus
from ormbench.report.names import driver_name, opened, product_name
from ormbench.report.pool_map import Column, Entry, PoolMap
from ormbench.report.quantities import (
    has_interval,
    interval_of,
    part_text,
    per_1000_text,
    share_text,
)
from ormbench.stats.verdict import EQUIVALENCE

QUESTION = "WHICH POOL?"
NOT_MEASURED = "not measured: ormbench run pools"
NOT_COMPARED = "This run cannot tell"
COMPARES = 'Its pools were not compared with each other: a plan with across = "pool" does that'
WITHIN = f"within {EQUIVALENCE * 100:.0f} % of the best"
_DEFAULT = ("queue", 5, 10)  # what an engine has where nobody asks for anything
_MOST = 4  # pools that a list names
_SIZED_BY_CLIENTS = ("fitted", "driver")


def pool_name(entry: Entry) -> str:
    """As "20+0"; with its connections where the word does not say how many: "fitted (64)"."""
    pool = entry.pool
    if pool.size is None and pool.kind in _SIZED_BY_CLIENTS:
        return f"{pool.word} ({entry.cell.connections})"
    return pool.word


def clients_name(clients: int) -> str:
    """As "64 clients", "1 client"."""
    return f"{clients} client{'' if clients == 1 else 's'}"


def headline(comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus) -> str:
    """The answer in one line, which is the chart's title; "" where the focus is no map of pools."""
    spoken = _of_focus(maps(comparisons, cells), focus)
    return _verdict(*spoken, focus) if spoken else ""


def answer(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> tuple[str, ...]:
    """The answer of a run whose focus is a map of pools, in sentences; () where it is none."""
    spoken = _of_focus(maps(comparisons, cells), focus)
    if spoken is None:
        return ()
    found, column = spoken
    beside = "; ".join(_beside(column))
    sentences = [_verdict(found, column, focus), beside, *_failing(column), _flips(found, column)]
    return tuple(f"{opened(one)}." for one in sentences if one)


def card(comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus) -> Card:
    """The card: the smallest pool for most clients, and for which others it is another one."""
    found = maps(comparisons, cells)
    spoken = _spoken_of(found, focus)
    if spoken is None:
        verdict, detail = (NOT_COMPARED, COMPARES) if found else (NOT_MEASURED, "")
        return Card(QUESTION, verdict, detail, measured=bool(found))
    chosen, column = spoken
    cell = chosen.cell
    workload = f"for {cell.scenario} ({cell.lane}) on {driver_name(cell.target)}"
    parts = [_flips(chosen, column), *_beside(column), *_failing(column), workload]
    detail = "; ".join(part for part in parts if part)
    others = tuple(_on_other_products(found, focus, cell.target))
    return Card(QUESTION, opened(_choice(column)), detail, measured=True, others=others)


def spoken_column(
    comparisons: Sequence[Comparison], cells: Sequence[CellFinding], focus: Focus
) -> Column | None:
    """The pools that the answer is about; None where the focus is no map of pools."""
    spoken = _of_focus(maps(comparisons, cells), focus)
    return spoken[1] if spoken else None


def _of_focus(found: Sequence[PoolMap], focus: Focus) -> tuple[PoolMap, Column] | None:
    spoken = _spoken_of(found, focus)
    return spoken if spoken and spoken[0].cell.scenario == focus.scenario else None


def _spoken_of(found: Sequence[PoolMap], focus: Focus) -> tuple[PoolMap, Column] | None:
    """The map that is spoken of, and its column with most clients, of those that were compared.

    Of the focus if it has one, and there of the ORM, in as few processes as there are.
    """

    def elsewhere(one: PoolMap) -> tuple[bool, bool, bool, int, str]:
        cell = one.cell
        away = cell.scenario != focus.scenario, cell.target != focus.target
        return *away, cell.lane != CONTENDER, cell.processes, cell.id

    compared = [one for one in found if any(column.compared for column in one.columns)]
    chosen = min(compared, key=elsewhere, default=None)
    if chosen is None:
        return None
    return chosen, max(_compared(chosen), key=lambda column: column.clients)


def _compared(found: PoolMap) -> list[Column]:
    return [column for column in found.columns if column.compared]


def _verdict(found: PoolMap, column: Column, focus: Focus) -> str:
    """As "64 clients: smallest pool within 5 % of the best is 20+0"."""
    processes = found.cell.processes
    shared = f" in {processes} processes" if processes > 1 else ""
    product = "" if focus.alone else f" on {product_name(found.cell.target)}"
    return f"{clients_name(column.clients)}{shared}{product}: {smallest_text(column)}"


def smallest_text(column: Column) -> str:
    """As "smallest pool within 5 % of the best is 20+0", or which ones it cannot tell apart."""
    if not column.smallest:
        names = _listed(column.candidates, "or")
        return f"this run cannot tell the smallest pool {WITHIN}: {names}"
    names, several = _listed(column.smallest, "and"), len(column.smallest) > 1
    are = "are" if several else "is"
    sizes = {one.cell.connections for one in column.measured}
    if len(sizes) == 1:
        return f"{WITHIN} {are} {names}, of pools of {sizes.pop()} connections"
    least = column.smallest[0].cell.connections == min(sizes)
    known = ", the smallest measured" if least else ""
    return f"smallest pool{'s' * several} {WITHIN} {are} {names}{known}"


def _listed(entries: Sequence[Entry], joint: str) -> str:
    """As "15+0, 20+0 or 64+0", with "each" where several processes have one of their own."""
    names = [pool_name(one) for one in sorted(entries, key=lambda one: one.cell.connections)]
    if len(names) > _MOST:
        names = [*names[: _MOST - 1], f"{len(names) - _MOST + 1} others"]
    text = f" {joint} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    return f"{text} each" if entries and entries[0].cell.processes > 1 else text


def _choice(column: Column) -> str:
    """As "20+0 for 64 clients"."""
    here = f"for {clients_name(column.clients)}"
    if column.smallest:
        return f"{_listed(column.smallest, 'or')} {here}"
    return f"this run cannot tell {here}: {_listed(column.candidates, 'or')}"


def _beside(column: Column) -> Iterator[str]:
    """What the default does, and what the largest pool buys, against the smallest that will do."""
    base = column.smallest[0] if column.smallest else column.best
    if base is None:
        return
    usual = next((one for one in column.measured if _is_default(one)), None)
    if usual is not None and (words := " and ".join(_does(usual))):
        yield f"{pool_name(usual)} {words}"
    larger = [
        one
        for one in column.measured
        if one.pool.kind in ("queue", "fitted") and one.cell.connections > base.cell.connections
    ]
    largest = max(larger, key=_most_connections, default=None)
    if column.smallest and largest is not None and largest is not usual:
        yield from _buys(largest, base, column)


def _most_connections(entry: Entry) -> tuple[int, bool]:
    return entry.cell.connections, entry.pool.kind == "queue"


def _is_default(entry: Entry) -> bool:
    return (entry.pool.kind, entry.pool.size, entry.pool.overflow) == _DEFAULT


def _does(entry: Entry) -> Iterator[str]:
    if entry.opened > CHURN:
        yield f"opens {per_1000_text(entry.opened)} connections per 1,000 operations"
    if entry.standing == "below" and entry.share is not None:
        share, percent, bounds = part_text(entry.share).partition(" %")
        yield f"reaches {share}{percent} of the best{bounds}"


def _buys(entry: Entry, base: Entry, column: Column) -> Iterator[str]:
    """As "64+0 buys +7 % [5, 9]"; where it is not decided, no number but its bounds."""
    gain = _gain(entry, base, column)
    if gain is None:
        return
    if gain.low <= 0.0 <= gain.high:
        bounds = interval_of(share_text(gain))
        yield f"{pool_name(entry)} buys nothing that this run can tell{bounds}"
    else:
        yield f"{pool_name(entry)} {'buys' if gain.value > 0 else 'gives'} {share_text(gain)}"


def _gain(entry: Entry, base: Entry, column: Column) -> Estimate | None:
    """What *entry* gives more than *base*, as a fraction; None where its bounds are not known."""
    over = column.versus(entry, base)
    if over is None or not has_interval(over):
        return None
    return replace(over, value=over.value - 1, low=over.low - 1, high=over.high - 1)


def _failing(column: Column) -> Iterator[str]:
    """Of which pools operations fail, and how many."""
    failing = [one for one in column.measured if one.failed]
    if failing:
        (first, *more) = (
            (per_1000_text(one.failed), f"with {pool_name(one)}") for one in failing[-_MOST:]
        )
        texts = [f"{first[0]} of 1,000 operations fail {first[1]}", *map(" ".join, more)]
        yield ", ".join(texts)


def _flips(found: PoolMap, spoken: Column) -> str:
    """As "at 16 clients it is 15+0, at 1 client 5+0": where another number asks for another."""
    others = [one for one in _compared(found) if one is not spoken]
    if not others:
        return ""
    words = {one.cell.pool for one in spoken.smallest}
    if words and all(words == {one.cell.pool for one in column.smallest} for column in others):
        return f"the same at {', '.join(clients_name(one.clients) for one in reversed(others))}"
    decided = [one for one in reversed(others) if one.smallest]
    texts = [f"at {clients_name(one.clients)} {_listed(one.smallest, 'or')}" for one in decided]
    unknown = [f"{one.clients:,}" for one in reversed(others) if not one.smallest]
    if unknown:
        noun = "client" if unknown == ["1"] else "clients"
        texts.append(f"at {', '.join(unknown)} {noun} this run cannot tell")
    return ", ".join(texts)


def _on_other_products(
    found: Sequence[PoolMap], focus: Focus, spoken: str
) -> Iterator[tuple[str, str]]:
    """The map of each other product, chosen alike."""
    products = dict.fromkeys(product_name(one.cell.target) for one in found)
    for product in products:
        here = [one for one in found if product_name(one.cell.target) == product]
        other = _spoken_of(here, replace(focus, target=here[0].cell.target))
        if product != product_name(spoken) and other is not None:
            yield product, f"{driver_name(other[0].cell.target)}: {_choice(other[1])}"
