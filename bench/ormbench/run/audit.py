"""What became of a slice's operations: failed, aborted, broken, lost."""

from collections.abc import Sequence
from typing import Any

from ormbench.run.arm import ArmState, EndedError
from ormbench.scenario import Audit

Outcome = tuple[int, int, int, int]  # of a slice: failed, aborted, broken, lost


def outcome(arm: ArmState, turns: Sequence[int], answer: dict[str, Any]) -> Outcome:
    """Those of the slice that gave *answer* to *turns*, settling ones among them.

    Lost updates and a broken end state are those of all turns; the rest of the recorded ones.
    Raises EndedError where the audit itself fails.
    """
    recorded, settling = answer["outcomes"], answer["settling"]
    without = 0
    for one in (recorded, settling):
        arm.failures.update(one["failed"])
        arm.aborts.update(one["aborted"])
        arm.broken += one["broken"]
        without += sum(one["failed"].values()) + one["broken"]
    broken, lost = _audited(arm, turns, without)
    failed, aborted = (sum(recorded[name].values()) for name in ("failed", "aborted"))
    return failed, aborted, recorded["broken"] + broken, lost


def _audited(arm: ArmState, turns: Sequence[int], without: int) -> tuple[int, int]:
    """How often the end state is broken, and how many updates of *turns* are lost.

    So many of them as ended *without* a result have committed nothing.
    """
    audit, site = arm.loaded.scenario.audit, arm.site
    if audit is None or site is None:
        return 0, 0
    try:
        rows = site.tables.audited(arm.loaded, arm.place, audit)
        return judged(audit, rows, turns, site.tables.table_rows, without)
    except Exception as error:
        words = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise EndedError("ERROR", f"its audit: {words}") from error


def judged(
    audit: Audit, rows: Sequence[Any], turns: Sequence[int], table_rows: int, without: int
) -> tuple[int, int]:
    """How often *rows* show a broken end state, and how many updates are lost at least.

    What operations *without* a result would have written is not lost. Updates that no turn made
    cannot be either: an operation was made again that had been committed.
    """
    broken = int(audit.broken(rows, table_rows)) if audit.broken else 0
    missing = audit.lost(rows, turns, table_rows) if audit.lost else 0
    return broken + max(0, -missing), max(0, missing - without * audit.updates)
