"""Rollback on error: somebody signs up with an e-mail address that is taken.

The server refuses the row, and the request answers "taken". The transaction is lost with it, or
only a savepoint of it, or nothing, where the request looks first and sends no row at all. Who looks
first needs the constraint all the same: two who look at once both find the address free.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ormbench.scenario import Scenario, State

from .models import DEVELOPERS, Developer, developer, developers, some_key

TAKEN = select(Developer.id).where(Developer.email == bindparam("email"))
STATE = select(developers).order_by(developers.c.id)


def args(turn: int, table_rows: int) -> dict[str, Any]:
    """A new developer without a key, with the address of one who is there."""
    row = developer(some_key(turn, table_rows), table_rows)
    del row["id"]
    return {"row": {**row, "name": f"second {turn:010d}"}}


def answer(_turn: int) -> str:
    """What every lane finds out."""
    return "taken"


def unchanged(_turns: Sequence[int], table_rows: int) -> list[tuple[Any, ...]]:
    """The table as it was seeded."""
    return [tuple(developer(one, table_rows).values()) for one in range(1, table_rows + 1)]


rollback_on_error = Scenario(DEVELOPERS, args, answer, state=State(STATE, unchanged))


@rollback_on_error.lane
async def flush_fails(sessions: async_sessionmaker[AsyncSession], row: dict[str, Any]) -> str:
    """add() and flush: the error ends the transaction

    https://docs.sqlalchemy.org/en/21/faq/sessions.html#this-session-s-transaction-has-been-rolled-back-due-to-a-previous-exception-during-flush-or-similar
    """
    async with sessions() as session:
        session.add(Developer(**row))
        try:
            await session.flush()
        except IntegrityError:
            await session.rollback()
            return "taken"
        await session.commit()
        return "added"


@rollback_on_error.lane
async def savepoint(sessions: async_sessionmaker[AsyncSession], row: dict[str, Any]) -> str:
    """add() in a savepoint: the error ends that alone, and the transaction can go on

    https://docs.sqlalchemy.org/en/21/orm/session_transaction.html#using-savepoint
    """
    async with sessions.begin() as session:
        try:
            async with session.begin_nested():
                session.add(Developer(**row))
        except IntegrityError:
            return "taken"
        return "added"


@rollback_on_error.lane
async def checks_first(sessions: async_sessionmaker[AsyncSession], row: dict[str, Any]) -> str:
    """SELECT first: nothing fails"""
    async with sessions.begin() as session:
        if await session.scalar(TAKEN, {"email": row["email"]}) is not None:
            return "taken"
        session.add(Developer(**row))
        return "added"
