"""The tables of a comment, line by line: of cells, counts, comparisons, and of each swept axis."""

from collections.abc import Iterable, Iterator, Sequence

from ormbench.report import questions
from ormbench.report.batch_table import NOT_ASKED, BatchRow, BatchTable
from ormbench.report.distance_table import DistanceTable
from ormbench.report.findings import Findings
from ormbench.report.isolation_table import HEADS, IsolationTable
from ormbench.report.markdown_text import code, plain
from ormbench.report.pool_table import PoolTable
from ormbench.report.round_trips import any_counted
from ormbench.report.rows import CellRow, ComparisonRow

NOT_PLANNED = "\u2013"  # instead of a number that nobody asked for
_COUNTED = ("round trips", "requests", "bytes sent", "bytes received")


def cell_table(
    rows: Sequence[CellRow], findings: Findings, *, with_scenario: bool
) -> Iterator[str]:
    """A line a cell; *with_scenario*: named with it, where several stand in the table."""
    against = f"time vs {plain(questions.reference_name(findings))}"
    counted = any_counted(findings.cells)
    trips = " trips |" if counted else ""
    yield f"| lane | driver | mean service time | throughput | {against} |{trips} new/1,000 op |"
    yield f"|---|---|--:|--:|---|{'--:|' if counted else ''}--:|"
    for row in rows:
        name = f"{row.finding.cell.scenario}: {row.name}" if with_scenario else row.name
        counts = [row.trips.text, row.new.text] if counted else [row.new.text]
        yield _line(code(name), code(row.driver), *_numbers(row, findings), *counts)


def _numbers(row: CellRow, findings: Findings) -> tuple[str, str, str]:
    """Mean, throughput and ratio; of a cell without them its outcome."""
    if not row.ok:
        return row.finding.status, "", plain(row.finding.reason)
    if not findings.trust.usable:
        return f"{row.finding.status}, {row.finding.operations:,} operations", "", ""
    ratio = f"{row.ratio.mark} {row.ratio.text}".strip()
    mean = f"{row.mean.text}; {row.lag}" if row.lag else row.mean.text
    return mean, row.throughput.text, ratio


def count_table(rows: Iterable[CellRow]) -> Iterator[str]:
    """What one operation of each cell sends, and whether the server's counters agree."""
    yield "| cell | trips | requests | bytes sent | received | new/1,000 op | statements | server |"
    yield "|---|--:|--:|--:|--:|--:|---|---|"
    for row in (row for row in rows if row.finding.cell.target != "none"):
        own, proof = dict(row.counts), dict(row.proof).get("server counters", "")
        words = plain(own.get("statements", row.uncounted))
        numbers = [own.get(name, "") for name in _COUNTED]
        yield _line(code(row.finding.cell.id), *numbers, row.new.text, words, plain(proof))


def comparison_table(rows: Iterable[ComparisonRow], findings: Findings) -> Iterator[str]:
    """A line a comparison."""
    counted = any_counted(findings.cells)
    trips = " round trips |" if counted else ""
    totals = "difference per operation | ratio of total times |"
    yield f"| comparison | ratio of times | {totals}{trips}"
    yield f"|---|---|--:|--:|{'---|' if counted else ''}"
    for row in rows:
        ratio = f"{row.ratio.mark} {row.ratio.text}"
        on_the_wire = [plain(row.trips)] if counted else []
        yield _line(code(row.name), ratio, row.difference, row.total, *on_the_wire)


def distances(tables: Iterable[DistanceTable]) -> Iterator[str]:
    """A line a lane, a column a distance."""
    for table in tables:
        yield f"{plain(table.caption)}; round-trip time added by a relay."
        yield ""
        yield _line("lane", "trips", *table.distances)
        yield f"|---|--:|{'---|' * len(table.distances)}"
        for row in table.rows:
            texts = (plain(f"{one.mark} {one.text}".strip()) for one in row.shown)
            yield _line(code(row.name), row.trips, *texts)
        yield ""


def isolations(tables: Iterable[IsolationTable]) -> Iterator[str]:
    """A line a lane and level."""
    for table in tables:
        yield f"{plain(table.caption)}; goodput includes retries."
        yield ""
        yield _line(*HEADS)
        yield f"|---|---|--:|---|---|--:|--:|{'---|' * (len(HEADS) - 7)}"
        for row in table.rows:
            standing = row.missing or f"{row.standing.mark} {row.standing.text}".strip()
            texts = (row.goodput, standing, row.wrong, row.aborted, row.failed, row.reasons)
            yield _line(code(row.lane), row.level, *map(plain, texts))
        yield ""


def pools(tables: Iterable[PoolTable]) -> Iterator[str]:
    """A line a pool with so many clients."""
    for table in tables:
        yield f"{plain(table.caption)}; connections: at most; opened and failed: per 1,000."
        yield ""
        yield "| clients | pool | connections | goodput | which | checkout wait | opened | failed |"
        yield "|--:|---|--:|--:|---|--:|--:|--:|"
        for row in table.rows:
            numbers = row.share, row.says or row.missing, row.wait, row.opened, row.failed
            yield _line(row.clients, code(row.pool), row.connections, *map(plain, numbers))
        yield ""


def grids(tables: Iterable[BatchTable]) -> Iterator[str]:
    """Each grid of strategies in full, under what it says."""
    for table in tables:
        yield f"**{plain(table.says)}**"
        yield ""
        yield from grid(table, brief=False)
        yield ""


def grid(table: BatchTable, *, brief: bool) -> Iterator[str]:
    """A line a strategy, a column a number of rows; *brief*: the ratios alone."""
    yield f"{plain(table.brief_caption if brief else table.caption)}."
    yield ""
    yield _line("strategy", *table.batches)
    yield f"|---|{'---|' * len(table.batches)}"
    rows = [(row.lane, _texts(row, brief=brief)) for row in table.rows]
    for lane, texts in rows:
        yield _line(code(lane), *map(plain, texts))
    if any(NOT_PLANNED in texts for _, texts in rows):
        yield ""
        yield f"{NOT_PLANNED}: not in this plan."


def _texts(row: BatchRow, *, brief: bool) -> list[str]:
    """A text a column, none of them empty."""
    texts = row.texts(brief=brief)
    for place, text in enumerate(texts):
        before = texts[place - 1] if place else ""
        blank = NOT_PLANNED if before == NOT_PLANNED else "as left"
        texts[place] = NOT_PLANNED if text == NOT_ASKED else text or blank
    return texts


def _line(*texts: str) -> str:
    return f"| {' | '.join(texts)} |"
