"""What the names of lanes stand for: each once, with its label and the page that it follows."""

from dataclasses import dataclass

from ormbench.report.findings import Findings
from ormbench.report.rows import web_address


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane of one scenario."""

    scenario: str
    name: str
    label: str  # first line of its docstring
    link: str  # address of the documentation page; "" where there is none


def lane_key(findings: Findings) -> tuple[Lane, ...]:
    """Each lane that talks to a server and has a label, in the order of the cells."""
    known: dict[tuple[str, str], Lane] = {}
    for one in findings.cells:
        cell = one.cell
        if cell.target != "none" and one.label:
            lane = Lane(cell.scenario, cell.lane, one.label, web_address(one.docs))
            known.setdefault((cell.scenario, cell.lane), lane)
    return tuple(known.values())
