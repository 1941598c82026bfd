"""What becomes of operations that may fail: counted, made again, or left without a result.

Only for cells that are about failing: where rows are contended, and where the pool is what is
measured. Everywhere else an exception ends the cell.
"""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


@dataclass(slots=True)
class Outcomes:
    """Counted since the last `take`. Threads count here at once: go through the methods."""

    aborted: Counter[str] = field(default_factory=Counter)  # why -> attempts that the server ended
    failed: Counter[str] = field(default_factory=Counter)  # why -> operations without a result
    broken: int = 0  # operations that read what cannot be
    _lock: Lock = field(default_factory=Lock, repr=False)

    def abort(self, why: str) -> None:
        """Count an attempt that the server ended, whether it is made again or was the last."""
        with self._lock:
            self.aborted[why] += 1

    def fail(self, why: str) -> None:
        """Count an operation that ended without a result."""
        with self._lock:
            self.failed[why] += 1

    def break_off(self) -> None:
        """Count an operation that read what cannot be, and stopped there."""
        with self._lock:
            self.broken += 1

    def take(self) -> dict[str, Any]:
        """What was counted, as JSON; the count starts again."""
        with self._lock:
            found = {
                "aborted": dict(self.aborted),
                "failed": dict(self.failed),
                "broken": self.broken,
            }
            self.aborted.clear()
            self.failed.clear()
            self.broken = 0
        return found


def together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What was taken at two times, as one."""
    counted = {
        name: dict(Counter(one[name]) + Counter(other[name])) for name in ("aborted", "failed")
    }
    return {**counted, "broken": one["broken"] + other["broken"]}
