"""The last 24 lines of a run, 80 columns wide: the answer first, then what it rests on.

Pure text. Words carry the meaning; colour, where asked for, only repeats it.
"""

import re
import sys
from collections.abc import Iterator

from ormbench.report import questions
from ormbench.report.batch_words import QUESTIONS
from ormbench.report.conditions import clients_text, focus_driver, versions
from ormbench.report.findings import Findings
from ormbench.report.quantities import duration_text
from ormbench.report.reading_order import in_reading_order
from ormbench.report.terminal_answer import Targets, answer, spoken_targets
from ormbench.report.terminal_beside import beside, other_products
from ormbench.report.terminal_full import full_tables
from ormbench.report.terminal_lines import Block, clipped, fit, head, packed, shortened, wrapped
from ormbench.report.terminal_rows import ROWS, rows_shown
from ormbench.report.terminal_table import table
from ormbench.report.terminal_untimed import LINES, untimed
from ormbench.report.trust_facts import trust_facts
from ormbench.report.words import in_ascii, one_line, readable, with_strings

HEIGHT = 24
_ANSWER_LINES = 4
_STRATEGY_LINES = 6  # of an answer that has a clause for each number of rows
_TARGET_LINES = 8  # of one about several targets
_FEWER_ROWS = 5  # of the table, where other lines say more
_GAPS, _GAPS_OF_TARGETS = 3, 2  # blank lines worth more than a further sentence
_SHAPES = {"per-operation": "transaction/op", "autocommit": "autocommit"}
_CORES = {"one-core": "one shared core", "split": "separate cores", "free": "cores not pinned"}


def render(
    findings: Findings,
    width: int = 80,
    *,
    plain: bool | None = None,
    full: bool = False,
    colour: bool = False,
) -> str:
    """Render the closing block, at most *width* columns and 24 lines; *full* puts tables above.

    *plain* keeps to ASCII; None does so where standard output cannot say "µ".
    """
    plain = not _speaks_unicode() if plain is None else plain
    known = with_strings(in_reading_order(readable(findings)), one_line)
    known = with_strings(known, in_ascii) if plain else known
    above = [*full_tables(known, plain=plain), ""] if full else []  # as wide as they need
    lines = fit(_fitting_blocks(known, width, plain=plain), HEIGHT)
    shown = [*above, *(clipped(in_ascii(line) if plain else line, width) for line in lines)]
    return "\n".join(_coloured(line) if colour else line for line in shown) + "\n"


def _fitting_blocks(findings: Findings, width: int, *, plain: bool) -> list[Block]:
    """The blocks with the longest answer for which there is room, and all ends that have any."""
    targets, usable = spoken_targets(findings), findings.trust.usable
    trust = Block(tuple(_trust(findings, width, plain=plain)), 2, gap=False)
    scope = Block(tuple(wrapped("SCOPE", findings.scope, width)), 1, gap=not usable)
    above = [*([] if usable else [trust, scope]), Block(tuple(_header(findings, width)), 2)]
    last = [*([trust, scope] if usable else []), _next(findings, targets, width)]
    gaps, blocks = _GAPS_OF_TARGETS if targets else _GAPS, list[Block]()
    for ends in (LINES, 1):
        cells = list(_cells(findings, targets, width, ends, plain=plain))
        below = [*cells, *_beside(findings, targets, width), *last]
        for size in (_whole, _least):
            for told in _answers(findings, targets, width):
                blocks = [*above, told, *below]
                if sum(map(size, blocks)) + gaps <= HEIGHT:
                    return blocks
        if sum(map(_least, blocks)) <= HEIGHT:
            break
    return blocks


def _whole(block: Block) -> int:
    return len(block.lines)


def _least(block: Block) -> int:
    return block.least


def _answers(findings: Findings, targets: Targets, width: int) -> Iterator[Block]:
    """The answer, ever shorter; of a run that is not usable why it has none."""
    if not findings.trust.usable:
        yield Block(tuple(_no_answer(findings, width)), 3)
        return
    longest = _TARGET_LINES if targets else _ANSWER_LINES
    if not targets and any(card.question in QUESTIONS for card in findings.cards):
        longest = _STRATEGY_LINES
    for most in range(longest, 0, -1):
        lines = tuple(answer(findings, targets, width, most))
        yield Block(lines, len(lines))


def _cells(
    findings: Findings, targets: Targets, width: int, ends: int, *, plain: bool
) -> Iterator[Block]:
    """The table, and why other cells have no time."""
    silent = not findings.trust.usable and any(untimed(findings, (), width))
    rows = rows_shown(findings, _FEWER_ROWS if targets or silent else ROWS)
    lines = tuple(table(findings, rows, width, plain=plain))
    without = tuple(untimed(findings, [one.cell for one in rows.cells], width, ends))
    if lines:
        yield Block(lines, len(lines), gap=not without)
    if without:
        yield Block(without, len(without))


def _beside(findings: Findings, targets: Targets, width: int) -> Iterator[Block]:
    """What stands below the table; drivers only if there is room below an answer of targets."""
    if not findings.trust.usable:
        return
    products, others = tuple(other_products(findings, width)), tuple(beside(findings, width))
    if targets:
        yield Block(products, len(products), gap=False)
        yield Block(tuple(shortened(others, 1)), 0, gap=False)
    elif products or others:
        least = max(2, len(findings.servers) - 1)
        yield Block((*products, *others), least, gap=False)


def _header(findings: Findings, width: int) -> Iterator[str]:
    cells = [one.cell for one in questions.focus_cells(findings)]
    shapes = dict.fromkeys(_SHAPES[cell.transaction] for cell in cells)
    server = " ".join(next(iter(findings.servers), ()))  # others have lines of their own
    driver = focus_driver(findings)
    first = [findings.focus, server, driver, clients_text(cells), *shapes]
    yield from packed(first, width, " ", between="  ")[:1]
    second = [
        *versions(findings, "SQLAlchemy", "Python"),
        *dict.fromkeys(_CORES[cell.placement] for cell in cells),
        f"{len(findings.cells)} cells x {findings.blocks} blocks",
        duration_text(findings.seconds),
    ]
    yield from packed(second, width, " ", between="  ")[:1]


def _no_answer(findings: Findings, width: int) -> list[str]:
    fatal = next((doubt for doubt in findings.trust.doubts if doubt.fatal), None)
    lines = wrapped("no answer:", findings.trust.cause, width)
    if fatal:
        lines += wrapped("likely", fatal.cause, width) + wrapped("remedy", fatal.remedy, width)
    return lines


def _trust(findings: Findings, width: int, *, plain: bool) -> Iterator[str]:
    facts = trust_facts(findings, plain=plain)
    if findings.trust.usable:
        yield from packed(["usable", *facts], width, head("TRUST"))
    else:
        yield from wrapped("TRUST", f"NOT USABLE: {findings.trust.cause}", width)
        yield from packed(facts, width, head(""))


def _next(findings: Findings, targets: Targets, width: int) -> Block:
    lines = wrapped("report", f"{findings.path}/report.html", width)
    if findings.next_steps:
        lines += packed(findings.next_steps, width, head("next"), between="  |  ")
    return Block(tuple(lines), 2 if targets else 1)


def _coloured(line: str) -> str:
    bold = re.sub(r"^ (ANSWER|TRUST|SCOPE|no answer:)", " \x1b[1m\\1\x1b[0m", line)
    return bold.replace("NOT USABLE", "\x1b[31mNOT USABLE\x1b[0m")


def _speaks_unicode() -> bool:
    try:
        "µ".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
