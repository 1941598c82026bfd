"""Disjoint rows: a deposit to an account that nobody else pays into just then.

The lanes of hot_row, on a row by turn. No update can be lost here, at any level: what is left of a
level is what it costs where it protects from nothing. A server that ends a transaction all the same
took two rows for one. PostgreSQL's SERIALIZABLE does for neighbours in an index, whose pages it
watches, so that turns that follow each other are given rows far apart.
"""

from collections.abc import Sequence
from math import gcd
from typing import Any

from ormbench.scenario import Audit, Scenario, State

from .hot_row import DEPOSIT, PAID_IN, STATE, core, lost, orm, raw
from .models import ACCOUNTS, account, contended

GOLDEN = 0.618  # of the way round: however many steps follow each other, they come down apart


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """An account, each one once before any repeats."""
    many = len(contended(table_rows))
    step = next(one for one in range(int(many * GOLDEN), 2 * many) if gcd(one, many) == 1)
    return {"key": 1 + turn * step % many}


def deposited(turns: Sequence[int], table_rows: int) -> list[tuple[Any, ...]]:
    """All accounts after *turns*."""
    rows = {number: account(number) for number in contended(table_rows)}
    for turn in turns:
        rows[args(turn, table_rows)["key"]]["balance"] += DEPOSIT
    return [tuple(row.values()) for row in rows.values()]


disjoint_rows = Scenario(ACCOUNTS, args, state=State(STATE, deposited), audit=Audit(PAID_IN, lost))
disjoint_rows.lane(orm)
disjoint_rows.lane(core)
disjoint_rows.lane(raw)
