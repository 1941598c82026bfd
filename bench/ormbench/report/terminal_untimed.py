"""Cells that ended without a time, for the terminal: why, in one line for those that ended alike.

As " SKIPPED 10,000 rows (core_each and 3 more): predicted 2.3 to 9.9 s an operation".
"""

import re
from collections.abc import Callable, Iterator, Sequence

from rich.cells import cell_len

from ormbench.cell import Cell
from ormbench.report.batch_phases import rows_text
from ormbench.report.findings import CellFinding, Findings
from ormbench.report.names import bare_driver, product_name, unusual_axes
from ormbench.report.terminal_lines import clipped, head

_ENDS = ("SKIPPED", "ERROR", "TIMEOUT", "UNSUPPORTED")
LINES = 3
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def untimed(
    findings: Findings, shown: Sequence[Cell], width: int, most: int = LINES
) -> Iterator[str]:
    """A line for each end and its reason, *most* at most; not of cells *shown* with theirs."""
    found = _alike([o for o in findings.cells if o.status in _ENDS and o.cell not in shown])
    told = found if len(found) <= most else found[: most - 1]
    for cells in told:
        yield _line(findings, cells, width)
    left = [one for cells in found[len(told) :] for one in cells]
    if left:
        statuses = ", ".join(dict.fromkeys(one.status for one in left))
        more = f"{len(left)} {'more ' if told else ''}cell{'s' * (len(left) != 1)}"
        yield clipped(f" {more} without a time ({statuses}): see the report", width)


def _alike(cells: Sequence[CellFinding]) -> list[list[CellFinding]]:
    """*cells* by end and reason, whatever the numbers in it are; most cells first."""
    found: dict[tuple[str, str], list[CellFinding]] = {}
    for one in cells:
        found.setdefault((one.status, _NUMBER.sub("", _reason(one))), []).append(one)
    return sorted(found.values(), key=len, reverse=True)


def _reason(one: CellFinding) -> str:
    """What a driver said; of a cell left out for its time that time, which opens the reason."""
    return re.split("[:;] ", one.reason)[0] if one.status == "SKIPPED" else one.reason


def _line(findings: Findings, cells: Sequence[CellFinding], width: int) -> str:
    start = head(cells[0].status)
    reason = _spanned([_reason(one) for one in cells])
    names = _names([_parts(findings, one.cell) for one in cells], (width - cell_len(start)) // 2)
    return clipped(f"{start}{names}{': ' if reason else ''}{reason}", width)


def _spanned(texts: Sequence[str]) -> str:
    """Texts that differ in their numbers as one: "predicted 2.3 to 9.9 s an operation"."""
    columns = iter(zip(*(_NUMBER.findall(text) for text in texts), strict=True))

    def span(_: re.Match[str]) -> str:
        numbers = sorted(next(columns), key=lambda one: float(one.replace(",", "")))
        return " to ".join(dict.fromkeys([numbers[0], numbers[-1]]))

    return _NUMBER.sub(span, texts[0])


def _parts(findings: Findings, cell: Cell) -> list[str]:
    """What names *cell*: its scenario and driver where the focus has others, its lane, its axes."""
    rest = [one for one in unusual_axes(cell) if not one.startswith("batch=")]
    product = product_name(cell.target)
    return [
        cell.scenario if cell.scenario != findings.focus else "",
        cell.lane,
        product if product != product_name(findings.focus_target) else "",
        bare_driver(cell.target) if cell.target != findings.focus_target else "",
        rows_text(cell.batch) if cell.batch is not None else "",
        " ".join(rest),
    ]


def _names(named: Sequence[list[str]], room: int) -> str:
    """What all have in common, and in brackets what tells them apart, as far as there is *room*."""
    alike = [len(set(column)) == 1 for column in zip(*named, strict=True)]
    same = _joined(named[0], lambda place: alike[place])
    apart = [_joined(parts, lambda place: not alike[place]) for parts in named]
    if len(named) == 1:
        return same
    some = (
        f"{', '.join(apart[:n])} and {len(apart) - n} more" for n in range(len(apart) - 1, 0, -1)
    )
    texts = (f"{same} ({text})".strip() for text in (", ".join(apart), *some))
    counted = f"{same} ({len(apart)} cells)".strip()
    return next((text for text in texts if cell_len(text) <= room), counted)


def _joined(parts: Sequence[str], wanted: Callable[[int], bool]) -> str:
    return " ".join(part for place, part in enumerate(parts) if part and wanted(place))
