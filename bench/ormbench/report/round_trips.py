"""What operations did on the wire, in words: how many round trips, and why one lane has more.

Counts are exact, so none has an interval; where operations of one cell differ, it is a range.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ormbench.cell import Cell
from ormbench.report.findings import CellFinding, Findings
from ormbench.report.names import driver_name, lane_name, opened
from ormbench.report.quantities import counted_text, span_text
from ormbench.results.count import Count

NOT_COUNTED = "-"
_PLACES = {"BEGIN": 0, "START": 0, "COMMIT": 2, "ROLLBACK": 3}  # all others between
_MOST = 4  # unequal pairs that are named
_SAME = "the same statements"


def trips(count: Count | None) -> tuple[int, int] | None:
    """The least and the most round trips of an operation; None where they were not counted."""
    return count.span("round_trips") if count else None


def trips_text(found: CellFinding) -> str:
    """As "3", "3-4", or "-" where nothing was counted."""
    span = trips(found.count)
    return span_text(span) if span else NOT_COUNTED


def any_counted(cells: Iterable[CellFinding]) -> bool:
    """Whether one of *cells* has a count at all: runs of older versions have none."""
    return any(one.count is not None and one.count.operations for one in cells)


def both_send(candidate: Count | None, reference: Count | None, one: str, other: str) -> str:
    """As "Both send 3 round trips", or "ORM sends 4 round trips, Core 3"; "" if not counted.

    *one* and *other* are the names of the candidate and of the reference.
    """
    mine, theirs = trips(candidate), trips(reference)
    if mine is None or theirs is None:
        return ""
    if mine == theirs:
        return f"Both send {counted_text(mine, 'round trip')}"
    return opened(f"{one} sends {counted_text(mine, 'round trip')}, {other} {span_text(theirs)}")


def versus(candidate: Count | None, reference: Count | None) -> str:
    """As "3 / 3", "3 / 2: with ROLLBACK", "2 / 3: without ROLLBACK" or "3-4 / 3".

    "" where one of them was not counted.
    """
    mine, theirs = trips(candidate), trips(reference)
    if candidate is None or reference is None or mine is None or theirs is None:
        return ""
    both = f"{span_text(mine)} / {span_text(theirs)}"
    if not _apart(mine, theirs):
        return both
    extra, missing = _told_apart(candidate, reference)
    words = [f"with {extra}" if extra else "", f"without {missing}" if missing else ""]
    return f"{both}: {', '.join(filter(None, words)) or _SAME}"


def unequal(findings: Findings) -> tuple[str, ...]:
    """Compared lanes that sent different numbers of round trips, in words.

    As "Core sends 1 round trip more than the driver's pool: ROLLBACK (MySQL aiomysql)"; the
    workloads are named where not all of them show it.
    """
    where: dict[_Unequal, dict[str, set[str]]] = {}
    for found, cell in _unequal_pairs(findings):
        where.setdefault(found, {}).setdefault(driver_name(cell.target), set()).add(cell.scenario)
    every = {one.candidate.scenario for one in findings.comparisons if one.kind == "lane"}
    others: dict[tuple[_Unequal, str], list[str]] = {}
    for found, drivers in where.items():
        alike = replace(found, other=""), _places(drivers, every)
        others.setdefault(alike, []).append(found.other)
    told = [
        f"{replace(found, other=_listed(names)).text()} ({places})"
        for (found, places), names in others.items()
    ]
    left = len(told) - _MOST
    return (*told[:_MOST], *([f"{left} more: see the comparisons"] if left > 0 else []))


@dataclass(frozen=True, slots=True)
class _Unequal:
    """Two lanes of which one sends more."""

    one: str  # who sends more
    other: str
    sends: str  # "1 round trip more than", or "3-4 round trips," where ranges differ in width
    what: str  # which statements, ": ROLLBACK", or how many the other sends, " 3"

    def text(self) -> str:
        return f"{self.one} sends {self.sends} {self.other}{self.what}"


def _unequal_pairs(findings: Findings) -> Iterator[tuple[_Unequal, Cell]]:
    """Each two compared lanes that differ, and the cell of one of them."""
    counts = {one.cell: one.count for one in findings.cells}
    for pair in (one for one in findings.comparisons if one.kind == "lane"):
        most, least = counts.get(pair.candidate), counts.get(pair.reference)
        mine, theirs = trips(most), trips(least)
        if most is None or least is None or mine is None or theirs is None or mine == theirs:
            continue
        more, fewer = pair.candidate, pair.reference
        if mine < theirs:
            more, fewer, most, least, mine, theirs = fewer, more, least, most, theirs, mine
        sends, what = f"{counted_text(mine, 'round trip')},", f" {span_text(theirs)}"
        if apart := _apart(mine, theirs):
            sends = f"{counted_text((apart, apart), 'round trip')} more than"
            what = f": {_difference(most, least)}"
        yield _Unequal(opened(lane_name(more.lane)), lane_name(fewer.lane), sends, what), more


def _difference(most: Count, least: Count) -> str:
    extra, missing = _told_apart(most, least)
    return ", ".join(filter(None, [extra, f"without {missing}" if missing else ""])) or _SAME


def _listed(names: Sequence[str]) -> str:
    """As "one, another and a third"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _places(drivers: Mapping[str, set[str]], every: set[str]) -> str:
    """As "MySQL aiomysql, MariaDB aiomysql", with the workloads where those are not all."""
    return ", ".join(
        name if scenarios == every else f"{name}: {', '.join(sorted(scenarios))}"
        for name, scenarios in drivers.items()
    )


def _apart(mine: tuple[int, int], theirs: tuple[int, int]) -> int:
    """How many more the first are; 0 where they are alike, or ranges of different width."""
    least, most = mine[0] - theirs[0], mine[1] - theirs[1]
    return least if least == most else 0


def _told_apart(mine: Count, theirs: Count) -> tuple[str, str]:
    """Which statements the one sends and the other does not: "ROLLBACK", and the reverse."""
    own, other = mine.operations[-1].statements, theirs.operations[-1].statements
    gaps = {word: own.get(word, 0) - other.get(word, 0) for word in {*own, *other}}
    extra = statements_text({word: gap for word, gap in gaps.items() if gap > 0})
    return extra, statements_text({word: -gap for word, gap in gaps.items() if gap < 0})


def statements_text(statements: Mapping[str, int]) -> str:
    """As "BEGIN, 2 SELECT, COMMIT": first what opens a transaction, last what ends it."""
    ordered = sorted(statements, key=lambda word: (_PLACES.get(word, 1), word))
    each = ((word, statements[word]) for word in ordered)
    return ", ".join(word if times == 1 else f"{times:,} {word}" for word, times in each)
