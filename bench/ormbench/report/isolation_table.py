"""The numbers of the chart of isolation levels as tables: a row a lane and level."""

from collections.abc import Iterator
from dataclasses import dataclass

from ormbench.report.digest_isolation import Level, Panel, Way, level_of, panels
from ormbench.report.findings import CellFinding, Findings
from ormbench.report.isolation_words import level_text, panel_name
from ormbench.report.outcome_facts import reasons_text
from ormbench.report.quantities import number_text, percent_text, rate_text, ratio_text
from ormbench.report.rows import Shown
from ormbench.report.wrong_data import per_1000
from ormbench.stats.verdict import WRONG_DATA, verdict


@dataclass(frozen=True, slots=True)
class IsolationRow:
    """A lane at a level."""

    lane: str
    level: str
    goodput: str
    standing: Shown  # against the best level of the lane; wrong data has none
    wrong: str  # what was lost or broken per 1,000 operations, or in how many none was seen
    aborted: str  # attempts per 1,000 operations, and their share of all attempts
    failed: str  # operations
    reasons: str  # of aborted attempts and failed operations
    missing: str = ""  # why there are no numbers


@dataclass(frozen=True, slots=True)
class IsolationTable:
    """One panel of the chart, those that are not drawn among them."""

    caption: str
    rows: tuple[IsolationRow, ...]


HEADS = (
    "lane",
    "level",
    "goodput",
    "against the lane's best",
    "lost or broken per 1,000",
    "aborted per 1,000",
    "failed",
    "why",
)


def isolation_tables(findings: Findings) -> tuple[IsolationTable, ...]:
    """A table for each panel; () where nothing was run at two levels, or is not to be read."""
    if not findings.trust.usable:
        return ()
    return tuple(
        IsolationTable(panel_name(panel), tuple(_rows(panel))) for panel in panels(findings.cells)
    )


def _rows(panel: Panel) -> Iterator[IsolationRow]:
    for way in panel.ways:
        for level in way.levels:
            yield _row(way, level, bounded=panel.contended)
        for cell in way.missing:
            yield _missing(way, cell)


def _row(way: Way, level: Level, *, bounded: bool) -> IsolationRow:
    found = level.found.outcomes
    reasons = (*found.aborts, *found.failures) if found else ()
    return IsolationRow(
        way.lane,
        level_text(level),
        rate_text(level.goodput),
        _standing(level),
        wrong_text(level, bounded=bounded),
        _aborted(level),
        f"{found.failed:,}" if found else "0",
        reasons_text(reasons) if reasons else "",
    )


def _missing(way: Way, cell: CellFinding) -> IsolationRow:
    name, on_connection = level_of(cell.cell)
    level = f"{name} on the connection" if on_connection else name
    why = f"{cell.status}: {cell.reason}".removesuffix(": ")
    return IsolationRow(way.lane, level, "", Shown(), "", "", "", "", missing=why)


def _standing(level: Level) -> Shown:
    if level.standing == "wrong data":
        return Shown(WRONG_DATA, verdict=WRONG_DATA)
    ratio = level.against_best
    if ratio is None:
        return Shown(level.standing)
    if level.standing == "cannot tell":
        judged = verdict(ratio.low, ratio.high)
        words = judged if judged == "same" else "cannot tell"
        return Shown(ratio_text(ratio, words), verdict=words)
    return Shown(ratio_text(ratio, "slower"))


def wrong_text(level: Level, *, bounded: bool) -> str:
    """As "lost 640, broken 12", "none seen in 12,000 operations (at 95 % below 0.25)".

    Of a scenario that nobody audits "not audited".

    The bound is told where another level here did lose or break something.
    """
    wrong = level.found.wrong
    if not level.found.audited:
        return "not audited"
    if wrong is None:
        seen = f"none seen in {level.found.operations:,} operations"
        return f"{seen} (at 95 % below {number_text(level.bound)})" if bounded else seen
    lost = f"lost {per_1000(wrong.lost, wrong.operations)}" if wrong.lost else ""
    broken = f"broken {per_1000(wrong.broken, wrong.operations)}" if wrong.broken else ""
    return ", ".join(filter(None, [lost, broken]))


def _aborted(level: Level) -> str:
    if not level.aborted:
        return "0"
    return f"{number_text(level.aborted)} ({percent_text(level.aborted_share)} of attempts)"
