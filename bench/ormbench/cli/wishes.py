"""From the words of ``run`` to a plan: plan names, plan files, scenarios, files with scenarios."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ormbench.errors import UsageError
from ormbench.loader import Loaded, load, shipped
from ormbench.plan import file
from ormbench.plan.axes import AXES, nearest, values
from ormbench.plan.comparison import (
    Comparison,
    by_scenario,
    check_across,
    matching_targets,
)
from ormbench.plan.moving import moved, usual_target
from ormbench.plan.narrowing import on_axes, on_lanes, word_of
from ormbench.plan.plan import REFERENCE_LANE, Plan, Wish, make
from ormbench.servers.supply import Supply

DEFAULT_PLAN = "quick"
STARS = ("pool", "isolation")  # what one lane is compared across before any other axis
TABLE_ROWS = 10_000


def plan_of(arguments: Namespace, supply: Supply) -> tuple[Plan, dict[str, Loaded]]:
    """The plan that the words and flags ask for, with its scenarios. Raises UsageError."""
    loaded = shipped()
    wishes = [_wish(word, arguments, loaded) for word in arguments.what or [DEFAULT_PLAN]]
    wish = _with_flags(_joined(wishes), arguments, loaded, supply)
    plan = make(wish, loaded, supply)
    for cell in plan.cells:
        sized = loaded[cell.scenario].sized(cell.batch)
        _check_inputs(sized, cell.lane, arguments.table_rows or TABLE_ROWS)
    return plan, {cell.scenario: loaded[cell.scenario] for cell in plan.cells}


def _check_inputs(loaded: Loaded, lane: str, table_rows: int) -> None:
    """Build the inputs of a turn, so that what args does wrong shows before a server starts."""
    try:
        loaded.scenario.inputs(loaded.lane(lane), 0, table_rows)
    except UsageError as error:
        raise UsageError(f"{loaded.path.name}: {error}") from None
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise UsageError(f"{loaded.path.name}: args of {loaded.name} for turn 0: {what}") from error


def axis_flags(arguments: Namespace) -> dict[str, str]:
    """The axes that have a flag of their own in these arguments."""
    return {axis: words for axis in AXES if (words := getattr(arguments, axis, None)) is not None}


def _wish(word: str, arguments: Namespace, loaded: dict[str, Loaded]) -> Wish:
    plans = file.shipped_plans()
    if word in plans:
        return file.read(plans[word])
    if word.endswith(".toml"):
        return file.read(Path(word))
    path, _, lane = word.partition("::")
    if path.endswith(".py"):
        return _of_file(Path(path), lane, arguments, loaded)
    known = [*plans, *loaded]
    if path not in loaded:
        if Path(path).exists():
            raise UsageError(f"{path!r} is neither a plan (.toml) nor a scenario file (.py)")
        raise nearest("plan or scenario", word, known, "plans` or `ormbench list scenarios")
    return _of_scenarios(path, [path], lane, arguments, loaded)


def _of_file(path: Path, lane: str, arguments: Namespace, loaded: dict[str, Loaded]) -> Wish:
    names = []
    for one in load(path):
        if one.name in loaded and loaded[one.name].path.resolve() != path.resolve():
            raise UsageError(f"{path}: scenario {one.name} is taken; give it another name")
        loaded[one.name] = one
        names.append(one.name)
    return _of_scenarios(path.stem, names, lane, arguments, loaded)


def _of_scenarios(
    name: str, scenarios: Sequence[str], lane: str, arguments: Namespace, loaded: dict[str, Loaded]
) -> Wish:
    """A star of each scenario's lanes; with one lane, across the first axis with more values."""
    given: dict[str, Any] = axis_flags(arguments)
    asked = values("lane", lane or given.pop("lane", "*"))
    known = [one for scenario in scenarios for one in loaded[scenario].lane_names()]
    for pattern in asked:
        if not any(loaded[scenario].matching(pattern) for scenario in scenarios):
            raise nearest(f"lane of {name}", pattern, known, "scenarios")
    comparisons = []
    for scenario in scenarios:
        lanes = _chosen(loaded[scenario], asked)
        if lanes:
            axes = file.axes({}, {**given, "lane": lanes, "scenario": scenario})
            axes["target"] = matching_targets(axes["target"])
            across = _across(axes)
            reference = REFERENCE_LANE if REFERENCE_LANE in lanes else lanes[0]
            comparisons.append(
                Comparison(axes, across, reference if across == "lane" else axes[across][0])
            )
    story = loaded[scenarios[0]].story
    return Wish(name, story or name, comparisons, focus=scenarios[0])


