"""Attempts that did not run to their end, and what each may have moved a counter by. Pure.

What a server ended had begun: one transaction at least, and whatever was sent before. It had not
got to its last COMMIT, and was rolled back. So the ends of transactions are exact where an
operation has one, and what lies between is a span.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Early:
    """How many of an arm's operations and attempts did not run to their end."""

    attempts: int = 0  # that began and were rolled back
    operations: int = 0  # without an attempt that ran to its end
    partly: int = 0  # of these, such as may have sent a part and are no attempt
    after_rollback: int = 0  # transactions at most that the driver begins after each ROLLBACK

    def span(self, name: str, turns: int, least: int, most: int) -> tuple[int, int]:
        """What *turns* operations move a counter by: a whole one by *least* to *most*."""
        whole = turns - self.operations
        low, high = self._of_attempt(name, most)
        beside = self.partly * (most + 1)
        return (
            whole * least + self.attempts * low,
            whole * most + self.attempts * high + beside,
        )

    def _of_attempt(self, name: str, most: int) -> tuple[int, int]:
        """The least and the most that an attempt moves it by, where a whole one does by *most*."""
        if name == "Com_commit":
            return 0, max(0, most - 1)
        if name == "xact_rollback":
            return 1, most + 1
        if name == "transactions":
            return 1, most + self.after_rollback
        if name == "connections":
            return min(1, most), most
        if name in {"Questions", "Com_rollback"}:
            return int(name == "Questions"), most + 1
        return 0, most


ALL_WHOLE = Early()


def prepares_later(target: str) -> bool:
    """Whether its driver prepares what ran some times, and forgets all of it with a ROLLBACK."""
    return target.partition("+")[2] in {"psycopg", "psycopg_sync"}
