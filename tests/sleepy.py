"""Naps: what takes a time that is known beforehand, 3 ms for each row of an operation."""

from ormbench.scenarios.models import DEVELOPERS
from sqlalchemy import bindparam, func, select

from ormbench.scenario import Scenario

NAP = select(func.pg_sleep(bindparam("seconds")))


def args(turn, batch=10):  # noqa: ARG001 - all turns are alike
    return {"seconds": 0.003 * batch}


sleepy = Scenario(DEVELOPERS, args)


@sleepy.lane
async def nap(connection, seconds):
    """as long as it has rows"""
    await connection.execute(NAP, {"seconds": seconds})


@sleepy.lane
async def quick(connection, seconds):
    """no time at all"""
    await connection.execute(NAP, {"seconds": 0 * seconds})
