"""The proof of an arm: its first turns give the reference answers and leave the right state."""

import time
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from ormbench.results.trial import Proof
from ormbench.run.arm import ArmState, EndedError
from ormbench.run.pace import Paces
from ormbench.truth.answers import state_difference

PROOF_TURNS = 5  # at most; fewer where they are slow, or use up what is there
SQL_SIZE = 600
SQL_LINES = 40


def prove(
    arm: ArmState, group: str, block: int, turns: Callable[[int], int], ask: Any, paces: Paces
) -> None:
    """Give *arm* its proof; *turns* gives out numbers.

    Raises EndedError where it has none, or where *paces* has no time for such operations.
    """
    count = min(PROOF_TURNS, arm.lasts or PROOF_TURNS)
    first = turns(count)
    numbers = list(range(first, first + count))
    started = time.perf_counter_ns()
    arm.reset()
    arm.reset_ns = time.perf_counter_ns() - started if arm.loaded.scenario.state else 0
    answer = ask(arm, "prove", turns=numbers)
    arm.operation_ns = min(answer["took_ns"])
    check_state(arm, numbers[: len(answer["took_ns"])])
    arm.proof = Proof(
        group,
        arm.number,
        arm.cell.id,
        block,
        answer["checked"],
        arm.loaded.scenario.state is not None,
        folded_sql(answer["sql"]),
        answer["sample"],
    )
    if reason := paces.too_slow(arm.cell, arm.rows, answer["took_ns"][0]):
        raise EndedError("SKIPPED", reason)


def check_state(arm: ArmState, turns: Sequence[int]) -> None:
    """Raises EndedError where the arm's tables are not as *turns*, and they alone, leave them."""
    state, site = arm.loaded.scenario.state, arm.site
    if state is None or site is None:
        return
    try:
        found = site.tables.state(arm.loaded, arm.place, state)
        expected = site.tables.expected(state, turns)
    except Exception as error:
        words = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise EndedError("ERROR", f"reading or expecting its state: {words}") from error
    if wrong := state_difference(found, expected):
        raise EndedError("INCORRECT", f"after turns {turns[0]} to {turns[-1]}, {wrong}")


def folded_sql(texts: Sequence[str]) -> tuple[str, ...]:
    """Statements in the order sent, as a report shows them: of a thousand alike in a row one."""
    runs = [(text, sum(1 for _ in alike)) for text, alike in groupby(texts)]
    lines = [shorten_sql(text) + (f" … x{times:,}" if times > 1 else "") for text, times in runs]
    if len(lines) > SQL_LINES:
        lines[SQL_LINES:] = [f"… ({len(lines) - SQL_LINES:,} more)"]
    return tuple(lines)


def shorten_sql(text: str) -> str:
    """A statement as a report shows it: a list of a hundred VALUES says no more than its start."""
    return text if len(text) <= SQL_SIZE else f"{text[:SQL_SIZE]} … ({len(text)} characters in all)"
