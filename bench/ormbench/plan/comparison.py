"""One comparison of a plan: a star of cells around a reference, for every combination."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import product
from typing import Any

from ormbench.cell import GROUP_LIMIT, Cell, Contrast, ContrastKind, Group, LeftOut
from ormbench.errors import UsageError
from ormbench.loader import Loaded
from ormbench.plan.axes import AUTO, AXES, nearest
from ormbench.plan.runnable import why_not
from ormbench.servers.placement import CAN_PIN
from ormbench.servers.supply import EVERYTHING, Supply
from ormbench.targets.target import NO_TARGET, TARGETS

_BARE: Mapping[str, list[Any]] = {
    "target": [NO_TARGET],
    "rtt": [None],
    "pool": [None],
    "isolation": [None],
    "processes": [1],
    "batch": [None],
    "cache": [None],
}
"""What a scenario has whose lanes need no database."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Axis name -> values; cells that differ in *across* are compared with *reference*."""

    axes: Mapping[str, list[Any]]
    across: str = "lane"
    reference: Any = None  # a value of *across*; None, where that is none, takes the first
    aa_pairs: int = 0  # not a comparison of lanes, but so many A/A pairs of each cell
    longest: float | None = None  # seconds of an operation; None: what the whole plan says


@dataclass(slots=True)
class Expansion:
    """Groups and left-out cells, collected."""

    groups: list[Group] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, other: "Expansion") -> None:
        """Take in what another comparison gave."""
        self.groups += other.groups
        self.left_out += other.left_out


def expand(
    comparison: Comparison, loaded: Mapping[str, Loaded], supply: Supply = EVERYTHING
) -> Expansion:
    """All groups of a comparison. Raises UsageError for names that nothing is called."""
    found = Expansion()
    for axes in by_scenario(comparison, loaded):
        others = [name for name in AXES if name != comparison.across]
        for combination in product(*(axes[name] for name in others)):
            fixed = dict(zip(others, combination, strict=True))
            cells = (
                _cell({**fixed, comparison.across: value}, supply)
                for value in axes[comparison.across]
            )
            for star in _by_product(list(dict.fromkeys(cells))):
                _add_star(found, comparison, _runnable(star, loaded, supply, found), supply)
    return found


def by_scenario(comparison: Comparison, loaded: Mapping[str, Loaded]) -> list[dict[str, list[Any]]]:
    """The axes for each scenario, names looked up. Raises UsageError like `expand`."""
    names = _scenarios(comparison.axes["scenario"], loaded)
    found = [_for_scenario(comparison.axes, loaded[name]) for name in names]
    _check_reference(comparison, found)
    return found


def _check_reference(comparison: Comparison, of_scenarios: list[dict[str, list[Any]]]) -> None:
    """A reference that no scenario has is a mistake; one that cannot run here is not."""
    wanted, across = comparison.reference, comparison.across
    known = dict.fromkeys(value for axes in of_scenarios for value in axes[across])
    if wanted is not None and wanted not in {*known, *comparison.axes[across]}:
        raise UsageError(
            f"reference {wanted!r} is not among the values of {across} that are compared: "
            + ", ".join(map(str, known))
        )


def _scenarios(patterns: list[str], loaded: Mapping[str, Loaded]) -> list[str]:
    names: dict[str, None] = {}
    for pattern in patterns:
        matching = [name for name in loaded if fnmatch(name, pattern)]
        if not matching:
            raise nearest("scenario", pattern, list(loaded), "scenarios")
        names.update(dict.fromkeys(matching))
    return list(names)


def _for_scenario(axes: Mapping[str, list[Any]], loaded: Loaded) -> dict[str, list[Any]]:
    """The axes with lane patterns resolved; a lane without a database has none of one's axes."""
    known = loaded.lane_names()
    lanes: dict[str, None] = {}
    for pattern in axes.get("lane") or known:
        matching = loaded.matching(pattern)
        if not matching:
            raise nearest(f"lane of {loaded.name}", pattern, known, "scenarios")
        lanes.update(dict.fromkeys(matching))
    bare = all(loaded.lane(name).receives == "nothing" for name in lanes)
    found = {**axes, "scenario": [loaded.name], "lane": list(lanes)}
    if bare:
        return {**found, **_BARE}
    return {**found, "target": matching_targets(axes["target"])}


