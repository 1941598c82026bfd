"""On call: of the two doctors of a team one must stay, and each goes only if the other is there.

Who asks goes off duty where both are on call; where one is off, that one comes back. Two who ask at
once both see the other there, write different rows, and both go: no row is written twice, so that
only SERIALIZABLE keeps the rule. Who finds nobody on call comes back, and notes the gap.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ormbench.scenario import Audit, Scenario, State

from .models import DOCTORS, Doctor, contended, doctor, doctors

TEAMS = 4
ON_CALL, GAPS = 2, 3  # the columns' places in a row
ENTITIES = select(Doctor).where(Doctor.team == bindparam("team")).order_by(Doctor.id)
READ = select(doctors).where(doctors.c.team == bindparam("team")).order_by(doctors.c.id)
ONE = update(doctors).where(doctors.c.id == bindparam("key"))
CHANGE = ONE.values(on_call=bindparam("there"))
COME_BACK = ONE.values(on_call=true(), gaps=bindparam("noted"))
STATE = select(doctors).order_by(doctors.c.id)
ROTA = select(doctors).where(doctors.c.team <= TEAMS).order_by(doctors.c.id)


def args(turn: int) -> dict[str, Any]:
    """One team after the other, and which of its doctors asks."""
    return {"team": 1 + turn % TEAMS, "asks": turn // TEAMS % 3 % 2}


def changes(first: bool, second: bool, asks: int) -> int:  # noqa: FBT001 - what the rows say
    """Whose state changes, 0 or 1: the doctor who asks, or the one who alone is off duty."""
    return asks if bool(first) is bool(second) else int(first)


def changed(turns: Sequence[int], table_rows: int) -> list[tuple[Any, ...]]:
    """All doctors after *turns*."""
    rows = {number: doctor(number) for number in contended(table_rows)}
    for given in map(args, sorted(turns)):
        pair = rows[2 * given["team"] - 1], rows[2 * given["team"]]
        one = pair[changes(pair[0]["on_call"], pair[1]["on_call"], given["asks"])]
        one["on_call"] = not one["on_call"]
    return [tuple(row.values()) for row in rows.values()]


def gaps(rows: Sequence[tuple[Any, ...]], _table_rows: int) -> int:
    """How often a team was found with nobody on call, and how many teams are left so."""
    pairs = zip(rows[::2], rows[1::2], strict=True)
    left = sum(not (one[ON_CALL] or other[ON_CALL]) for one, other in pairs)
    return left + int(sum(row[GAPS] for row in rows))


on_call = Scenario(DOCTORS, args, state=State(STATE, changed), audit=Audit(ROTA, broken=gaps))


@on_call.lane
async def orm(session: AsyncSession, team: int, asks: int) -> None:
    """read both entities, change one, let the commit flush it

    https://docs.sqlalchemy.org/en/21/orm/session_transaction.html#session-transaction-isolation
    """
    pair = (await session.scalars(ENTITIES, {"team": team})).all()
    one = pair[changes(pair[0].on_call, pair[1].on_call, asks)]
    if not (pair[0].on_call or pair[1].on_call):
        one.gaps += 1
    one.on_call = not one.on_call


@on_call.lane
async def core(connection: AsyncConnection, team: int, asks: int) -> None:
    """read both Rows, then UPDATE one

    https://docs.sqlalchemy.org/en/21/core/connections.html#setting-transaction-isolation-levels-including-dbapi-autocommit
    """
    pair = (await connection.execute(READ, {"team": team})).all()
    one = pair[changes(pair[0].on_call, pair[1].on_call, asks)]
    if pair[0].on_call or pair[1].on_call:
        await connection.execute(CHANGE, {"key": one.id, "there": not one.on_call})
    else:
        await connection.execute(COME_BACK, {"key": one.id, "noted": one.gaps + 1})


@on_call.lane
async def raw(driver: Any, team: int, asks: int) -> None:
    """read both rows, then UPDATE one, on the bare driver"""
    pair = await driver.fetch_all(READ, team)
    one = pair[changes(pair[0][ON_CALL], pair[1][ON_CALL], asks)]
    if pair[0][ON_CALL] or pair[1][ON_CALL]:
        await driver.execute(CHANGE, not one[ON_CALL], one[0])
    else:
        await driver.execute(COME_BACK, one[GAPS] + 1, one[0])
