"""Hot row: a deposit to one of four accounts that all pay into, the counter of an application.

Each lane reads the balance, adds to it and writes it back. Where the isolation level lets it, that
undoes what another wrote in between. Two ways beside it are right at every level: to lock the row
before it is read (``core_locked``), and to let the server add (``core_atomic``).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Audit, Scenario, State

from .models import ACCOUNTS, OPENING, Account, account, accounts, contended

HOT = 4
DEPOSIT = 1
BALANCE = 1  # the column's place in a row
ENTITY = select(Account).where(Account.id == bindparam("key"))
READ = select(accounts).where(accounts.c.id == bindparam("key"))
LOCKED = READ.with_for_update()
CHANGE = update(accounts).where(accounts.c.id == bindparam("key"))
WRITE = CHANGE.values(balance=bindparam("amount"))
ADD = CHANGE.values(balance=accounts.c.balance + DEPOSIT)
STATE = select(accounts).order_by(accounts.c.id)
PAID_IN = select(func.sum(accounts.c.balance - OPENING))


def args(turn: int) -> dict[str, Any]:
    """One of the few accounts after the other."""
    return {"key": 1 + turn % HOT}


def deposited(turns: Sequence[int], table_rows: int) -> list[tuple[Any, ...]]:
    """All accounts after *turns*."""
    rows = {number: account(number) for number in contended(table_rows)}
    for turn in turns:
        rows[args(turn)["key"]]["balance"] += DEPOSIT
    return [tuple(row.values()) for row in rows.values()]


def lost(rows: Sequence[tuple[Any, ...]], turns: Sequence[int], _table_rows: int) -> int:
    """The deposits of *turns* that are on no account."""
    return len(turns) - int(rows[0][0]) // DEPOSIT


hot_row = Scenario(ACCOUNTS, args, state=State(STATE, deposited), audit=Audit(PAID_IN, lost))


@hot_row.lane
async def orm(session: AsyncSession, key: int) -> None:
    """read the entity, add to it, let the commit flush it

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#flushing
    """
    found = (await session.scalars(ENTITY, {"key": key})).one()
    found.balance += DEPOSIT


@hot_row.lane
async def core(connection: AsyncConnection, key: int) -> None:
    """read the Row, then UPDATE

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html
    """
    found = (await connection.execute(READ, {"key": key})).one()
    await connection.execute(WRITE, {"key": key, "amount": found.balance + DEPOSIT})


@hot_row.lane
async def raw(driver: Any, key: int) -> None:
    """read the row, then UPDATE, on the bare driver"""
    found = await driver.fetch_one(READ, key)
    await driver.execute(WRITE, found[BALANCE] + DEPOSIT, key)


@hot_row.lane
async def core_locked(connection: AsyncConnection, key: int) -> None:
    """SELECT ... FOR UPDATE, then UPDATE

    https://docs.sqlalchemy.org/en/21/core/selectable.html#sqlalchemy.sql.expression.GenerativeSelect.with_for_update
    """
    found = (await connection.execute(LOCKED, {"key": key})).one()
    await connection.execute(WRITE, {"key": key, "amount": found.balance + DEPOSIT})


@hot_row.lane
async def core_atomic(connection: AsyncConnection, key: int) -> None:
    """UPDATE that lets the server add, nothing read

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html
    """
    await connection.execute(ADD, {"key": key})
