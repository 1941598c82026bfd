"""The run as a pull-request comment: answer first, one table, the rest folded away.

Names stand in code spans, and nothing in them can ping a person, close an issue or break out
of its table. The whole stays below the size that hosts accept.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ormbench.report import gaps, questions
from ormbench.report.batch_table import BatchTable, batch_tables
from ormbench.report.distance_table import DistanceTable, distance_tables
from ormbench.report.findings import CellFinding, Findings
from ormbench.report.isolation_table import HEADS, IsolationTable, isolation_tables
from ormbench.report.method import method_lines
from ormbench.report.pool_table import PoolTable, pool_tables
from ormbench.report.reading_order import in_reading_order
from ormbench.report.round_trips import any_counted
from ormbench.report.rows import CellRow, cell_rows, comparison_rows
from ormbench.report.trust_facts import trust_facts
from ormbench.report.words import one_line, readable

LIMIT = 59_000  # characters; hosts cut or refuse comments above 65,536
_NAME_LIMIT, _TEXT_LIMIT = 160, 1_000  # characters of one name, of one free text
_FOCUS_ROOM = 20_000  # characters of the first table
_NUMBERS = re.compile(r"\\\[([-+]?\d[\d.,]*, [-+]?\d[\d.,]*)\\\](?!\()")  # an interval is no link
_MISSING = "{} more lines: see the report."
_COUNTED = ("round trips", "requests", "bytes sent", "bytes received")
_SPACE = "\u200b"  # has no width: parts what would be taken for a mention or an issue


def render(findings: Findings) -> str:
    """Render the comment; where it would be too long, rows give way to a count of them."""
    known = in_reading_order(readable(findings))
    text = "\n".join(_top(known)) + "\n"
    left = LIMIT - len(text)
    folded = []
    for title, lines in _folds(known):
        block = _fold(title, lines, left)
        left -= len(block)
        folded.append(block)
    return (text + "".join(folded))[:LIMIT]


def code(name: str) -> str:
    """*name* as a code span that is safe in a table: no pipe, backtick, mention or issue in it."""
    name = _cut(name, _NAME_LIMIT).replace("`", "'").replace("|", "\u00a6")
    return f"`{_parted(name)}`" if name else ""


def plain(text: str) -> str:
    """*text* with nothing left that Markdown, HTML or the host would act upon."""
    text = escape(_cut(text, _TEXT_LIMIT), quote=False)
    text = re.sub(r"([\\`*_~\[\]#|])", r"\\\1", text)
    return _parted(_NUMBERS.sub(r"[\1]", text))


def _cut(text: str, room: int) -> str:
    text = one_line(text)
    return text if len(text) <= room else text[: room - 1] + "…"


def _parted(text: str) -> str:
    return re.sub(r"([@#])(?=\w)", rf"\1{_SPACE}", text)


def _top(findings: Findings) -> Iterator[str]:
    usable = findings.trust.usable
    yield f"### {plain(findings.headline if usable else questions.NO_ANSWER)}"
    yield ""
    yield plain(" ".join(findings.answer) if usable else findings.trust.cause)
    yield ""
    if not usable:
        yield "**No times are shown.**"
        yield ""
    yield from _focus(findings)
    yield from _cards(findings)
    word = "usable" if usable else "NOT USABLE"
    yield f"**Trust** {word}: {plain('; '.join(trust_facts(findings)))}"
    yield ""
    yield f"**Scope** {plain(findings.scope)}. **Does not say** {_joined(findings.does_not_say)}"
    yield ""
    yield f"{code(findings.focus)}, {_joined(_conditions(findings))}"
    yield ""
    yield from _fenced([findings.reproduce])
    yield ""


def _conditions(findings: Findings) -> Iterator[str]:
    cells = [one.cell for one in questions.focus_cells(findings)]
    yield from filter(None, [questions.conditions(findings), questions.focus_driver(findings)])
    yield from questions.environment(findings, "SQLAlchemy", "Python")
    yield questions.clients_text(cells)
    yield f"{findings.blocks} blocks in {questions.duration_text(findings.seconds)}"
    yield findings.started[:10]


def _focus(findings: Findings) -> Iterator[str]:
    """The first table: of cells; of a grid of strategies, which has too many, of its ratios."""
    if grids := [one for one in batch_tables(findings) if _is_focus(findings, one)]:
        yield from _within(list(_grid(grids[0], brief=True)), _FOCUS_ROOM)
        yield ""
        return
    wanted = {one.cell for one in questions.focus_cells(findings)}
    rows = [row for row in cell_rows(findings) if row.finding.cell in wanted]
    if rows:
        lines = list(_cell_table(rows, findings, with_scenario=False))
        yield from _within(lines, _FOCUS_ROOM)
        yield ""


def _is_focus(findings: Findings, table: BatchTable) -> bool:
    return (table.scenario, table.target) == (findings.focus, findings.focus_target)


def _grid(table: BatchTable, *, brief: bool) -> Iterator[str]:
    yield f"{plain(table.brief_caption if brief else table.caption)}."
    yield ""
    yield f"| strategy | {' | '.join(table.batches)} |"
    yield f"|---|{'---|' * len(table.batches)}"
    for row in table.rows:
        yield f"| {code(row.lane)} | {' | '.join(map(plain, row.texts(brief=brief)))} |"


def _cards(findings: Findings) -> Iterator[str]:
    """What the cards say of other products and further drivers, a line each."""
    if not findings.trust.usable:
        return
    said = [(card.question, *one) for card in findings.cards for one in card.others]
    for question, product, text in said:
        yield f"- {plain(question)} **{plain(product)}**: {plain(text)}"
    for product, reason in gaps.absent(findings):
        yield f"- **{plain(product)}** left out: {plain(reason)}"
    if said or gaps.absent(findings):
        yield ""


def _cell_table(
    rows: Sequence[CellRow], findings: Findings, *, with_scenario: bool
) -> Iterator[str]:
    against = f"time vs {plain(questions.reference_name(findings))}"
    counted = any_counted(findings.cells)
    trips = " trips |" if counted else ""
    yield f"| lane | driver | mean service time | throughput | {against} |{trips} new/1,000 op |"
    yield f"|---|---|--:|--:|---|{'--:|' if counted else ''}--:|"
    for row in rows:
        name = f"{row.finding.cell.scenario}: {row.name}" if with_scenario else row.name
        counts = [row.trips.text, row.new.text] if counted else [row.new.text]
        texts = [code(name), code(row.driver), *_numbers(row, findings), *counts]
        yield f"| {' | '.join(texts)} |"


def _numbers(row: CellRow, findings: Findings) -> tuple[str, str, str]:
    """Mean, throughput and ratio; of a cell without them its outcome."""
    if not row.ok:
        return row.finding.status, "", plain(row.finding.reason)
    if not findings.trust.usable:
        return f"{row.finding.status}, {row.finding.operations:,} operations", "", ""
    ratio = f"{row.ratio.mark} {row.ratio.text}".strip()
    mean = f"{row.mean.text}; {row.lag}" if row.lag else row.mean.text
    return mean, row.throughput.text, ratio


def _folds(findings: Findings) -> Iterator[tuple[str, Iterable[str]]]:
    rows = cell_rows(findings)
    if grids := batch_tables(findings):
        yield "Rows per second of each strategy", _grids(grids)
    if rows:
        yield f"All {len(rows)} cells", _cell_table(rows, findings, with_scenario=True)
    if any_counted(findings.cells):
        yield "Counts of one operation", _count_table(rows)
    distances = distance_tables(findings)
    if distances:
        yield "Time at each distance from the server", _distances(distances)
    isolations = isolation_tables(findings)
    if isolations:
        yield "Isolation levels: what they cost and protect from", _isolations(isolations)
    pools = pool_tables(findings)
    if pools:
        yield "Pools, for each number of clients", _pools(pools)
    compared = comparison_rows(findings)
    if compared:
        yield f"{len(compared)} comparisons", _comparison_table(findings)
    doubts = findings.trust.doubts
    if doubts:
        yield f"{len(doubts)} warnings", _doubts(findings)
    if findings.left_out:
        yield f"{len(findings.left_out)} cells left out", _left_out(findings)
    yield "Environment", _pairs((*findings.environment, *findings.server_settings))
    yield "Method", (f"- **{term}**: {plain(text)}" for term, text in method_lines(findings))
    yield "SQL of each cell", _statements(findings.cells)


def _count_table(rows: Sequence[CellRow]) -> Iterator[str]:
    yield "| cell | trips | requests | bytes sent | received | new/1,000 op | statements | server |"
    yield "|---|--:|--:|--:|--:|--:|---|---|"
    for row in (row for row in rows if row.finding.cell.target != "none"):
        own, proof = dict(row.counts), dict(row.proof).get("server counters", "")
        words = plain(own.get("statements", row.uncounted))
        numbers = [own.get(name, "") for name in _COUNTED]
        texts = [code(row.finding.cell.id), *numbers, row.new.text, words, plain(proof)]
        yield f"| {' | '.join(texts)} |"


def _left_out(findings: Findings) -> Iterator[str]:
    for words, reason, _ in gaps.left_out(findings):
        yield f"- {code(words)}: {plain(reason)}"


def _comparison_table(findings: Findings) -> Iterator[str]:
    counted = any_counted(findings.cells)
    trips = " round trips |" if counted else ""
    totals = "difference per operation | ratio of total times |"
    yield f"| comparison | ratio of times | {totals}{trips}"
    yield f"|---|---|--:|--:|{'---|' if counted else ''}"
    for row in comparison_rows(findings):
        ratio = f"{row.ratio.mark} {row.ratio.text}"
        own = f" {plain(row.trips)} |" if counted else ""
        yield f"| {code(row.name)} | {ratio} | {row.difference} | {row.total} |{own}"


def _distances(tables: Iterable[DistanceTable]) -> Iterator[str]:
    for table in tables:
        yield f"{plain(table.caption)}; round-trip time added by a relay."
        yield ""
        yield f"| lane | trips | {' | '.join(table.distances)} |"
        yield f"|---|--:|{'---|' * len(table.distances)}"
        for row in table.rows:
            texts = (plain(f"{one.mark} {one.text}".strip()) for one in row.shown)
            yield f"| {code(row.name)} | {row.trips} | {' | '.join(texts)} |"
        yield ""


def _pools(tables: Iterable[PoolTable]) -> Iterator[str]:
    for table in tables:
        yield f"{plain(table.caption)}; connections: at most; opened and failed: per 1,000."
        yield ""
        yield "| clients | pool | connections | goodput | which | checkout wait | opened | failed |"
        yield "|--:|---|--:|--:|---|--:|--:|--:|"
        for row in table.rows:
            numbers = row.share, row.says or row.missing, row.wait, row.opened, row.failed
            texts = row.clients, code(row.pool), row.connections, *map(plain, numbers)
            yield f"| {' | '.join(texts)} |"
        yield ""


def _grids(tables: Iterable[BatchTable]) -> Iterator[str]:
    for table in tables:
        yield f"**{plain(table.says)}**"
        yield ""
        yield from _grid(table, brief=False)
        yield ""


def _isolations(tables: Iterable[IsolationTable]) -> Iterator[str]:
    for table in tables:
        yield f"{plain(table.caption)}; goodput includes retries."
        yield ""
        yield f"| {' | '.join(HEADS)} |"
        yield f"|---|---|--:|---|---|--:|--:|{'---|' * (len(HEADS) - 7)}"
        for row in table.rows:
            standing = row.missing or f"{row.standing.mark} {row.standing.text}".strip()
            texts = (row.goodput, standing, row.wrong, row.aborted, row.failed, row.reasons)
            yield f"| {code(row.lane)} | {row.level} | {' | '.join(map(plain, texts))} |"
        yield ""


def _doubts(findings: Findings) -> Iterator[str]:
    for one in findings.trust.doubts:
        words = f"{plain(one.seen)}. Likely cause: {plain(one.cause)}. Remedy: {plain(one.remedy)}."
        yield f"- {code(one.code)} {code(one.about)}: {words}"


def _pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f"- {plain(name)}: {plain(value)}" for name, value in pairs)


def _statements(cells: Iterable[CellFinding]) -> Iterator[str]:
    for one in cells:
        for statement in one.sql:
            yield f"- {code(one.cell.id)}: {code(statement)}"


def _fenced(lines: Sequence[str]) -> Iterator[str]:
    """A code block that its own text cannot close; commands in it can be copied as they stand."""
    runs = re.findall(r"`+", "\n".join(lines))
    fence = "`" * max(3, *(len(run) + 1 for run in runs), 3)
    yield f"{fence}console"
    yield from (one_line(line) for line in lines)
    yield fence


def _fold(title: str, lines: Iterable[str], room: int) -> str:
    """A folded block of at most *room* characters; "" where not even its title fits."""
    head = f"<details><summary>{escape(title)}</summary>\n\n"
    foot = "\n\n</details>\n\n"
    kept = list(_within(list(lines), room - len(head) - len(foot)))
    return head + "\n".join(kept) + foot if kept else ""


def _within(lines: Sequence[str], room: int) -> Iterator[str]:
    """As many of *lines* as *room* characters hold, and how many are missing."""
    room -= len("\n\n") + len(_MISSING)
    for place, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            yield ""
            yield _MISSING.format(len(lines) - place)
            return
        yield line


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(plain(text) for text in texts)
