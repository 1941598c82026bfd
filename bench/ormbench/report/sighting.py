"""One odd thing seen in one cell, before equal ones are made into a doubt."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen, how bad it is among its like, its likely cause, and what to do."""

    code: str
    cell: str  # Cell.id
    seen: str
    badness: float
    cause: str
    remedy: str
    fatal: bool = False
