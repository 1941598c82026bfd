"""The run as a pull-request comment: answer first, one table, the rest folded away.

The whole stays below the size that hosts accept.
"""

from collections.abc import Iterator, Sequence

from ormbench.report import doubts_gravest, gaps, questions
from ormbench.report.batch_table import BatchTable, batch_tables
from ormbench.report.conditions import clients_text, focus_driver, servers_text, versions
from ormbench.report.findings import Findings
from ormbench.report.markdown_folds import folds
from ormbench.report.markdown_tables import cell_table, grid
from ormbench.report.markdown_text import code, count_rows, fenced, fold, joined, plain, within
from ormbench.report.quantities import duration_text
from ormbench.report.reading_order import in_reading_order
from ormbench.report.rows import cell_rows
from ormbench.report.trust_facts import trust_facts
from ormbench.report.words import readable

LIMIT = 59_000  # characters; hosts cut or refuse comments above 65,536
_FOCUS_ROOM = 20_000  # characters of the first table
_CARDS_ROOM = 10_000
_LONGEST_COMMAND = 2_000
_LEFT_OUT_ROOM = 1_500  # for the line that says which folds have none


def render(findings: Findings) -> str:
    """Render the comment; where it would be too long, rows give way to a count of them."""
    known = in_reading_order(readable(findings))
    text = "\n".join(_top(known)) + "\n"
    blocks, without = [], []
    left = LIMIT - len(text) - _LEFT_OUT_ROOM
    for title, lines in folds(known):
        told = list(lines)
        block = fold(title, told, left)
        left -= len(block)
        blocks.append(block)
        if not block and (rows := count_rows(told)):
            without.append(f"{title} ({rows:,} {'row' if rows == 1 else 'rows'})")
    return text + "".join([*blocks, *_too_long(without)])


def _too_long(without: Sequence[str]) -> Iterator[str]:
    """Which folds have no room, and where they are to be read."""
    if without:
        where = "report.html, which `ormbench report` makes of this run's folder"
        yield f"**Left out** for the length of a comment: {joined(without, 1_000)}. See {where}.\n"


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
    if doubt := doubts_gravest.text(findings.trust):
        yield f"**Largest doubt** {plain(doubt)}"
        yield ""
    yield f"**Scope** {plain(findings.scope)}. **Does not say** {joined(findings.does_not_say)}"
    yield ""
    yield f"{code(findings.focus)}, {joined(_conditions(findings))}"
    yield ""
    if len(findings.reproduce) <= _LONGEST_COMMAND:
        yield from fenced(findings.reproduce)
    else:
        yield "The command that makes this run again is too long for here: see the report."
    yield ""


def _conditions(findings: Findings) -> Iterator[str]:
    cells = [one.cell for one in questions.focus_cells(findings)]
    yield from filter(None, [servers_text(findings), focus_driver(findings)])
    yield from versions(findings, "SQLAlchemy", "Python")
    yield clients_text(cells)
    yield f"{findings.blocks} blocks in {duration_text(findings.seconds)}"
    yield findings.started[:10]


def _focus(findings: Findings) -> Iterator[str]:
    """The first table: of cells; of a grid of strategies, which has too many, of its ratios."""
    if grids := [one for one in batch_tables(findings) if _is_focus(findings, one)]:
        yield from within(list(grid(grids[0], brief=True)), _FOCUS_ROOM)
        yield ""
        return
    wanted = {one.cell for one in questions.focus_cells(findings)}
    rows = [row for row in cell_rows(findings) if row.finding.cell in wanted]
    if rows:
        lines = list(cell_table(rows, findings, with_scenario=False))
        yield from within(lines, _FOCUS_ROOM)
        yield ""


def _is_focus(findings: Findings, table: BatchTable) -> bool:
    return (table.scenario, table.target) == (findings.focus, findings.focus_target)


def _cards(findings: Findings) -> Iterator[str]:
    """What each card says that was measured, and of other products, a line each."""
    if not findings.trust.usable:
        return
    said = list(_said(findings))
    said += [f"- **{plain(one)}** left out: {plain(why)}" for one, why in gaps.absent(findings)]
    if said:
        yield from within(said, _CARDS_ROOM)
        yield ""


def _said(findings: Findings) -> Iterator[str]:
    for card in findings.cards:
        if card.measured:
            words = f"{card.verdict}; {card.detail}" if card.detail else card.verdict
            yield f"- **{plain(card.question)}** {plain(words)}"
            for product, text in card.others:
                yield f"- {plain(card.question)} **{plain(product)}**: {plain(text)}"
