"""The last 24 lines of a run, 80 columns wide: the answer first, then what it rests on.

Pure text. Words carry the meaning; colour, where asked for, only repeats it.
"""

import itertools
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len, set_cell_size

from ormbench.report import gaps, questions
from ormbench.report.batch_words import QUESTIONS
from ormbench.report.cards import DRIVER, ORM_OR_CORE
from ormbench.report.findings import Findings
from ormbench.report.reading_order import in_reading_order
from ormbench.report.terminal_full import full_tables
from ormbench.report.terminal_table import focus_table
from ormbench.report.trust_facts import trust_facts
from ormbench.report.words import in_ascii, one_line, readable, with_strings

HEIGHT = 24
_ANSWER_LINES = 4
_STRATEGY_LINES = 6  # of an answer that has a clause for each number of rows
_REASON_LINES = 2  # of why a product was left out
_GAPS = 3  # blank lines worth more than a further sentence
_INDENT = " " * 9
_SHAPES = {"per-operation": "transaction/op", "autocommit": "autocommit"}
_CORES = {"one-core": "one shared core", "split": "separate cores", "free": "cores not pinned"}
# between a number and its unit, and inside an interval
_UNBREAKABLE = re.compile(r"(?<=\d) (?=%|[num\u00b5]?s\b)|(?<=,) (?=[^\s\]]+\])|(?<=x) (?=\[)")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together, and how few of them still say what they are for."""

    lines: tuple[str, ...]
    least: int
    gap: bool = True  # a blank line follows, where there is room

    def shorter(self) -> "Block":
        """One line less; the new last line ends in dots."""
        kept = self.lines[:-1]
        return replace(self, lines=(*kept[:-1], kept[-1].removesuffix(" ...") + " ..."))


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
    shown = [*above, *(_clip(in_ascii(line) if plain else line, width) for line in lines)]
    return "\n".join(_coloured(line) if colour else line for line in shown) + "\n"


def _fitting_blocks(findings: Findings, width: int, *, plain: bool) -> list["Block"]:
    """The blocks with the longest answer for which there is room."""
    blocks: list[Block] = []
    strategies = any(card.question in QUESTIONS for card in findings.cards)
    longest = _STRATEGY_LINES if strategies else _ANSWER_LINES
    for answer_lines in range(longest, 0, -1):
        blocks = list(_blocks(findings, width, answer_lines, plain=plain))
        if sum(len(block.lines) for block in blocks) + _GAPS <= HEIGHT:
            break
    return blocks


def fit(blocks: list[Block], height: int) -> list[str]:
    """Lay *blocks* out in *height* lines: gaps go first, the last before the first; then lines."""
    while _height(blocks) > height:
        roomy = [place for place, block in enumerate(blocks[:-1]) if block.gap]
        long = [place for place, block in enumerate(blocks) if len(block.lines) > block.least]
        if len(roomy) > len(blocks) // 2 or (roomy and not long):
            blocks[roomy[-1]] = replace(blocks[roomy[-1]], gap=False)
        elif long:
            most = max(long, key=lambda place: len(blocks[place].lines) - blocks[place].least)
            blocks[most] = blocks[most].shorter()
        else:
            break
    lines: list[str] = []
    for block in blocks:
        lines += [*block.lines, ""] if block.gap else block.lines
    return lines[:-1] if blocks[-1].gap else lines


def _height(blocks: list[Block]) -> int:
    return sum(len(block.lines) + block.gap for block in blocks) - blocks[-1].gap


def _blocks(findings: Findings, width: int, answer_lines: int, *, plain: bool) -> Iterator[Block]:
    trust = tuple(_trust(findings, width, plain=plain))
    scope = tuple(_wrapped("SCOPE", findings.scope, width))
    if not findings.trust.usable:
        yield Block(trust, 2, gap=False)
        yield Block(scope, 1)
    yield Block(tuple(_header(findings, width)), 2)
    answer = tuple(_answer(findings, width, answer_lines))
    yield Block(answer, len(answer) if findings.trust.usable else 3)
    table = tuple(focus_table(findings, width, plain=plain))
    if table:
        yield Block(table, len(table))
    if findings.trust.usable:
        spread = tuple(_spread(findings, width))
        if spread:
            yield Block(spread, max(2, len(findings.servers) - 1), gap=False)
        yield Block(trust, 2, gap=False)
        yield Block(scope, 1, gap=False)
    yield Block(tuple(_next(findings, width)), 1)


def _header(findings: Findings, width: int) -> Iterator[str]:
    cells = [one.cell for one in questions.focus_cells(findings)]
    shapes = dict.fromkeys(_SHAPES[cell.transaction] for cell in cells)
    server = " ".join(next(iter(findings.servers), ()))  # others have lines of their own
    driver = questions.focus_driver(findings)
    first = [findings.focus, server, driver, questions.clients_text(cells), *shapes]
    yield from _packed(first, width, " ", between="  ")[:1]
    second = [
        *questions.environment(findings, "SQLAlchemy", "Python"),
        *dict.fromkeys(_CORES[cell.placement] for cell in cells),
        f"{len(findings.cells)} cells x {findings.blocks} blocks",
        questions.duration_text(findings.seconds),
    ]
    yield from _packed(second, width, " ", between="  ")[:1]


def _answer(findings: Findings, width: int, most: int) -> list[str]:
    if findings.trust.usable:
        return _whole_sentences(findings.answer, width, most)
    fatal = next((doubt for doubt in findings.trust.doubts if doubt.fatal), None)
    lines = _wrapped("no answer:", findings.trust.cause, width)
    if fatal:
        lines += _wrapped("likely", fatal.cause, width) + _wrapped("remedy", fatal.remedy, width)
    return lines


def _whole_sentences(sentences: Sequence[str], width: int, most: int) -> list[str]:
    """The first sentence of the answer, and as many others as have room beside it."""
    lines = _wrapped("ANSWER", sentences[0] if sentences else "", width)
    most = max(most, len(lines))
    for count in range(2, len(sentences) + 1):
        longer = _wrapped("ANSWER", " ".join(sentences[:count]), width)
        if len(longer) > most:
            break
        lines = longer
    return lines


def _spread(findings: Findings, width: int) -> Iterator[str]:
    yield from _other_products(findings, width)
    card = next((one for one in findings.cards if one.question == DRIVER and one.measured), None)
    if card:
        lanes = card.detail.partition(" (")[0].removesuffix(f" of {findings.focus}")
        yield from _wrapped("driver", f"{card.verdict}   {lanes}", width)
        for product, text in card.others:
            yield from _wrapped("driver", f"on {product} {text}", width)
    for product, reason in gaps.absent(findings):
        yield from _wrapped(product, f"left out: {reason}", width)[:_REASON_LINES]
    lane, others = questions.elsewhere(findings)
    if others:
        texts = [f"{one.candidate.scenario} {questions.short_ratio(one)}" for one in others]
        label = f"{lane}/{questions.reference_name(findings)} elsewhere:"
        yield from _wrapped(label, ", ".join(texts), width)


def _other_products(findings: Findings, width: int) -> Iterator[str]:
    """A line for each product beside the focus's, which speaks of it alone."""
    card = next((one for one in findings.cards if one.question == ORM_OR_CORE), None)
    says = dict(card.others) if card else {}
    for product, words in findings.servers[1:]:
        text = f"{words}, {says[product]}" if product in says else words
        yield from _wrapped(product, text, width)


