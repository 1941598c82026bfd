"""Clearing: deletes some rows and finds all of them there, or it fails."""

from ormbench.scenarios.models import DEVELOPERS, developers
from sqlalchemy import bindparam, delete, select

from ormbench.scenario import Scenario, State

REMOVE = delete(developers).where(developers.c.id.between(bindparam("first"), bindparam("last")))


def window(turn, table_rows, batch):
    first = 1 + turn % (table_rows // batch) * batch
    return range(first, first + batch)


def args(turn, table_rows, batch=100):
    keys = window(turn, table_rows, batch)
    return {"first": keys[0], "last": keys[-1]}


def left(turns, table_rows, batch=100):
    gone = {key for turn in turns for key in window(turn, table_rows, batch)}
    return [(key,) for key in range(1, table_rows + 1) if key not in gone]


def lasts(table_rows, batch=100):
    return table_rows // batch


STATE = State(select(developers.c.id).order_by(developers.c.id), left, lasts=lasts)
clearing = Scenario(DEVELOPERS, args, state=STATE)


@clearing.lane
async def remove(connection, first, last):
    """a DELETE that must find what it deletes"""
    found = (await connection.execute(REMOVE, {"first": first, "last": last})).rowcount
    if found != last - first + 1:
        raise LookupError(f"only {found} of {last - first + 1} rows were there")


resting = Scenario(DEVELOPERS, args, state=STATE, idle=True)


@resting.lane
async def after_rest(connection, first, last):
    """the same, of a scenario that goes on after its connections were closed"""
    await remove(connection, first, last)


careless = Scenario(DEVELOPERS, args, state=State(STATE.query, left, lasts=lambda _rows: 1_000))


@careless.lane
async def too_long(connection, first, last):
    """the same, of a scenario that says its table lasts for longer than it does"""
    await remove(connection, first, last)
