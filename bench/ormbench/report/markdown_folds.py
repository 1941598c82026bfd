"""What a comment folds away: first what its numbers rest on, last what is longest.

Where a comment has no room for all, the last ones give way.
"""

from collections.abc import Iterable, Iterator

from ormbench.report import gaps
from ormbench.report import markdown_tables as tables
from ormbench.report.batch_table import batch_tables
from ormbench.report.distance_table import distance_tables
from ormbench.report.findings import CellFinding, Doubt, Findings
from ormbench.report.isolation_table import isolation_tables
from ormbench.report.lane_key import Lane, lane_key
from ormbench.report.markdown_text import address, code, plain
from ormbench.report.method import method_lines
from ormbench.report.pool_table import pool_tables
from ormbench.report.round_trips import any_counted
from ormbench.report.rows import cell_rows, comparison_rows

Fold = tuple[str, Iterable[str]]  # its title and its lines


def folds(findings: Findings) -> Iterator[Fold]:
    """Those that have something to say."""
    yield from _of_trust(findings)
    yield "What each lane does", _lanes(lane_key(findings))
    yield from _of_axes(findings)
    if compared := comparison_rows(findings):
        yield f"{len(compared)} comparisons", tables.comparison_table(compared, findings)
    yield from _of_cells(findings)
    yield "SQL of each cell", _statements(findings.cells)


def _of_cells(findings: Findings) -> Iterator[Fold]:
    if rows := cell_rows(findings):
        yield f"All {len(rows)} cells", tables.cell_table(rows, findings, with_scenario=True)
    if any_counted(findings.cells):
        yield "Counts of one operation", tables.count_table(rows)


def _of_axes(findings: Findings) -> Iterator[Fold]:
    if grids := batch_tables(findings):
        yield "Rows per second of each strategy", tables.grids(grids)
    if distances := distance_tables(findings):
        yield "Time at each distance from the server", tables.distances(distances)
    if isolations := isolation_tables(findings):
        yield "Isolation levels: what they cost and protect from", tables.isolations(isolations)
    if pools := pool_tables(findings):
        yield "Pools, for each number of clients", tables.pools(pools)


def _of_trust(findings: Findings) -> Iterator[Fold]:
    if doubts := findings.trust.doubts:
        yield f"{len(doubts)} warnings", _doubts(doubts)
    missing = gaps.without_numbers(findings)
    title = "How many cells, and how they ended"
    yield title, [f"- {plain(gaps.counted(findings))}", *_missing(missing)]
    yield "Environment", _pairs((*findings.environment, *findings.server_settings))
    yield "Method", (f"- **{term}**: {plain(text)}" for term, text in method_lines(findings))


def _missing(gaps_of: Iterable[gaps.Gap]) -> Iterator[str]:
    for words, reason, _ in gaps_of:
        yield f"- {code(words)}: {plain(reason)}"


def _lanes(known: Iterable[Lane]) -> Iterator[str]:
    for one in known:
        words = f"{code(one.scenario)} {code(one.name)}: {plain(one.label)}"
        yield f"- {' '.join(filter(None, [words, address(one.link)]))}"


def _doubts(doubts: Iterable[Doubt]) -> Iterator[str]:
    for one in doubts:
        words = f"{plain(one.seen)}. Likely cause: {plain(one.cause)}. Remedy: {plain(one.remedy)}."
        yield f"- {code(one.code)} {code(one.about)}: {words}"


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"- {plain(name)}: {plain(value)}" for name, value in pairs)


def _statements(cells: Iterable[CellFinding]) -> Iterator[str]:
    for one in cells:
        for statement in one.sql:
            yield f"- {code(one.cell.id)}: {code(statement)}"
