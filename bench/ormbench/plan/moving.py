"""A plan moved elsewhere: onto the server of ``--url``, or onto the targets of ``--target``."""

from collections.abc import Sequence
from dataclasses import replace

from ormbench.errors import UsageError
from ormbench.plan.comparison import Comparison
from ormbench.servers.server import Product
from ormbench.targets.target import NO_TARGET, TARGETS, Target


def usual_target(product: Product, driver: str) -> str:
    """The target of *driver*, as SQLAlchemy calls it; without one, the first that is async.

    Raises UsageError for a driver that is none of the product's.
    """
    own = [target for target in TARGETS.values() if target.server == product]
    if not driver:
        return next(target for target in own if target.driver.is_async).name
    found = [target for target in own if driver in _names(target)]
    if not found:
        known = ", ".join(dict.fromkeys(target.driver.name for target in own))
        raise UsageError(
            f"--url: driver {driver} is none that {product} is measured with: {known}; "
            "name one of them there, or choose with --target"
        )
    return found[0].name


def _names(target: Target) -> tuple[str, str]:
    return target.driver.name, target.driver.dialect


def at_home(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Without those that ask a question of the plan's first product again, on another one.

    On new targets they would only repeat a part of what is asked there already.
    """
    home = _products(comparisons[0])
    return [one for one in comparisons if one.across == "target" or _products(one) & home]


def _products(comparison: Comparison) -> set[str]:
    return {target.partition("+")[0] for target in comparison.axes["target"]}


def moved(comparisons: Sequence[Comparison], product: Product, target: str) -> list[Comparison]:
    """What remains of them there: each with *target*, those across targets with the product's."""
    found = (_moved(one, product, target) for one in at_home(comparisons))
    return [one for one in found if one is not None]


def _moved(comparison: Comparison, product: Product, target: str) -> Comparison | None:
    axes, reference = {**comparison.axes}, comparison.reference
    if axes["target"] == [NO_TARGET]:
        return comparison
    if comparison.across != "target":
        return replace(comparison, axes={**axes, "target": [target]})
    axes["target"] = [one for one in axes["target"] if TARGETS[one].server == product]
    if not axes["target"]:
        return None
    if reference not in axes["target"]:
        reference = None
    return replace(comparison, axes=axes, reference=reference)
