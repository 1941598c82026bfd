"""What users meet right after the server closed idle connections, by rule: headline and answer.

"core pool=fitted fails 8 of 40 operations": said of each pool of the focus.
"""

from collections.abc import Iterator, Sequence

from ormbench.report.cell_names import cell_names
from ormbench.report.findings import CellFinding
from ormbench.report.focus import Focus
from ormbench.report.pool_facts import ANSWERED

_AFTER = "right after the server closed idle connections"
_ERROR = 100  # characters of an error; the page has all of it
_MOST = 6  # cells that are spoken of


def headline(cells: Sequence[CellFinding], focus: Focus) -> str:
    """The answer in one line; "" where no idle connection of the focus was closed."""
    told = "; ".join(_failed(name, one) for name, one in _met(cells, focus))
    return f"{focus.scenario}, {_AFTER}: {told}" if told else ""


def answer(cells: Sequence[CellFinding], focus: Focus) -> tuple[str, ...]:
    """What each pool's users met, and with which error; () where nothing was closed."""
    first = headline(cells, focus)
    errors = [f"{name}: {error}" for name, one in _met(cells, focus) for error in _errors(one)]
    return tuple(f"{one}." for one in (first, *errors) if one)


def _met(cells: Sequence[CellFinding], focus: Focus) -> list[tuple[str, CellFinding]]:
    here = [one for one in cells if one.cell.scenario == focus.scenario and one.idle]
    own = [one for one in here if one.cell.target == focus.target] or here
    names = cell_names(one.cell for one in own)
    return [(names[one.cell], one) for one in own[:_MOST]]


def _failed(name: str, one: CellFinding) -> str:
    asked = sum(times for _, times in one.idle)
    failed = asked - dict(one.idle).get(ANSWERED, 0)
    return f"{name} fails {failed:,} of {asked:,} operations"


def _errors(one: CellFinding) -> Iterator[str]:
    for error, times in one.idle:
        if error != ANSWERED:
            short = error if len(error) <= _ERROR else f"{error[:_ERROR]}…"
            yield f"{times:,} x {short.rstrip('.')}"
