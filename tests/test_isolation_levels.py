"""The level that a transaction really has, asked of the server inside each lane's transaction."""

import asyncio
from pathlib import Path

import pytest
from real_targets import marked, required, server_address
from sqlalchemy import text

from ormbench.cell import Cell
from ormbench.isolation import LEVELS, word
from ormbench.lanes.binding import bind
from ormbench.loader import Loaded
from ormbench.scenario import Scenario
from ormbench.targets.target import TARGETS

ASK = {
    "PostgreSQL": text("SHOW transaction_isolation"),
    "MySQL": text("SELECT @@transaction_isolation"),
    "MariaDB": text("SELECT @@tx_isolation"),
}
USUAL = {"PostgreSQL": "READ COMMITTED", "MySQL": "REPEATABLE READ", "MariaDB": "REPEATABLE READ"}
asking = Scenario(name="asking")


@asking.lane
async def orm(session, product):
    """asks through a session"""
    return (await session.execute(ASK[product])).scalar_one()


@asking.lane
async def own(sessions, product):
    """asks through a session that it opens itself"""
    async with sessions() as session:
        return (await session.execute(ASK[product])).scalar_one()


@asking.lane
async def core(connection, product):
    """asks through a connection"""
    return (await connection.execute(ASK[product])).scalar_one()


@asking.lane
async def made(new_engine, product):
    """asks through an engine that it makes"""
    engine = new_engine()
    async with engine.connect() as connection:
        found = (await connection.execute(ASK[product])).scalar_one()
    await engine.dispose()
    return found


@asking.lane
async def raw(driver, product):
    """asks on the bare driver"""
    return (await driver.fetch_one(ASK[product]))[0]


LOADED = Loaded("asking", asking, Path(__file__), "")
QUICK = ("postgresql+asyncpg", "postgresql+psycopg2")
OFFERED = [
    pytest.param(name, level, marks=() if name in QUICK else pytest.mark.servers)
    for name, target in TARGETS.items()
    for level in LEVELS
    if level in target.driver.isolation_levels
]
THROUGH = ("orm", "core", "own")


async def levels(name, address, lane, isolation, **axes):
    """The level of a lane's transaction, twice, and then of its connections between operations."""
    target = TARGETS[name]
    cell = Cell(scenario="asking", lane=lane, target=name, isolation=isolation, **axes)
    schema = "public" if target.server == "PostgreSQL" else ""
    bound = await bind(LOADED, cell, address, schema)
    try:
        seen = []
        for _ in range(2):
            told = bound.operation((target.server,))
            seen.append(await told if asyncio.iscoroutine(told) else told)
        assert lane.startswith("raw") or len(bound.statements) == 2
        bound.quiet()
        told = bound.operation((target.server,))
        seen.append(await told if asyncio.iscoroutine(told) else told)
        [[[(between,)]]] = await bound.ask([str(ASK[target.server])])
        assert bound.opened() == 1
    finally:
        await bound.close()
    return [one.replace("-", " ").upper() for one in (*seen, between)]


def lanes_of(target):
    """The lanes that it has, with each way of connecting a raw one."""
    raw_lanes = [one for one in ("raw_held", "raw", "raw_pool") if one not in target.unsupported]
    return [*THROUGH, *raw_lanes]


@pytest.mark.parametrize(("name", "level"), OFFERED)
async def test_a_lane_has_the_level_of_its_cell_from_the_engine_or_from_connecting(
    name, level, request
):
    target = required(name)
    address = server_address(request, target)
    for lane in lanes_of(target):
        seen = await levels(name, address, lane, word(level))
        assert (lane, seen[:3]) == (lane, [level] * 3)


@pytest.mark.servers
@pytest.mark.parametrize(("name", "level"), OFFERED)
async def test_a_level_of_the_connection_is_set_at_each_checkout_and_gone_after_it(
    name, level, request
):
    target = required(name)
    address = server_address(request, target)
    for lane in THROUGH:
        seen = await levels(name, address, lane, f"{word(level)}:connection")
        assert (lane, seen) == (lane, [level, level, level, USUAL[target.server]])


@pytest.mark.parametrize("name", marked(TARGETS))
async def test_without_a_level_it_is_the_server_s_own(name, request):
    target = required(name)
    address = server_address(request, target)
    for lane in lanes_of(target):
        assert await levels(name, address, lane, None) == [USUAL[target.server]] * 4


@pytest.mark.parametrize("isolation", ["serializable", "serializable:connection"])
@pytest.mark.parametrize("name", marked(TARGETS))
async def test_an_engine_that_a_lane_makes_has_the_level_before_and_after_the_proof(
    name, isolation, request
):
    target = required(name)
    cell = Cell(scenario="asking", lane="made", target=name, isolation=isolation)
    schema = "public" if target.server == "PostgreSQL" else ""
    bound = await bind(LOADED, cell, server_address(request, target), schema)
    try:
        for _ in "ab":
            told = bound.operation((target.server,))
            assert (await told if asyncio.iscoroutine(told) else told).upper() == "SERIALIZABLE"
            bound.quiet()
    finally:
        await bound.close()


@pytest.mark.parametrize("name", marked(TARGETS))
async def test_a_pool_of_any_kind_keeps_the_level(name, request):
    address = server_address(request, required(name))
    for isolation in ("serializable", "serializable:connection"):
        for pool in ("1+0:reset=none", "1+0:ping"):
            seen = await levels(name, address, "core", isolation, pool=pool)
            assert (pool, seen[:3]) == (pool, ["SERIALIZABLE"] * 3)
