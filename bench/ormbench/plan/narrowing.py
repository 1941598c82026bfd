"""A plan narrowed by the axes of the command line: which comparisons remain, with which values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any

from ormbench.errors import UsageError
from ormbench.plan import file
from ormbench.plan.axes import nearest, values
from ormbench.plan.comparison import Comparison, matching_targets
from ormbench.plan.moving import at_home

CHOSEN = ("pool", "isolation", "clients", "processes")  # flags choose these from what a plan lists

_NONE = {"pool": "fitted", "rtt": "direct", "rate": "closed"}

Wanted = Mapping[str, list[Any]]  # axis -> values


def on_axes(
    plan: str, comparisons: Sequence[Comparison], given: Mapping[str, str]
) -> list[Comparison]:
    """*comparisons* with the values *given* for their axes, those of lanes apart.

    What is compared across an axis gets its values; of the others, what lists one of them remains,
    with that. An axis that nothing is compared across is replaced, or, of CHOSEN, chosen from.
    Raises UsageError where a value is no comparison any more, and where nothing remains.
    """
    wanted = {name: values(name, words) for name, words in given.items() if name != "lane"}
    if not wanted:
        return list(comparisons)
    found = list(comparisons)
    if "target" in wanted:
        wanted["target"] = matching_targets(wanted["target"])
        found = at_home(found)
        _check_targets(plan, found, wanted["target"], given["target"])
    compared = {name for name in wanted if name != "target" and _across(found, name)}
    found = _all_remaining(plan, found, wanted, compared)
    for name in compared:
        _check_several(plan, found, name, wanted[name])
    return [_with(one, wanted, compared) for one in found]


def on_lanes(plan: str, comparisons: Sequence[Comparison], words: str) -> list[Comparison]:
    """*comparisons* with the lanes that *words* fit, and what those are compared with."""
    wanted = values("lane", words)
    known = list(dict.fromkeys(lane for one in comparisons for lane in one.axes["lane"]))
    for pattern in wanted:
        if not any(fnmatch(lane, pattern) for lane in known):
            raise nearest(f"lane of {plan}", pattern, known, "scenarios")
    found = (_with_lanes(one, wanted) for one in comparisons)
    return [one for one in found if one is not None]


def _across(comparisons: Sequence[Comparison], axis: str) -> list[Comparison]:
    return [one for one in comparisons if one.across == axis]


def _listed(comparisons: Sequence[Comparison], axis: str, wanted: list[Any]) -> list[Comparison]:
    return [one for one in comparisons if any(value in wanted for value in one.axes[axis])]


def _all_remaining(
    plan: str, comparisons: list[Comparison], wanted: Wanted, compared: set[str]
) -> list[Comparison]:
    found = comparisons
    for name, those in wanted.items():
        found = _remaining(found, name, those, across=name in compared)
    if found:
        return found
    words = " with ".join(
        f"{name} {', '.join(word_of(name, one) for one in those)}"
        for name, those in wanted.items()
        if name in compared or _listed(comparisons, name, those)
    )
    raise UsageError(f"plan {plan} compares nothing at {words}: see it with --dry-run alone")


def _remaining(
    comparisons: list[Comparison], axis: str, wanted: list[Any], *, across: bool
) -> list[Comparison]:
    """Those that *wanted* leaves; *across*: some of the plan's are compared across that axis."""
    listed = _listed(comparisons, axis, wanted)
    if not across:
        return listed if listed and axis in CHOSEN else comparisons
    stars = _across(comparisons, axis)
    stars = _listed(stars, axis, wanted) or stars
    return [one for one in comparisons if one in stars or (one.across != axis and one in listed)]


def _check_several(plan: str, found: list[Comparison], axis: str, wanted: list[Any]) -> None:
    """Raises UsageError where a star would have one arm."""
    stars = _across(found, axis)
    if not stars or len(wanted) > 1:
        return
    own = [stars[0].reference, *stars[0].axes[axis]]
    two = [*wanted, *(value for value in own if value not in wanted)][:2]
    two.sort(key=[*stars[0].axes[axis], *wanted].index)
    both = ",".join(word_of(axis, value) for value in two)
    raise UsageError(
        f"--{axis} {word_of(axis, wanted[0])}: plan {plan} compares across {axis}, "
        f"and one value is no comparison: --{axis} {both}"
    )


def _check_targets(plan: str, found: list[Comparison], wanted: list[str], words: str) -> None:
    """Raises UsageError where a plan of drivers alone would have one of each product."""
    products = [target.partition("+")[0] for target in wanted]
    if all(one.across == "target" for one in found) and len(set(products)) == len(products):
        raise UsageError(
            f"--target {words}: plan {plan} compares targets of one product, and one is no "
            f"comparison: --target '{products[0]}+*'"
        )


def word_of(axis: str, value: Any) -> str:
    """The word that the command line has for a value of *axis*."""
    if value is None:
        return _NONE.get(axis, "default")
    return f"{value:g}" if isinstance(value, float) else str(value)


def _with(comparison: Comparison, wanted: Wanted, compared: set[str]) -> Comparison:
    """One comparison with the values; the first of them is the reference, where its own is none."""
    axes = {**comparison.axes, **wanted}
    for name in compared - {comparison.across}:
        axes[name] = [value for value in wanted[name] if value in comparison.axes[name]]
    across, reference = comparison.across, comparison.reference
    if across != "lane" and reference not in axes[across]:
        reference = file.first_of(axes, across)
    return replace(comparison, axes=axes, reference=reference)


def _with_lanes(comparison: Comparison, patterns: Sequence[str]) -> Comparison | None:
    """None where it has no lane that they ask for; a star of lanes keeps its reference."""
    own = comparison.axes["lane"]
    chosen = {one for one in own for pattern in patterns if fnmatch(one, pattern)}
    if not chosen:
        return None
    if comparison.across == "lane":
        chosen.add(comparison.reference)
    lanes = [lane for lane in own if lane in chosen]
    return replace(comparison, axes={**comparison.axes, "lane": lanes})
