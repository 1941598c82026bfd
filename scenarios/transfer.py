"""Transfer: an amount goes from one account to another, and none may appear or vanish.

Each lane reads both accounts and writes both back. Core and raw write the payer first, as the words
of the task have it: two transfers in opposite directions then wait for each other, and the server
ends one. A flush writes in the order of keys, whatever was changed first, so that the ORM's do not
meet like that; ``core_ordered`` does the same by hand.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Audit, Scenario, State

from .models import ACCOUNTS, OPENING, Account, account, accounts, contended

CONTENDED = 8
BALANCE, CHANGES = 1, 2  # the columns' places in a row
ENTITY = select(Account).where(Account.id == bindparam("key"))
READ = select(accounts).where(accounts.c.id == bindparam("key"))
CHANGE = update(accounts).where(accounts.c.id == bindparam("key"))
WRITE = CHANGE.values(balance=bindparam("left"), changes=bindparam("times"))
STATE = select(accounts).order_by(accounts.c.id)
SUMS = select(func.sum(accounts.c.balance - OPENING), func.sum(accounts.c.changes))


def args(turn: int) -> dict[str, Any]:
    """Each of the few accounts pays each other one in turn."""
    payer, step = turn % CONTENDED, 1 + turn // CONTENDED % (CONTENDED - 1)
    return {"payer": 1 + payer, "payee": 1 + (payer + step) % CONTENDED, "amount": 1 + turn % 9}


def transferred(turns: Sequence[int], table_rows: int) -> list[tuple[Any, ...]]:
    """All accounts after *turns*."""
    rows = {number: account(number) for number in contended(table_rows)}
    for turn in turns:
        given = args(turn)
        rows[given["payer"]]["balance"] -= given["amount"]
        rows[given["payee"]]["balance"] += given["amount"]
        rows[given["payer"]]["changes"] += 1
        rows[given["payee"]]["changes"] += 1
    return [tuple(row.values()) for row in rows.values()]


def lost(rows: Sequence[tuple[Any, ...]], turns: Sequence[int], _table_rows: int) -> int:
    """How many transfers it takes, at least, to miss so many changes: each made two."""
    return (2 * len(turns) - int(rows[0][1]) + 1) // 2


def uneven(rows: Sequence[tuple[Any, ...]], _table_rows: int) -> bool:
    """Whether the accounts together hold more or less than they did."""
    return int(rows[0][0]) != 0


transfer = Scenario(
    ACCOUNTS, args, state=State(STATE, transferred), audit=Audit(SUMS, lost, uneven)
)


@transfer.lane
async def orm(session: AsyncSession, payer: int, payee: int, amount: int) -> None:
    """read both entities, change them, let the commit flush them in the order of their keys

    https://docs.sqlalchemy.org/en/21/orm/session_basics.html#flushing
    """
    source = (await session.scalars(ENTITY, {"key": payer})).one()
    target = (await session.scalars(ENTITY, {"key": payee})).one()
    source.balance, source.changes = source.balance - amount, source.changes + 1
    target.balance, target.changes = target.balance + amount, target.changes + 1


@transfer.lane
async def core(connection: AsyncConnection, payer: int, payee: int, amount: int) -> None:
    """read both Rows, then UPDATE the payer, then the payee

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html
    """
    source = (await connection.execute(READ, {"key": payer})).one()
    target = (await connection.execute(READ, {"key": payee})).one()
    for row, by in ((source, -amount), (target, amount)):
        new = {"key": row.id, "left": row.balance + by, "times": row.changes + 1}
        await connection.execute(WRITE, new)


@transfer.lane
async def raw(driver: Any, payer: int, payee: int, amount: int) -> None:
    """read both rows, then UPDATE the payer, then the payee, on the bare driver"""
    source = await driver.fetch_one(READ, payer)
    target = await driver.fetch_one(READ, payee)
    for row, by in ((source, -amount), (target, amount)):
        await driver.execute(WRITE, row[BALANCE] + by, row[CHANGES] + 1, row[0])


@transfer.lane
async def core_ordered(connection: AsyncConnection, payer: int, payee: int, amount: int) -> None:
    """read both Rows, then UPDATE them in the order of their keys

    https://docs.sqlalchemy.org/en/21/tutorial/data_update.html
    """
    source = (await connection.execute(READ, {"key": payer})).one()
    target = (await connection.execute(READ, {"key": payee})).one()
    for row, by in sorted([(source, -amount), (target, amount)]):
        new = {"key": row.id, "left": row.balance + by, "times": row.changes + 1}
        await connection.execute(WRITE, new)
