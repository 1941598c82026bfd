"""The proof of an arm: its first turns give the reference answers and leave the right state."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from ormbench.results.trial import Proof
from ormbench.run.arm import ArmState, EndedError
from ormbench.truth.answers import state_difference

PROOF_TURNS = 5
SQL_SIZE = 600


def prove(arm: ArmState, group: str, block: int, turns: Callable[[int], int], ask: Any) -> None:
    """Give *arm* its proof; *turns* gives out numbers. Raises EndedError where it has none."""
    first = turns(PROOF_TURNS)
    numbers = list(range(first, first + PROOF_TURNS))
    started = time.perf_counter_ns()
    arm.reset()
    arm.reset_ns = time.perf_counter_ns() - started if arm.loaded.scenario.state else 0
    answer = ask(arm, "prove", turns=numbers)
    check_state(arm, numbers)
    arm.proof = Proof(
        group,
        arm.number,
        arm.cell.id,
        block,
        answer["checked"],
        arm.loaded.scenario.state is not None,
        tuple(shorten_sql(text) for text in answer["sql"]),
        answer["sample"],
    )


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


def shorten_sql(text: str) -> str:
    """A statement as a report shows it: a list of a hundred VALUES says no more than its start."""
    return text if len(text) <= SQL_SIZE else f"{text[:SQL_SIZE]} … ({len(text)} characters in all)"
