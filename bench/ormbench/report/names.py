"""What sentences call lanes and drivers."""

from ormbench.cell import Cell

_LANES = {
    "raw_held": "the bare driver",
    "raw": "the driver's pool",
    "raw_pool": "the driver's pool as shipped",
    "core": "Core",
    "orm_columns": "ORM columns",
    "orm": "ORM",
}
_WORDS = ("the", "this")
_DRIVERLESS = {"none": "no driver"}
_PRODUCTS = {"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}


def lane_name(lane: str) -> str:
    """As "Core" of "core"; a lane that only its author knows keeps its name."""
    return _LANES.get(lane, lane)


def apart(one: Cell, other: Cell) -> str:
    """What tells *one* from *other*: its lane, else its driver, else the axes that differ."""
    if one.lane != other.lane:
        return lane_name(one.lane)
    if one.target != other.target:
        return driver_name(one.target)
    axes = [axis for axis in {**one.unusual(), **other.unusual()} if _differ(one, other, axis)]
    values = ", ".join(f"{axis}={_value(getattr(one, axis))}" for axis in axes)
    return f"{lane_name(one.lane)} at {values}" if values else lane_name(one.lane)


def _differ(one: Cell, other: Cell, axis: str) -> bool:
    return bool(getattr(one, axis) != getattr(other, axis))


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def driver_name(target: str) -> str:
    """As "asyncpg" of "postgresql+asyncpg"."""
    return _DRIVERLESS.get(target, target.partition("+")[2] or target)


def product_name(target: str) -> str:
    """As "PostgreSQL" of "postgresql+asyncpg"; "" where there is no database."""
    return "" if target == "none" else _PRODUCTS.get(target.partition("+")[0], target)


def opened(sentence: str) -> str:
    """*sentence* with a capital letter, unless it opens with a name: psycopg stays psycopg."""
    first = sentence.partition(" ")[0]
    return first.capitalize() + sentence[len(first) :] if first in _WORDS else sentence
