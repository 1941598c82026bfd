"""Every lane of every shipped scenario does the same work on PostgreSQL, or on no server.

Lanes that do not: test_wrong_lanes.py.
"""

import importlib
from contextlib import ExitStack

import pytest
from lane_grid import (
    SAME_SQL,
    SHIPPED,
    TABLE_ROWS,
    cells_of,
    opened,
    prove,
    prove_same_sql,
    site_on,
    targets_of,
)
from sqlalchemy import create_engine, event

from ormbench.cell import Cell
from ormbench.load.calibration import warm_turns
from ormbench.servers.control import postgresql_connection


@pytest.fixture(scope="module")
def site(server):
    with site_on(server) as there:
        yield there


@pytest.mark.parametrize("cell", cells_of("PostgreSQL"))
async def test_a_shipped_lane_gives_the_reference_answers_and_leaves_the_reference_state(
    cell, site
):
    await prove(cell, site)


@pytest.mark.parametrize("target", targets_of("PostgreSQL"))
@pytest.mark.parametrize("scenario", SAME_SQL)
async def test_orm_core_and_raw_send_the_same_statement(scenario, target, site):
    await prove_same_sql(scenario, target, site)


def test_the_planner_knows_how_many_rows_an_arm_s_tables_have(site):
    """Without statistics it expects 2 of 500, and reads a whole table by its index."""
    loaded = SHIPPED["update_rows"]
    site.tables.reset(loaded, 0)
    place = f"{site.tables.schema(loaded, 0)}.developers"
    with postgresql_connection(site.server.address) as connection:
        change = f"UPDATE {place} SET specialty = 'x' WHERE id BETWEEN 1 AND {TABLE_ROWS}"
        [[[plan]]] = connection.execute(f"EXPLAIN (FORMAT JSON) {change}").fetchall()
    assert plan["Plan"]["Plans"][0]["Plan Rows"] == TABLE_ROWS


@pytest.mark.parametrize("lane", ["orm", "core"])
@pytest.mark.parametrize("target", ["postgresql+asyncpg", "postgresql+psycopg_sync"])
async def test_after_the_proof_sqlalchemy_is_as_if_nobody_had_ever_listened(
    target, lane, site, monkeypatch
):
    """Its mark that somebody listens outlives the listener, and costs a hundred calls."""
    made = []
    module = importlib.import_module("ormbench.lanes.engine")
    for name in ("create_engine", "create_async_engine"):
        create = getattr(module, name)
        monkeypatch.setattr(module, name, kept(create, made))
    arm = await opened(Cell(scenario="get_by_id", lane=lane, target=target), site)
    try:
        assert (await arm.prove([0]))["sql"]
    finally:
        await arm.close()
    [engine] = made
    untouched = create_engine("postgresql+psycopg://")
    event.listen(untouched, "connect", lambda *_: None)  # the harness counts connections by it
    assert mark(engine) == mark(untouched) is False


def kept(create, made):
    def keeping(**how):
        made.append(create(**how))
        return made[-1]

    return keeping


def mark(engine):
    return getattr(engine, "sync_engine", engine)._has_events


@pytest.mark.parametrize("lane", ["orm", "core"])
async def test_the_warm_up_is_that_of_every_connection(lane, site, monkeypatch):
    """psycopg prepares a statement when a connection has it for the sixth time."""
    made, module = [], importlib.import_module("ormbench.lanes.engine")
    monkeypatch.setattr(module, "create_engine", kept(module.create_engine, made))
    target, clients = "postgresql+psycopg_sync", 8
    cell = Cell(scenario="get_by_id", lane=lane, target=target, clients=clients, placement="free")
    arm = await opened(cell, site)
    try:
        await arm.prove([0, 1, 2])
        assert (await arm.warm_up(100))["turns"] <= warm_turns(clients)
        with ExitStack() as held:
            every = [held.enter_context(made[0].connect()) for _ in range(clients)]
            asked = "SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'developers'"
            assert [one.exec_driver_sql(asked).scalar() for one in every] == [1] * clients
    finally:
        await arm.close()
