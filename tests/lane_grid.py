"""The grid of lanes: every lane of every shipped scenario on every target, and its proof.

Each product has a file of tests that goes through its part (test_lanes*.py): so two processes
share the work.
"""

import os
import re
from contextlib import contextmanager

import pytest
from real_targets import QUICK, required

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.load.arm import Arm
from ormbench.loader import shipped
from ormbench.run.context import Site
from ormbench.targets.target import NO_TARGET, TARGETS
from ormbench.translation import NoTwinError
from ormbench.truth.answers import state_difference
from ormbench.truth.tables import Tables

TABLE_ROWS = 500
OURS = f"lanes{os.getpid()}"  # a server may be shared
SHIPPED = shipped()
SLOW = {  # half a second each -> the quick one
    "cold/process": "cold/process/postgresql+asyncpg",
    "move_rows/row_by_row": "move_rows/row_by_row/postgresql+asyncpg",
    "move_rows/row_by_row_core": "move_rows/row_by_row_core/postgresql+asyncpg",
}
NEEDS_TRANSACTION = {"savepoint"}
SAME_SQL = ["get_by_id", "find_by_specialty", "pool_pressure"]
"""Scenarios whose lanes orm, core and raw send the same statement, on every target."""


def marked(value, target):
    """A parameter: what `make test` does not run, or what is slow, is marked."""
    ours = target in {NO_TARGET, *QUICK}
    name = value if isinstance(value, str) else value.id
    blocking = target in QUICK[1:] and "transaction=autocommit" in name
    quick = SLOW.get("/".join(name.split("/")[:2]), name) == name and not blocking
    return pytest.param(value, id=name, marks=() if ours and quick else pytest.mark.servers)


def has_body(lane, target):
    """Whether there is one for a driver of that kind: asyncio's gather has no sync twin."""
    try:
        return target == NO_TARGET or TARGETS[target].driver.is_async or bool(lane.twin())
    except NoTwinError:
        return False


def can(lane, target):
    """Whether the target has what the lane needs; what breaks there is for its scenario's tests."""
    if target == NO_TARGET:
        return True
    return TARGETS[target].abilities.issuperset(lane.needs) and not lane.defect(target)


def may_autocommit(scenario, lane):
    """Whether autocommit is tried here: strategies are about the rows of one transaction."""
    return lane not in NEEDS_TRANSACTION and scenario.default_batch is None


def targets_of(product):
    """The product's targets, as parameters."""
    return [marked(name, name) for name, one in TARGETS.items() if one.server == product]


def cells_of(product):
    """The product's cells, as parameters; PostgreSQL's has those without a database, too."""
    names = [name for name, one in TARGETS.items() if one.server == product]
    alone = [NO_TARGET] if product == "PostgreSQL" else []
    return [
        marked(Cell(scenario=scenario, lane=lane, target=target, transaction=transaction), target)
        for scenario, loaded in SHIPPED.items()
        for lane in loaded.lane_names()
        for target in (names if loaded.scenario.data else alone)
        for transaction in ("per-operation", "autocommit")
        if target == NO_TARGET or lane not in TARGETS[target].unsupported
        if has_body(loaded.lane(lane), target) and can(loaded.lane(lane), target)
        if transaction == "per-operation" or may_autocommit(loaded.scenario, lane)
    ]


@contextmanager
def site_on(server):
    """The server with the tables of every shipped scenario."""
    tables = Tables(server.address, TABLE_ROWS, OURS)
    try:
        tables.prepare(SHIPPED.values())
        yield Site(server, tables)
    finally:
        tables.close()


async def opened(cell, site):
    """The cell's arm; without its driver the test skips, and fails where CI is set."""
    if cell.target != NO_TARGET:
        required(cell.target)
    loaded = SHIPPED[cell.scenario]
    bound = await bind(loaded, cell, site.server.address, site.tables.schema(loaded, 0))
    return Arm(loaded, cell, bound, TABLE_ROWS, timeout=30)


async def prove(cell, site):
    """The lane gives the reference's answers and leaves the reference's state."""
    loaded, turns = SHIPPED[cell.scenario], [3, 4, 5, 700]
    site.tables.reset(loaded, 0)
    arm = await opened(cell, site)
    try:
        proof = await arm.prove(turns)
    finally:
        await arm.close()
    scenario, turns = loaded.scenario, turns[: len(proof["took_ns"])]  # of slow ones fewer
    assert proof["checked"] == (len(turns) if scenario.answer else 0)
    assert scenario.answer or scenario.state or cell.target == NO_TARGET
    if scenario.state:
        found = site.tables.state(loaded, 0, scenario.state)
        assert state_difference(found, site.tables.expected(scenario.state, turns)) is None


async def prove_same_sql(scenario, target, site):
    """Lanes orm, core and raw send one statement, and the same."""
    sent = {}
    for lane in ("orm", "core", "raw"):
        arm = await opened(Cell(scenario=scenario, lane=lane, target=target), site)
        try:
            sent[lane] = (await arm.prove([0]))["sql"]
        finally:
            await arm.close()
    assert len(sent["core"]) == 1
    assert normal(sent["orm"]) == normal(sent["core"]) == normal(sent["raw"])


def normal(statements):
    """psycopg's placeholders, named or not, are the same to the server: $1, $2."""
    return [re.sub(r"%\(\w+\)s", "%s", text) for text in statements]