def _chosen(loaded: Loaded, patterns: Sequence[str]) -> list[str]:
    """The lanes that the patterns fit, in the order of the patterns."""
    return list(dict.fromkeys(one for each in patterns for one in loaded.matching(each)))


def _across(axes: dict[str, list[Any]]) -> str:
    """One lane is compared across pools, levels, or the first axis that has several values."""
    others = [name for name in AXES if name not in {"scenario", "lane", *STARS}]
    several = [name for name in (*STARS, *others) if len(axes[name]) > 1]
    return "lane" if len(axes["lane"]) != 1 or not several else several[0]


def _with_flags(
    wish: Wish, arguments: Namespace, loaded: dict[str, Loaded], supply: Supply
) -> Wish:
    """A plan with another reference, and with its axes narrowed, moved or replaced by flags."""
    comparisons = [
        _of_one(one, axes) for one in wish.comparisons for axes in by_scenario(one, loaded)
    ]
    if supply.given is not None and arguments.target is None:
        product = supply.given.product
        comparisons = moved(comparisons, product, usual_target(product, supply.driver))
    given = axis_flags(arguments)
    comparisons = on_axes(wish.name, comparisons, given)
    if arguments.reference is not None:
        comparisons = _referred(comparisons, arguments.reference)
    if "lane" in given:
        comparisons = on_lanes(wish.name, comparisons, given["lane"])
    return replace(
        wish,
        comparisons=comparisons,
        blocks=arguments.blocks or wish.blocks,
        rounds=arguments.rounds or wish.rounds,
        budget=arguments.budget or (None if arguments.rounds else wish.budget),
    )


def _of_one(comparison: Comparison, axes: dict[str, list[Any]]) -> Comparison:
    """The part of a comparison that is one scenario's; its reference, if the scenario has it."""
    has_it = comparison.reference in axes[comparison.across]
    return replace(comparison, axes=axes, reference=comparison.reference if has_it else None)


def _referred(comparisons: list[Comparison], reference: str) -> list[Comparison]:
    """Comparisons against *reference*, a value or ``axis=value``, where they have it."""
    axis, word = _axis_of(comparisons, reference)
    (value, *more) = values(axis, word)
    known = dict.fromkeys(
        one for each in comparisons if each.across == axis for one in each.axes[axis]
    )
    if more or value not in known:
        listed = ", ".join(word_of(axis, one) for one in known)
        among = f"one of {listed}" if known else _compared(comparisons)
        raise UsageError(f"--reference {reference}: expected {among}")
    return [
        replace(one, reference=value) if one.across == axis and value in one.axes[axis] else one
        for one in comparisons
    ]


def _axis_of(comparisons: list[Comparison], reference: str) -> tuple[str, str]:
    """Which axis *reference* is a value of, and its word: "isolation", "serializable".

    A word alone is a lane, or of the axis that is compared and knows it; a pool has "=" in it.
    """
    axis, equals, word = reference.partition("=")
    if equals and (axis in AXES or ":" not in axis):
        return check_across(axis), word
    across = dict.fromkeys(["lane", *(one.across for one in comparisons)])
    for name in across:
        listed = [value for one in comparisons if one.across == name for value in one.axes[name]]
        try:
            (value, *_) = values(name, reference)
        except UsageError:
            continue
        if value in listed:
            return name, reference
    return "lane" if "lane" in (one.across for one in comparisons) else [*across][-1], reference


def _compared(comparisons: list[Comparison]) -> str:
    """What is compared, where what was asked for is not."""
    across = dict.fromkeys(one.across for one in comparisons)
    return f"{' or '.join(f'{name}=VALUE' for name in across)}: nothing else is compared"


def _joined(wishes: Sequence[Wish]) -> Wish:
    """One plan of several, whose comparisons each keep what their own says of slow operations.

    It has the blocks and the rounds of the plan with the most, so that none gets fewer than it
    asked for, and the sum of their budgets; none where one of them has none.
    """
    if len(wishes) == 1:
        return wishes[0]
    budgets = [wish.budget for wish in wishes]
    return replace(
        wishes[0],
        name="+".join(wish.name for wish in wishes),
        title="; ".join(wish.title for wish in wishes),
        comparisons=[
            replace(comparison, longest=wish.longest)
            for wish in wishes
            for comparison in wish.comparisons
        ],
        blocks=max(wish.blocks for wish in wishes),
        rounds=max(wish.rounds for wish in wishes),
        budget=None if None in budgets else sum(filter(None, budgets)),
        longest=max(wish.longest for wish in wishes),
    )
