"""What the answer is about: the scenario and target shown first, and the comparison spoken of."""

from collections.abc import Sequence
from dataclasses import dataclass

from ormbench.report.findings import Comparison
from ormbench.report.names import product_name
from ormbench.report.wrong_data import sound

CONTENDER = "orm"  # the lane that the answer is about, where it was measured


@dataclass(frozen=True, slots=True)
class Focus:
    """What the first screen shows."""

    scenario: str
    target: str
    alone: bool = True  # whether the run measured one server product

    @property
    def product(self) -> str:
        """The server product, which sentences name where there are several."""
        return product_name(self.target)

    def lanes(self, comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
        """The comparisons of lanes in this scenario, on this target; without any, the others."""
        here = [one for one in comparisons if one.candidate.scenario == self.scenario]
        of_lanes = [
            one for one in here if one.kind == "lane" and one.candidate.target == self.target
        ]
        others = [one for one in here if product_name(one.candidate.target) == self.product]
        return tuple(of_lanes or [one for one in others if one.kind in ("axis", "target")])


def contender(lanes: Sequence[Comparison]) -> Comparison | None:
    """The comparison that the answer is about: of ORM, else the one that differs most.

    None where no two do their work: where data are wrong there is no time to speak of.
    """
    known = sound(lanes)
    timed = [one for one in known if one.ratio.blocks] or known  # not of those that gave up
    orm = next((one for one in timed if one.candidate.lane == CONTENDER), None)
    return orm or max(timed, key=lambda one: abs(one.difference.value), default=None)


def elsewhere(main: Comparison, comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The comparisons of the same two lanes under the same conditions in other scenarios."""

    def place(one: Comparison) -> tuple[str, str, str, dict[str, object]]:
        cell = one.candidate
        return cell.lane, one.reference.lane, cell.target, cell.unusual()

    scenario = main.candidate.scenario
    return tuple(
        one
        for one in sound(comparisons)
        if one.kind == "lane" and place(one) == place(main) and one.candidate.scenario != scenario
    )
