"""How an arm's work is shared out among its processes, and how their answers become one. Pure.

A process is given a cell of its own: its part of the clients and of the offered rate, one process,
and the whole pool, because a pool's word holds per process. No turn is given to two of them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from ormbench.cell import Cell
from ormbench.load.histogram import Histogram
from ormbench.load.schedule import NS

Message = Mapping[str, Any]
Answer = dict[str, Any]
SEEDS = 2**32  # between those of two processes: no block and no round comes that far


def each(cell: Cell) -> Cell:
    """What each process of *cell* runs; *cell* itself where there is one."""
    rate = None if cell.rate is None else cell.rate / cell.processes
    return replace(cell, clients=cell.clients // cell.processes, rate=rate, processes=1)


def evenly(count: int, processes: int) -> int:
    """*count*, or the next number above it, of which all *processes* get equally many."""
    return -(-count // processes) * processes


def interleaved(slice_: Message, processes: int) -> list[Answer]:
    """A slice's turns as each process settles into it: each has every so many-th of them.

    So all are about equally far on, as clients are that take turns from one row, and the turns
    that settle are the same as with one process. Numbers of turns must be even multiples.
    """
    return [
        {
            "arm": slice_["arm"],
            "first": slice_["first"] + process,
            "step": processes,
            "settling": slice_["settling"] // processes,
            "operations": slice_["operations"] // processes,
        }
        for process in range(processes)
    ]


def beginnings(slice_: Message, cell: Cell, start: int) -> list[Answer]:
    """When and with which seed each process begins; *start* in ns of the shared clock.

    Constant arrivals of one process fall between those of the others; Poisson arrivals of several
    with seeds of their own are together Poisson arrivals again, at the sum of their rates.
    """
    constant = cell.rate if cell.arrivals == "constant" else None
    return [
        {
            "arm": slice_["arm"],
            "start": start + (round(process * NS / constant) if constant else 0),
            "seed": slice_["seed"] + process * SEEDS,
        }
        for process in range(cell.processes)
    ]


def parts(what: Message, name: str, processes: int) -> list[Answer]:
    """*what*, whose *name* says how many turns there are from "first" on, in equal parts.

    Equal to within one; each process has turns that follow one another.
    """
    ends = [what[name] * number // processes for number in range(processes + 1)]
    return [
        {**what, "first": what["first"] + start, name: end - start} for start, end in pairwise(ends)
    ]


def one_slice(answers: Sequence[Answer]) -> Answer:
    """One slice: from the earliest start to the latest end, and sums of all else.

    "idle_ns" sums, over the processes, the wall time in which one had no turn and others had.
    """
    first = min(one["ended_ns"] - one["wall_ns"] for one in answers)
    wall = max(one["ended_ns"] for one in answers) - first
    sums = {name: sum(one[name] for one in answers) for name in ("cpu_ns", "service_ns", "new")}
    return {
        "wall_ns": wall,
        "idle_ns": sum(wall - one["wall_ns"] for one in answers),
        **sums,
        "outcomes": summed([one["outcomes"] for one in answers]),
        "settling": summed([one["settling"] for one in answers]),
    }


def one_reading(answers: Sequence[Answer]) -> Answer:
    """The connections of all processes, reading by reading; each has an id of its own."""
    every = zip(*(one["readings"] for one in answers), strict=True)
    readings = [{key: row[key] for row in rows for key in row} for rows in every]
    return {"readings": readings, "opened": sum(one["opened"] for one in answers)}


def one_trial(answers: Sequence[Answer]) -> Answer:
    """Each histogram with what all processes recorded; empty where none did."""
    return {name: merged(one[name] for one in answers) for name in answers[0]}


def merged(texts: Iterable[str | None]) -> str:
    """One encoded histogram of several; "" where all are empty."""
    histogram = Histogram.merged(text for text in texts if text)
    return histogram.encode() if histogram.count else ""


def summed(counts: Sequence[Answer]) -> Answer:
    """Counts added up: name by name, and reason by reason where a name has several."""
    return {name: _sum([one[name] for one in counts]) for name in counts[0]}


def _sum(values: Sequence[Any]) -> Any:
    if isinstance(values[0], Mapping):
        return dict(sum((Counter(one) for one in values), Counter[str]()))
    return sum(values)
