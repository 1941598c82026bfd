"""What sentences call lanes, drivers and products.

MySQL and MariaDB share their drivers, so those go by the product's name, too, wherever the
sentence does not say it: "MariaDB aiomysql".
"""

from collections.abc import Iterable, Mapping

from ormbench.cell import Cell
from ormbench.targets.target import TARGETS

_LANES = {
    "raw_held": "the bare driver",
    "raw": "the driver's pool",
    "raw_pool": "the driver's pool as shipped",
    "core": "Core",
    "orm_columns": "ORM columns",
    "orm": "ORM",
}
ON_LOOP = "_on_loop"  # ends the name of a lane whose driver blocks the event loop
_WORDS = ("the", "this", "on", "while", "at", "from", "both", "up", "with")
_DRIVERLESS = {"none": "no driver"}
_PRODUCTS = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}
_SHARE_DRIVERS = ("mysql", "mariadb")
_CHOSEN = {"pool": "fitted", "isolation": "default"}  # axis -> what it is where nothing is said


def lane_name(lane: str) -> str:
    """As "Core" of "core"; a lane that only its author knows keeps its name."""
    if lane.endswith(ON_LOOP):
        return f"{lane_name(lane.removesuffix(ON_LOOP))} on the event loop"
    return _LANES.get(lane, lane)


def apart(one: Cell, other: Cell) -> str:
    """What tells *one* from *other*: its lane, else its driver, else the axes that differ."""
    if one.lane != other.lane:
        return lane_name(one.lane)
    if one.target != other.target:
        return bare_driver(one.target)
    axes = [axis for axis in {**one.unusual(), **other.unusual()} if _differ(one, other, axis)]
    values = ", ".join(axes_text({axis: getattr(one, axis) for axis in axes}))
    return f"{lane_name(one.lane)} at {values}" if values else lane_name(one.lane)


def axes_text(axes: Mapping[str, object]) -> list[str]:
    """As ["pool=5+10", "clients=8"] of the axes of a cell, the pool and the level first."""
    ordered = sorted(axes, key=lambda axis: axis not in _CHOSEN)
    return [
        f"{axis}={_value(_CHOSEN.get(axis) if axes[axis] is None else axes[axis])}"
        for axis in ordered
    ]


def unusual_axes(cell: Cell, chosen: Iterable[str] = ()) -> list[str]:
    """As ["pool=5+10"]: axes off their default but the placement, which all beside *cell* share.

    Those *chosen* stand there in any case: where one has "pool=20+0", another has "pool=fitted".
    """
    axes = {axis: value for axis, value in cell.unusual().items() if axis != "placement"}
    return axes_text({axis: getattr(cell, axis) for axis in chosen} | axes)


def _differ(one: Cell, other: Cell, axis: str) -> bool:
    return bool(getattr(one, axis) != getattr(other, axis))


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def bare_driver(target: str) -> str:
    """As "asyncpg" of "postgresql+asyncpg", for where the product is known."""
    return _DRIVERLESS.get(target, target.partition("+")[2] or target)


def driver_name(target: str) -> str:
    """As "asyncpg" of "postgresql+asyncpg", and "MariaDB aiomysql" of "mariadb+aiomysql"."""
    shared = target.partition("+")[0] in _SHARE_DRIVERS
    return f"{product_name(target)} {bare_driver(target)}" if shared else bare_driver(target)


def product_name(target: str) -> str:
    """As "PostgreSQL" of "postgresql+asyncpg"; "" where there is no database."""
    return "" if target == "none" else _PRODUCTS.get(target.partition("+")[0], target)


def distribution(target: str) -> str:
    """Whose version stands for the driver: "psycopg" of "postgresql+psycopg_sync"."""
    known = TARGETS.get(target)
    return known.driver.distribution if known else bare_driver(target)


def blocks_loop(cell: Cell) -> bool:
    """Whether a cell runs a driver that blocks on the event loop, to show the harm."""
    return cell.lane.endswith(ON_LOOP)


def in_threads(cell: Cell) -> bool:
    """Whether a cell's operations run in threads: its driver blocks."""
    known = TARGETS.get(cell.target)
    return known is not None and not known.driver.is_async and not blocks_loop(cell)


def opened(sentence: str) -> str:
    """*sentence* with a capital letter, unless it opens with a name: psycopg stays psycopg."""
    first = sentence.partition(" ")[0]
    return first.capitalize() + sentence[len(first) :] if first in _WORDS else sentence