def matching_targets(patterns: list[str]) -> list[str]:
    """The targets that the *patterns* fit. Raises UsageError for one that fits none."""
    names: dict[str, None] = {}
    for pattern in patterns:
        matching = [name for name in TARGETS if fnmatch(name, pattern)]
        if not matching:
            raise nearest("target", pattern, list(TARGETS), "targets")
        names.update(dict.fromkeys(matching))
    return list(names)


def _by_product(cells: list[Cell]) -> list[list[Cell]]:
    """Cells of one server product each: no verdict ever compares products."""
    stars: dict[str, list[Cell]] = {}
    for cell in cells:
        stars.setdefault(cell.target.partition("+")[0], []).append(cell)
    return list(stars.values())


def _cell(values: Mapping[str, Any], supply: Supply) -> Cell:
    """A cell with its placement chosen where that is `auto`.

    An rtt changes nothing of it: client and server share their core, the relay runs beside them.
    """
    placement = values["placement"]
    if placement == AUTO:
        alone = values["clients"] == values["processes"] == 1
        serial = alone and CAN_PIN and supply.is_ours
        placement = "one-core" if serial else "free"
    return Cell(**{**values, "placement": placement})


def _runnable(
    star: list[Cell], loaded: Mapping[str, Loaded], supply: Supply, found: Expansion
) -> list[Cell]:
    runnable = []
    for cell in star:
        reason = why_not(cell, loaded[cell.scenario], supply)
        if reason is None:
            runnable.append(cell)
        else:
            found.left_out.append(LeftOut(cell, reason))
    return runnable


def _add_star(found: Expansion, comparison: Comparison, star: list[Cell], supply: Supply) -> None:
    if not star:
        return
    if comparison.aa_pairs:
        for cell in star:
            if _fits(found, cell, cell, "its twin", supply):
                found.groups += [_aa(cell, pair) for pair in range(comparison.aa_pairs)]
        return
    wanted = comparison.reference
    references = [cell for cell in star if getattr(cell, comparison.across) == wanted]
    reference = references[0] if references else star[0]
    kind: ContrastKind = comparison.across if comparison.across in {"lane", "target"} else "axis"  # type: ignore[assignment]  # the set says which
    others = [cell for cell in star if cell != reference]
    others = [cell for cell in others if _fits(found, cell, reference, "the reference", supply)]
    room = supply.most_connections - reference.connections
    for number, chunk in enumerate(_chunks(others, room)):
        contrasts = tuple(Contrast(arm, 0, kind) for arm in range(1, len(chunk) + 1))
        name = _name(reference, comparison, number)
        found.groups.append(Group(name, (reference, *chunk), contrasts))
    if not others:
        found.groups.append(Group(_name(reference, comparison, 0), (reference,)))


def _fits(found: Expansion, cell: Cell, beside: Cell, what: str, supply: Supply) -> bool:
    """Whether the server can hold the connections of both; if not, *cell* is left out."""
    both = cell.connections + beside.connections
    if both > supply.most_connections:
        reason = f"with {what} it needs {both} connections, the server takes {supply.connections}"
        found.left_out.append(LeftOut(cell, reason))
    return both <= supply.most_connections


def _aa(cell: Cell, pair: int) -> Group:
    return Group(f"A/A {cell.id} #{pair}", (cell, cell), (Contrast(1, 0, "aa"),))


def _name(reference: Cell, comparison: Comparison, number: int) -> str:
    return f"{reference.id} across {comparison.across} #{number}"


def _chunks(cells: list[Cell], room: int) -> Iterator[list[Cell]]:
    """Groups of at most GROUP_LIMIT arms, whose connections have *room* beside the reference's."""
    chunk: list[Cell] = []
    for cell in cells:
        full = len(chunk) == GROUP_LIMIT - 1
        if chunk and (full or sum(one.connections for one in chunk) + cell.connections > room):
            yield chunk
            chunk = []
        chunk.append(cell)
    if chunk:
        yield chunk


def check_across(across: str) -> str:
    """Raises UsageError where *across* is no axis that cells can be compared across."""
    if across not in AXES or across == "scenario":
        known = [name for name in AXES if name != "scenario"]
        raise UsageError(f"{across!r} is no axis to compare across: {', '.join(known)}")
    return across
