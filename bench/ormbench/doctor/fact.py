"""One thing that the doctor found, and what would help where it is not as it should be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Fact:
    """What a reader sees, and the same as values."""

    name: str  # "clock"
    text: str  # with units: "smallest step 41 ns, a read costs 52 ns"
    values: Mapping[str, Value] = field(default_factory=dict)  # units stand in the keys
    help: str = ""  # what would help; "" where nothing is wrong
