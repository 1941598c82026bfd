"""The answer on the terminal: its first sentences, or what each target's strategies say.

Of strategies each target has a line or two of its own. What they leave out is counted, and stands
in the report.
"""

from collections.abc import Iterator, Sequence
from itertools import product

from ormbench.report.batch_phases import DRIVER_ALONE, GAIN, clauses, explained
from ormbench.report.batch_words import spoken_grids
from ormbench.report.batches import Grid
from ormbench.report.findings import Findings
from ormbench.report.focus import Focus
from ormbench.report.terminal_lines import shortened, wrapped

Targets = tuple[Grid, ...]  # of each the strategies, the focus's first
ANSWER = "ANSWER"
_TARGETS = 3  # that have lines of their own
_LINES = 2  # of each; one more where the last step would be left out
_ELSEWHERE = "see the report"


def answer(findings: Findings, targets: Targets, width: int, most: int) -> list[str]:
    """The answer of a usable run, in *most* lines or as many as its first part takes.

    *targets* are its `spoken_targets`.
    """
    if not targets:
        return _whole(findings.answer, width, most)
    lines = _of_targets(targets, width, _LINES + 1)
    others = _beside(findings, targets)
    longer = [*lines, *wrapped("", " ".join(others), width)] if others else lines
    known = (one for one in (longer, lines) if len(one) <= most)
    return next(known, None) or _of_targets(targets, width, _LINES)


def spoken_targets(findings: Findings) -> Targets:
    """The strategies of each target, where the answer is about those of several; else ()."""
    focus = Focus(findings.focus, findings.focus_target)
    found = spoken_grids(findings.comparisons, findings.cells, focus)
    told = len(_beside(findings, found)) < len(findings.answer)
    return found if len(found) > 1 and told else ()


def _beside(findings: Findings, found: Targets) -> list[str]:
    """The sentences of the answer that are not about the strategies of one target."""
    places = tuple(f"{one.place}: " for one in found)
    return [one for one in findings.answer if not one.startswith(places)]


def _whole(sentences: Sequence[str], width: int, most: int) -> list[str]:
    """The first sentence of the answer, and as many others as have room beside it."""
    lines = wrapped(ANSWER, sentences[0] if sentences else "", width)
    most = max(most, len(lines))
    for count in range(2, len(sentences) + 1):
        longer = wrapped(ANSWER, " ".join(sentences[:count]), width)
        if len(longer) > most:
            break
        lines = longer
    return lines


def _of_targets(found: Targets, width: int, most: int) -> list[str]:
    """The lines of each target, *most* where fewer leave something out; then how many more.

    Of more targets than there is room for.
    """
    lines: list[str] = []
    gains, glossed = 0, False
    for grid in found[:_TARGETS]:
        label, text, wrap = "" if lines else ANSWER, "", list[str]()
        texts = _ever_shorter(grid, most, glossed=glossed)
        before_or_short = dict.fromkeys((gains, max(gains, 1)))
        for (text, room), before in product(texts, before_or_short):
            wrap = wrapped(label, _brief(text, grid, before), width)
            if len(wrap) <= room:
                break
        lines += shortened(wrap, most)
        gains += text.count(GAIN)
        glossed = glossed or DRIVER_ALONE in text
    if len(found) > _TARGETS:
        lines += wrapped("", _more(len(found) - _TARGETS, "target"), width)
    return lines


def _ever_shorter(grid: Grid, most: int, *, glossed: bool) -> Iterator[tuple[str, int]]:
    """What is said of *grid*, less and less, each with the lines that it may take.

    All of it; without what was not told apart; without what raw means; with fewer steps.
    """
    told = clauses(grid, ties=False)
    whole, steps = "; ".join(clauses(grid)), "; ".join(told)
    fewer = [(one, most) for one in _fewer(told)]
    for one, room in [(whole, _LINES), (steps, _LINES), (steps, most), *fewer]:
        text = f"{grid.place}: {one}."
        if not glossed and explained(text) != text:
            yield explained(text), room
        yield text, room


def _fewer(told: Sequence[str]) -> Iterator[str]:
    """The first clause and fewer and fewer of the last, and how many are missing."""
    for kept in range(len(told) - 2, -1, -1):
        last = told[len(told) - kept :]
        yield "; ".join([told[0], _more(len(told) - 1 - kept, "step"), *last])


def _brief(text: str, grid: Grid, gains: int) -> str:
    """*text* with shorter gains, of which *gains* came before: the third is "1.4x core's".

    The first and the second say of what.
    """
    unit, short = f"{GAIN} {grid.reference}", f"{grid.reference}'s"
    forms = (unit, f"{short} rows/s", short)
    first, *parts = text.split(unit)
    last = len(forms) - 1
    told = (forms[min(gains + n, last)] + part for n, part in enumerate(parts))
    return first + "".join(told)


def _more(count: int, noun: str) -> str:
    """As "2 more steps: see the report"."""
    return f"{count} more {noun}{'s' * (count != 1)}: {_ELSEWHERE}"
