"""``run.json``: everything about a run that is known before its first slice.

Holds no secret and no path of the machine. Pure data, with its JSON form.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from ormbench.cell import Cell, Contrast, Group, LeftOut

SCHEMA = 6
READABLE = (1, 2, 3, 4, 5, 6)
"""1 knew one server, a PostgreSQL; 2 no counts; 3 no failed operations; 4 no rows of operations;
5 no known errors, and mostly no limits of cells."""


@dataclass(frozen=True, slots=True)
class LaneText:
    """What a reader wants to know of a lane: its label, the advice it follows, its code."""

    label: str
    docs: str  # address of the documentation page; "" where none is named
    source: str


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a run took place. Each mapping is name -> value, in reading order."""

    versions: dict[str, str]  # "Python", "SQLAlchemy", "asyncpg", ..., "PostgreSQL"
    host: dict[str, str]  # "cores", "cpu", "kernel", "memory", "host id", "boot id"
    servers: dict[str, dict[str, str]]  # product -> "kind", "durability", "transport", ...
    server_settings: dict[str, dict[str, str]]  # product -> what differs from its defaults
    commit: str  # of the harness; "" outside a checkout


@dataclass(frozen=True, slots=True)
class Manifest:
    """One run: what was asked for, and where it ran."""

    name: str
    started: str  # ISO 8601, UTC
    plan: str  # its name
    title: str  # the question that the plan asks
    focus: str  # the scenario to show first
    reference: str  # the axis value that ratios are against: "lane=core"
    blocks: int  # planned; what was measured is in the trials
    rounds: int  # slices of an arm in a block
    seed: int
    table_rows: int
    command: str  # what makes this run again
    groups: tuple[Group, ...]
    left_out: tuple[LeftOut, ...]
    lanes: dict[str, LaneText]  # "scenario/lane" -> text
    environment: Environment
    next_steps: tuple[str, ...] = ()
    scenarios: dict[str, str] = field(default_factory=dict)  # name -> what situation it is
    audited: tuple[str, ...] = ()  # scenarios of which each slice is audited
    longest: float = 10.0  # seconds: cells of which an operation takes longer are SKIPPED
    limits: dict[str, float] = field(default_factory=dict)  # of cells with another, by Cell.id
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Manifest":
        """Read one back; raises TypeError or KeyError where it is not a manifest."""
        return cls(
            **{
                **plain,
                "groups": tuple(_group(one) for one in plain["groups"]),
                "left_out": tuple(
                    LeftOut(Cell(**one["cell"]), one["reason"]) for one in plain["left_out"]
                ),
                "lanes": {name: LaneText(**text) for name, text in plain["lanes"].items()},
                "environment": _environment(plain["environment"]),
                "next_steps": tuple(plain["next_steps"]),
                "audited": tuple(plain.get("audited", ())),
            }
        )


def _environment(plain: dict[str, Any]) -> Environment:
    """Of schema 2, or of 1, which has ``server`` and settings without a product."""
    if "servers" in plain:
        return Environment(**plain)
    return Environment(
        plain["versions"],
        plain["host"],
        {"PostgreSQL": plain["server"]},
        {"PostgreSQL": plain["server_settings"]},
        plain["commit"],
    )


def _group(plain: dict[str, Any]) -> Group:
    return Group(
        plain["name"],
        tuple(Cell(**cell) for cell in plain["cells"]),
        tuple(Contrast(**contrast) for contrast in plain["contrasts"]),
    )
