"""The panels of throughput and service times: whose rows, how they are called, how high. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import wrap
from typing import Any

from ormbench.report import questions
from ormbench.report.batch_panels import cells_of
from ormbench.report.findings import CellFinding, Findings
from ormbench.report.row_names import row_names

LIMIT = 60  # rows of a chart; the table of cells has them all
TITLE = 0.26  # inches above the rows
_LETTER = 0.068  # inches of a name's letter
_PITCH, _PITCH_OF_TWO, _FOOT = 0.235, 0.35, 0.56
_LINES = 2  # of a name, where one has no room


@dataclass(frozen=True)
class Panel:
    """The cells of one scenario on one server product, on an axis of their own."""

    scenario: str  # with the product, where there is more than one
    cells: tuple[CellFinding, ...]

    @cached_property
    def _named(self) -> tuple[str, list[str]]:
        return row_names(self.scenario, [one.cell for one in self.cells])

    @property
    def title(self) -> str:
        """What all its rows share."""
        return self._named[0]

    @property
    def names(self) -> list[str]:
        """What tells its rows apart."""
        return self._named[1]

    def labels(self, room: float) -> list[list[str]]:
        """The names, each in lines of at most *room* inches; what two do not hold is cut."""
        width = int((room - 0.1) / _LETTER)
        how: dict[str, Any] = {"placeholder": "…", "break_on_hyphens": False}
        return [wrap(name, width, max_lines=_LINES, **how) for name in self.names]

    def rows(self, room: float) -> float:
        """Inches of its rows alone, where names have *room*."""
        long = any(len(lines) > 1 for lines in self.labels(room))
        return len(self.cells) * (_PITCH_OF_TWO if long else _PITCH)

    def height(self, room: float) -> float:
        """Inches with its title above and its axis below."""
        return TITLE + self.rows(room) + _FOOT


def panels(
    findings: Findings, without: Callable[[CellFinding], object] = lambda _: False
) -> tuple[Panel, ...]:
    """A panel a scenario and product, without the cells that a grid of strategies shows."""
    room, found, inside = LIMIT, [], cells_of(findings)
    measured = [
        one
        for one in findings.cells
        if one.service and one.cell.target != "none" and one.cell not in inside
    ]
    for title, those in questions.sections(findings):
        cells = [one for one in those if one in measured and not without(one)]
        if cells and room > 0:
            found.append(Panel(title, tuple(cells[:room])))
            room -= len(cells)
    return tuple(found)


def room_for(known: Sequence[Panel], *, narrow: bool) -> float:
    """Inches for the longest name, as far as the plot can spare them."""
    least, most = (1.5, 2.0) if narrow else (2.1, 2.7)
    longest = max((len(name) for one in known for name in one.names), default=0)
    return min(max(longest * _LETTER + 0.11, least), most)
