"""What a run needs beside its plan."""

from dataclasses import dataclass

from ormbench.servers.settings import Durability
from ormbench.servers.supply import Supply


@dataclass(frozen=True, slots=True)
class Options:
    """What a run needs beside its plan."""

    seed: int
    table_rows: int
    timeout: float  # seconds that a slice may take
    budget: float | None  # seconds of measurement that rounds shrink to fit
    command: str
    supply: Supply  # where servers come from
    durability: Durability = "relaxed"
    schema: str = "bench"  # how the names of the run's schemas begin
