"""Read mostly: two balances that always add up are read one after the other; some move money.

Of twenty operations nineteen read a pair of accounts, in two statements of one transaction, and one
moves an amount within a pair; the server adds, so no update is lost. A reader may see one account
before a move and the other after it, unless its isolation level gives both one moment.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Audit, BrokenInvariantError, Scenario, State

from .models import ACCOUNTS, OPENING, Account, account, accounts, contended

PAIRS = 3
MOVES_EVERY = 20
BALANCE = 1  # the column's place in a row
TOTAL = 2 * OPENING
ENTITY = select(Account).where(Account.id == bindparam("key"))
READ = select(accounts).where(accounts.c.id == bindparam("key"))
ADD = (
    update(accounts)
    .where(accounts.c.id == bindparam("key"))
    .values(balance=accounts.c.balance + bindparam("by"))
)
ORM_ADD = (
    update(Account)
    .where(Account.id == bindparam("key"))
    .values(balance=Account.balance + bindparam("by"))
    .execution_options(synchronize_session=False)
)
STATE = select(accounts).order_by(accounts.c.id)
SUM = select(func.sum(accounts.c.balance - OPENING))


def args(turn: int) -> dict[str, Any]:
    """A pair, and the amount that moves from the first to the second; 0 where it is read."""
    first = 1 + 2 * (turn % PAIRS)
    amount = 0 if turn % MOVES_EVERY else 1 + turn % 9
    return {"first": first, "second": first + 1, "amount": amount}


def answer(turn: int) -> int | None:
    """What a pair holds together; nothing of a move."""
    return None if args(turn)["amount"] else TOTAL


def moved(turns: Sequence[int], table_rows: int) -> list[tuple[Any, ...]]:
    """All accounts after *turns*."""
    rows = {number: account(number) for number in contended(table_rows)}
    for given in map(args, turns):
        rows[given["first"]]["balance"] -= given["amount"]
        rows[given["second"]]["balance"] += given["amount"]
    return [tuple(row.values()) for row in rows.values()]


def together(first: int, second: int) -> int:
    """The sum of a pair. Raises BrokenInvariantError where it is not what it always is."""
    if first + second != TOTAL:
        raise BrokenInvariantError(f"a pair holds {first + second}, not {TOTAL}")
    return first + second


def uneven(rows: Sequence[tuple[Any, ...]], _table_rows: int) -> bool:
    """Whether the accounts together hold more or less than they did."""
    return int(rows[0][0]) != 0


read_mostly = Scenario(
    ACCOUNTS, args, answer, state=State(STATE, moved), audit=Audit(SUM, broken=uneven)
)


@read_mostly.lane
async def orm(session: AsyncSession, first: int, second: int, amount: int) -> int | None:
    """read two entities, or UPDATE two through the session

    https://docs.sqlalchemy.org/en/21/orm/queryguide/dml.html#orm-update-and-delete-with-custom-where-criteria
    """
    if amount:
        await session.execute(ORM_ADD, {"key": first, "by": -amount})
        await session.execute(ORM_ADD, {"key": second, "by": amount})
        return None
    one = (await session.scalars(ENTITY, {"key": first})).one()
    other = (await session.scalars(ENTITY, {"key": second})).one()
    return together(one.balance, other.balance)


@read_mostly.lane
async def core(connection: AsyncConnection, first: int, second: int, amount: int) -> int | None:
    """read two Rows, or UPDATE two

    https://docs.sqlalchemy.org/en/21/tutorial/data_select.html
    """
    if amount:
        await connection.execute(ADD, {"key": first, "by": -amount})
        await connection.execute(ADD, {"key": second, "by": amount})
        return None
    one = (await connection.execute(READ, {"key": first})).one()
    other = (await connection.execute(READ, {"key": second})).one()
    return together(one.balance, other.balance)


@read_mostly.lane
async def raw(driver: Any, first: int, second: int, amount: int) -> int | None:
    """read two rows, or UPDATE two, on the bare driver"""
    if amount:
        await driver.execute(ADD, -amount, first)
        await driver.execute(ADD, amount, second)
        return None
    one = await driver.fetch_one(READ, first)
    other = await driver.fetch_one(READ, second)
    return together(one[BALANCE], other[BALANCE])