def _trust(findings: Findings, width: int, *, plain: bool) -> Iterator[str]:
    facts = trust_facts(findings, plain=plain)
    if findings.trust.usable:
        yield from _packed(["usable", *facts], width, _head("TRUST"))
    else:
        yield from _wrapped("TRUST", f"NOT USABLE: {findings.trust.cause}", width)
        yield from _packed(facts, width, _INDENT)


def _next(findings: Findings, width: int) -> Iterator[str]:
    yield from _wrapped("report", f"{findings.path}/report.html", width)
    if findings.next_steps:
        yield from _packed(findings.next_steps, width, _head("next"), between="  |  ")


def _head(label: str) -> str:
    return f" {label:<7} "


def _wrapped(label: str, text: str, width: int) -> list[str]:
    lines = textwrap.wrap(
        _UNBREAKABLE.sub("\u00a0", text),
        width,
        initial_indent=_head(label),
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0", " ") for line in lines] or [_head(label).rstrip()]


def _packed(items: Iterable[str], width: int, head: str, between: str = "   ") -> list[str]:
    """*items* side by side behind *head*, as many to a line as there is room for."""
    lines: list[str] = []
    room = width - cell_len(head)
    parts = (textwrap.wrap(item, room, break_on_hyphens=False) for item in items)
    for item in itertools.chain.from_iterable(parts):
        joined = f"{lines[-1]}{between}{item}" if lines else f"{head}{item}"
        if lines and cell_len(joined) > width:
            lines.append(" " * len(head) + item)
        else:
            lines[-1:] = [joined]
    return lines


def _clip(line: str, width: int) -> str:
    fits = cell_len(line) <= width
    return (line if fits else set_cell_size(line, width - 3) + "...").rstrip()


def _coloured(line: str) -> str:
    bold = re.sub(r"^ (ANSWER|TRUST|SCOPE|no answer:)", " \x1b[1m\\1\x1b[0m", line)
    return bold.replace("NOT USABLE", "\x1b[31mNOT USABLE\x1b[0m")


def _speaks_unicode() -> bool:
    try:
        "µ".encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
