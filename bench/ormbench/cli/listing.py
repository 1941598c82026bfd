"""``ormbench list``: plans, scenarios with their lanes, targets, axes."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from textwrap import wrap

from ormbench.errors import OK, UsageError
from ormbench.loader import shipped
from ormbench.plan.axes import AXES
from ormbench.plan.file import read, shipped_plans
from ormbench.plan.plan import make
from ormbench.targets.target import TARGETS, Target

WIDTH = 98  # with the two spaces before each line, a hundred columns


def call(arguments: Namespace) -> int:
    """Print one listing, or all."""
    for kind in [arguments.what] if arguments.what else KINDS:
        if not arguments.what:
            print(f"{kind}:")
        for line in KINDS[kind]():
            print(f"  {line}")
    return OK


def _plans() -> Iterator[str]:
    loaded = shipped()
    for name, path in shipped_plans().items():
        wish = read(path)
        try:
            plan = make(wish, loaded)
        except UsageError as error:
            yield from wrap(f"{name:18} {wish.title} ({error})", WIDTH, subsequent_indent=" " * 19)
            continue
        minutes = plan.seconds / 60
        yield f"{name:18} {plan.title} ({len(plan.cells)} cells, about {minutes:.0f} min)"


def _scenarios() -> Iterator[str]:
    for name, loaded in shipped().items():
        yield f"{name:18} {loaded.story.partition(': ')[2] or loaded.story}"
        yield f"{'':18} lanes: {', '.join(loaded.lane_names())}"


def _targets() -> Iterator[str]:
    for name, target in TARGETS.items():
        driver = target.driver
        colour = "async" if driver.is_async else "sync"
        yield f"{name}: {target.server} through {driver.distribution}, {colour}"
        for fact in _facts(target):
            yield from wrap(fact, WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8)


def _facts(target: Target) -> Iterator[str]:
    """What a reader has to know of a target, from what it can to what it cannot."""
    driver = target.driver
    yield f"pool: {driver.pool or 'none of its own'}"
    yield f"can: {', '.join(sorted(target.abilities))}"
    yield f"isolation: {', '.join(driver.isolation_levels)}"
    if missing := target.missing():
        yield f"UNSUPPORTED here: {missing}"
    yield from (f"no {lane}: {reason}" for lane, reason in driver.unsupported.items())
    yield from (f"known: {defect}" for defect in driver.defects)


def _axes() -> Iterator[str]:
    for name, axis in AXES.items():
        default = "" if axis.default is None else f" (default {axis.default})"
        yield from wrap(f"{name:18} {axis.meaning}{default}", WIDTH, subsequent_indent=" " * 19)


KINDS: dict[str, Callable[[], Iterator[str]]] = {
    "plans": _plans,
    "scenarios": _scenarios,
    "targets": _targets,
    "axes": _axes,
}
