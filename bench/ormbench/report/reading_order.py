"""The one order in which every rendering lists cells and comparisons.

The focus comes first, then scenarios and targets as the plan has them. Lanes stand in one
order throughout, up the ladder from driver to ORM and else as the plan has them: a table sorted
by its own numbers would make a winner out of noise, and another one in the next run.
"""

from collections.abc import Iterable
from dataclasses import replace

from ormbench.cell import Cell
from ormbench.report.findings import Findings

_LADDER = ("raw", "core", "orm")
_KINDS = ("lane", "axis", "target", "aa")


def in_reading_order(findings: Findings) -> Findings:
    """*findings* with its cells and comparisons in that order; nothing else changes."""
    cells = [one.cell for one in findings.cells]
    cells += [one.candidate for one in findings.comparisons]
    scenarios = _places([findings.focus, *(cell.scenario for cell in cells)])
    targets = _places([findings.focus_target, *(cell.target for cell in cells)])
    lanes = _lane_places(cells)

    def place(cell: Cell) -> tuple[int, int, int]:
        return scenarios[cell.scenario], targets[cell.target], lanes[cell.lane]

    def kind(name: str) -> int:
        return _KINDS.index(name) if name in _KINDS else len(_KINDS)

    return replace(
        findings,
        cells=tuple(sorted(findings.cells, key=lambda one: place(one.cell))),
        comparisons=tuple(
            sorted(
                findings.comparisons,
                key=lambda one: (place(one.candidate)[0], kind(one.kind), place(one.candidate)),
            )
        ),
    )


def _places(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(dict.fromkeys(names))}


def _lane_places(cells: list[Cell]) -> dict[str, int]:
    """Where each lane stands: the bare driver's first, then Core's, the ORM's, and any others."""
    names = list(dict.fromkeys(cell.lane for cell in cells))
    return _places(sorted(names, key=_kind_of))


def _kind_of(lane: str) -> int:
    prefix = lane.partition("_")[0]
    return _LADDER.index(prefix) if prefix in _LADDER else len(_LADDER)
