"""The retry policy, as data and as words: what an operation is made again for, how often, when.

Where rows are contended, a server ends transactions, and an application makes them again: the whole
unit of work, as SQLAlchemy's documentation advises. The pause grows and is random, so that two that
met do not meet again. Pure: ``lanes`` acts on it, a report states it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

CONFLICTS: Mapping[str | int, str] = {
    "40001": "serialization failure",  # PostgreSQL's SQLSTATE
    "40P01": "deadlock",
    1213: "deadlock",  # error numbers of MySQL and MariaDB
    1205: "lock wait time-out",
    1020: "record has changed",  # of MariaDB with innodb_snapshot_isolation
}
"""What a server ends an attempt for that may succeed when it is made again -> its name."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How often, and how long in between."""

    attempts: int = 50
    first_pause: float = 0.0005  # seconds at most before the second attempt; doubles each time
    longest_pause: float = 0.02

    def pause(self, attempt: int, random: Random) -> float:
        """Seconds to wait after *attempt* (from 1) has been aborted."""
        most = min(self.longest_pause, self.first_pause * 2.0 ** min(attempt - 1, 20))
        return random.uniform(0.0, most)

    @property
    def gave_up(self) -> str:
        """What is said of an operation whose last attempt was aborted, too."""
        return f"gave up after {self.attempts} attempts"

    @property
    def words(self) -> str:
        """The policy in a sentence's worth of words, without a full stop."""
        codes: dict[str, list[str]] = {}
        for code, name in CONFLICTS.items():
            codes.setdefault(name, []).append(str(code))
        named = [f"{name} ({', '.join(those)})" for name, those in codes.items()]
        return (
            f"after a {', '.join(named[:-1])} or {named[-1]}: up to {self.attempts} attempts, "
            f"a random pause of at most {self.first_pause * 1e3:g} ms that doubles to "
            f"{self.longest_pause * 1e3:g} ms; the whole unit of work again, from checkout on"
        )


POLICY = Policy()
