"""Plan files: TOML. Every mistake in one is said in one line that names the file and the key."""

import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from importlib import resources
from math import inf
from pathlib import Path
from typing import Any

from ormbench.errors import UsageError
from ormbench.plan.axes import AXES, check_keys, values
from ormbench.plan.comparison import Comparison, check_across
from ormbench.plan.plan import BLOCKS, LONGEST, ROUNDS, Wish
from ormbench.plan.pools import named_pools

TOP = {
    *("title", "focus", "blocks", "rounds", "budget", "longest", "next_steps"),
    *("base", "pools", "compare", "aa"),
}
COMPARE = {*AXES, "across", "reference"}
AA = {*AXES, "pairs"}
PATTERNS = {"lane", "target"}  # axes whose values stand for several


def shipped_plans() -> dict[str, Path]:
    """The plans that come with ormbench, by name."""
    folder = Path(str(resources.files("ormbench.plans")))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def read(path: Path) -> Wish:
    """Read a plan file. Raises UsageError."""
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"plan file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"plan file {path} is not TOML: {error}") from error
    try:
        return parse(path.stem, plain)
    except UsageError as error:
        raise UsageError(f"plan file {path}: {error}") from None


def parse(name: str, plain: Mapping[str, Any]) -> Wish:
    """A plan from the parsed TOML. Raises UsageError that names the key."""
    check_keys(plain, TOP, "")
    pools = named_pools(_table(plain, "pools"))
    base = _without_names(_table(plain, "base"), pools)
    check_keys(base, set(AXES), "base.")
    stars = [_without_names(one, pools) for one in _tables(plain, "compare")]
    comparisons = [_comparison(base, one) for one in stars]
    comparisons += [_aa(base, _without_names(one, pools)) for one in _tables(plain, "aa")]
    if not comparisons:
        raise UsageError("it compares nothing: give it a [[compare]] or an [[aa]] table")
    return Wish(
        name,
        _text(plain, "title", name),
        comparisons,
        _focus(plain, comparisons),
        _count(plain, "blocks", BLOCKS),
        _count(plain, "rounds", ROUNDS),
        _texts(plain, "next_steps"),
        _count(plain, "budget", 1) if "budget" in plain else None,
        _seconds(plain, "longest", LONGEST),
    )


def _without_names(given: Mapping[str, Any], pools: Mapping[str, str]) -> Mapping[str, Any]:
    """A table whose pools that have a name are the words that they stand for."""
    keys = {"pool", *(["reference"] if given.get("across") == "pool" else [])}
    return {key: _word_of(value, pools) if key in keys else value for key, value in given.items()}


def _word_of(value: Any, pools: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_word_of(one, pools) for one in value]
    return pools.get(value, value) if isinstance(value, str) else value


def _comparison(base: Mapping[str, Any], given: Mapping[str, Any]) -> Comparison:
    check_keys(given, COMPARE, "compare.")
    across = check_across(_text(given, "across", "lane"))
    found = axes(base, given)
    if "reference" in given:
        return Comparison(found, across, values(across, given["reference"])[0])
    return Comparison(found, across, first_of(found, across))


def _aa(base: Mapping[str, Any], given: Mapping[str, Any]) -> Comparison:
    check_keys(given, AA, "aa.")
    return Comparison(axes(base, given), aa_pairs=_count(given, "pairs", 1))


def axes(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, list[Any]]:
    """All axes with their values: those *given*, else those of *base*, else the default."""
    merged = {**{name: axis.default for name, axis in AXES.items()}, **base, **given}
    if merged["scenario"] is None:
        raise UsageError("compare.scenario is missing: name a scenario")
    return {
        name: [] if name == "lane" and merged[name] is None else values(name, merged[name])
        for name in AXES
    }


def first_of(axes: Mapping[str, list[Any]], across: str) -> Any:
    """The reference where none is named: the first value, which may be None; None of patterns."""
    return None if across in PATTERNS else axes[across][0]


def _table(plain: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = plain.get(key, {})
    if not isinstance(found, Mapping):
        raise UsageError(f"{key} is not a table")
    return found


def _tables(plain: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    found = plain.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise UsageError(f"{key} is not a list of tables: write [[{key}]]")
    return found


def _focus(plain: Mapping[str, Any], comparisons: Sequence[Comparison]) -> str:
    focus = _text(plain, "focus", "")
    scenarios = list(dict.fromkeys(name for one in comparisons for name in one.axes["scenario"]))
    if focus and not any(fnmatch(focus, pattern) for pattern in scenarios):
        raise UsageError(f"focus = {focus!r} is no scenario of the plan: {', '.join(scenarios)}")
    return focus


def _text(plain: Mapping[str, Any], key: str, default: str) -> str:
    found = plain.get(key, default)
    if not isinstance(found, str):
        raise UsageError(f"{key} = {found!r}, expected text in quotes")
    return found


def _texts(plain: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = plain.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise UsageError(f"{key} = {found!r}, expected a list of texts in quotes")
    return tuple(found)


def _count(plain: Mapping[str, Any], key: str, default: int) -> int:
    found = plain.get(key, default)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise UsageError(f"{key} = {found!r}, expected a whole number from 1")
    return found


def _seconds(plain: Mapping[str, Any], key: str, default: float) -> float:
    found = plain.get(key, default)
    if not isinstance(found, (int, float)) or isinstance(found, bool) or not 0 < found < inf:
        raise UsageError(f"{key} = {found!r}, expected a number of seconds above 0")
    return float(found)
