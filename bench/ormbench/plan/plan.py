"""A plan: the question, how long to ask, and the groups that answer it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ormbench.cell import Cell, Group, LeftOut
from ormbench.errors import UsageError
from ormbench.loader import Loaded, shipped
from ormbench.plan.axes import AXES
from ormbench.plan.comparison import Comparison, Expansion, expand
from ormbench.plan.duration import estimate
from ormbench.servers.supply import EVERYTHING, Supply

BLOCKS = 8  # fewer cannot give a 99 % interval
ROUNDS = 24
LONGEST = 10.0  # seconds
EMPTY = "empty"
REFERENCE_LANE = "core"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run measures."""

    name: str
    title: str
    focus: str
    reference: str  # "lane=core"
    blocks: int
    rounds: int
    groups: tuple[Group, ...]
    left_out: tuple[LeftOut, ...] = ()
    next_steps: tuple[str, ...] = ()
    budget: float | None = None  # seconds of measurement that rounds shrink to fit
    longest: float = LONGEST  # seconds: cells of which an operation takes longer are SKIPPED
    limits: Mapping[str, float] = field(default_factory=dict)  # of cells with another, by Cell.id
    refilled: frozenset[str] = frozenset()  # scenarios whose slices start from filled tables

    @property
    def cells(self) -> list[Cell]:
        """Every cell once, in the order of the groups."""
        return list(dict.fromkeys(cell for group in self.groups for cell in group.cells))

    @property
    def connections(self) -> int:
        """The most connections that a group holds open at once."""
        return max(sum(cell.connections for cell in group.cells) for group in self.groups)

    @property
    def seconds(self) -> float:
        """An estimate of the wall time of the measurement."""
        arms = [cell for group in self.groups for cell in group.cells]
        return estimate(arms, self.blocks, self.rounds, self.budget, self.refilled)


@dataclass(frozen=True, slots=True)
class Wish:
    """A plan before its names are looked up: what TOML and flags say."""

    name: str
    title: str
    comparisons: Sequence[Comparison]
    focus: str = ""
    blocks: int = BLOCKS
    rounds: int = ROUNDS
    next_steps: tuple[str, ...] = ()
    budget: float | None = None
    longest: float = LONGEST


def make(wish: Wish, loaded: Mapping[str, Loaded], supply: Supply = EVERYTHING) -> Plan:
    """Look everything up, and add what every run carries: an A/A pair and `empty`."""
    found, reference, limits = _expanded(wish, loaded, supply)
    found.groups = _once(found.groups)
    measured = [group.cells[0].scenario for group in found.groups]
    focus = wish.focus if wish.focus in measured else measured[0]
    found.add(_controls(found.groups, focus, loaded, supply))
    return Plan(
        wish.name,
        wish.title,
        focus,
        reference,
        wish.blocks,
        wish.rounds,
        tuple(_unique_names(found.groups)),
        tuple(found.left_out),
        wish.next_steps,
        wish.budget,
        wish.longest,
        limits,
        frozenset(name for name in measured if _refilled(loaded[name])),
    )


def _expanded(
    wish: Wish, loaded: Mapping[str, Loaded], supply: Supply
) -> tuple[Expansion, str, dict[str, float]]:
    """All comparisons expanded, the reference of the first, and the limits of a `Plan`."""
    found, reference, longest = Expansion(), "", dict[str, float]()
    for comparison in wish.comparisons:
        one = expand(comparison, loaded, supply)
        if one.groups and not found.groups:
            reference = f"{comparison.across}={getattr(one.groups[0].cells[0], comparison.across)}"
        found.add(one)
        for cell in (cell for group in one.groups for cell in group.cells):
            allowed = comparison.longest or wish.longest
            longest[cell.id] = max(allowed, longest.get(cell.id, 0.0))
    if not found.groups:
        reasons = "; ".join(dict.fromkeys(one.reason for one in found.left_out))
        raise UsageError(f"plan {wish.name} has no cell that can run here: {reasons}")
    return found, reference, {name: s for name, s in longest.items() if s != wish.longest}


def _refilled(loaded: Loaded) -> bool:
    state = loaded.scenario.state
    return state is not None and state.starts == "seeded"


def _once(groups: Sequence[Group]) -> list[Group]:
    """Without comparisons that stand there already, and cells alone that one of them has."""
    kept: dict[object, Group] = {}
    compared = {cell for group in groups if _compares(group) for cell in group.cells}
    for number, group in enumerate(groups):
        if _compares(group):
            kept.setdefault((group.cells, group.contrasts), group)
        elif group.contrasts:
            kept[number] = group  # A/A pairs are many on purpose
        elif group.cells[0] not in compared:
            kept.setdefault(group.cells, group)
    return list(kept.values())


def _compares(group: Group) -> bool:
    return any(contrast.kind != "aa" for contrast in group.contrasts)


def _controls(
    groups: Sequence[Group], focus: str, loaded: Mapping[str, Loaded], supply: Supply
) -> Expansion:
    """An A/A pair of a reference cell of each product, and the scenario that does nothing."""
    added = Expansion()
    twins = [_twin(of_one, focus, supply.most_connections) for of_one in _by_product(groups)]
    first = twins[0]
    if not any(contrast.kind == "aa" for group in groups for contrast in group.contrasts):
        for twin in twins:
            added.add(expand(_alone(twin, aa_pairs=1), loaded, supply))
    if all(cell.scenario != EMPTY for group in groups for cell in group.cells):
        known = {**loaded, EMPTY: loaded.get(EMPTY) or shipped()[EMPTY]}
        beside = {"placement": first.placement} if first.clients == 1 else {}
        nothing = _defaults({"scenario": EMPTY, "lane": "nothing", **beside})
        added.add(expand(nothing, known, supply))
    return added


def _by_product(groups: Sequence[Group]) -> list[list[Group]]:
    """The groups of each server product; that of the first group first."""
    found: dict[str, list[Group]] = {}
    for group in groups:
        found.setdefault(group.cells[0].target.partition("+")[0], []).append(group)
    return list(found.values())


def _twin(groups: Sequence[Group], focus: str, room: int) -> Cell:
    """The first reference, of the focus if possible, that the server can hold twice.

    Of several distances the nearest: waiting for a relay would hide the noise.
    """

    def rank(cell: Cell) -> tuple[bool, bool, float]:
        return 2 * cell.connections > room, cell.scenario != focus, cell.rtt or 0.0

    return min((group.cells[0] for group in groups), key=rank)


def _alone(cell: Cell, aa_pairs: int) -> Comparison:
    return replace(_defaults({name: getattr(cell, name) for name in AXES}), aa_pairs=aa_pairs)


def _defaults(given: Mapping[str, Any]) -> Comparison:
    return Comparison({name: [given.get(name, axis.default)] for name, axis in AXES.items()})


def _unique_names(groups: Sequence[Group]) -> list[Group]:
    seen: dict[str, int] = {}
    named = []
    for group in groups:
        seen[group.name] = seen.get(group.name, 0) + 1
        suffix = f" ({seen[group.name]})" if seen[group.name] > 1 else ""
        named.append(replace(group, name=group.name + suffix))
    return named
