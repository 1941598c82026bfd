"""Every lane of every shipped scenario does the same work; wrong ones: test_wrong_lanes.py."""

import importlib
import os
import re
from contextlib import ExitStack

import pytest
from real_targets import QUICK
from sqlalchemy import create_engine, event

from ormbench.cell import Cell
from ormbench.lanes.binding import bind
from ormbench.load.arm import Arm
from ormbench.load.calibration import warm_turns
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
    return lane not in NEEDS_TRANSACTION and not scenario.takes_batch


ALL_TARGETS = [marked(target, target) for target in TARGETS]
CELLS = [
    marked(Cell(scenario=scenario, lane=lane, target=target, transaction=transaction), target)
    for scenario, loaded in SHIPPED.items()
    for lane in loaded.lane_names()
    for target in (TARGETS if loaded.scenario.data else [NO_TARGET])
    for transaction in ("per-operation", "autocommit")
    if target == NO_TARGET or lane not in TARGETS[target].unsupported
    if has_body(loaded.lane(lane), target) and can(loaded.lane(lane), target)
    if transaction == "per-operation" or may_autocommit(loaded.scenario, lane)
]


def site_on(server):
    tables = Tables(server.address, TABLE_ROWS, OURS)
    try:
        tables.prepare(SHIPPED.values())
        yield Site(server, tables)
    finally:
        tables.close()


@pytest.fixture(scope="module")
def postgresql_site(server):
    yield from site_on(server)


@pytest.fixture(scope="module")
def mysql_site(mysql_server):
    yield from site_on(mysql_server)


@pytest.fixture(scope="module")
def mariadb_site(mariadb_server):
    yield from site_on(mariadb_server)


@pytest.fixture
def site(request):
    """Target -> where its server and tables are; a driver that is not here skips the test."""

    def find(target):
        known = TARGETS.get(target)
        if known and (reason := known.missing()):
            (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
        product = known.server if known else "PostgreSQL"
        return request.getfixturevalue(f"{product.lower()}_site")

    return find


async def opened(cell, site):
    loaded = SHIPPED[cell.scenario]
    bound = await bind(loaded, cell, site.server.address, site.tables.schema(loaded, 0))
    return Arm(loaded, cell, bound, TABLE_ROWS, timeout=30)


@pytest.mark.parametrize("cell", CELLS)
async def test_a_shipped_lane_gives_the_reference_answers_and_leaves_the_reference_state(
    cell, site
):
    there = site(cell.target)
    loaded, turns = SHIPPED[cell.scenario], [3, 4, 5, 700]
    there.tables.reset(loaded, 0)
    arm = await opened(cell, there)
    try:
        proof = await arm.prove(turns)
    finally:
        await arm.close()
    scenario, turns = loaded.scenario, turns[: len(proof["took_ns"])]  # of slow ones fewer
    assert proof["checked"] == (len(turns) if scenario.answer else 0)
    assert scenario.answer or scenario.state or cell.target == NO_TARGET
    if scenario.state:
        found = there.tables.state(loaded, 0, scenario.state)
        assert state_difference(found, there.tables.expected(scenario.state, turns)) is None


@pytest.mark.parametrize("target", ALL_TARGETS)
@pytest.mark.parametrize("scenario", ["get_by_id", "find_by_specialty", "pool_pressure"])
async def test_orm_core_and_raw_send_the_same_statement(scenario, target, site):
    there, sent = site(target), {}
    for lane in ("orm", "core", "raw"):
        cell = Cell(scenario=scenario, lane=lane, target=target)
        arm = await opened(cell, there)
        try:
            sent[lane] = (await arm.prove([0]))["sql"]
        finally:
            await arm.close()
    assert len(sent["core"]) == 1
    assert normal(sent["orm"]) == normal(sent["core"]) == normal(sent["raw"])


def normal(statements):
    """psycopg's placeholders, named or not, are the same to the server: $1, $2."""
    return [re.sub(r"%\(\w+\)s", "%s", text) for text in statements]


@pytest.mark.parametrize("lane", ["orm", "core"])
@pytest.mark.parametrize("target", ["postgresql+asyncpg", "postgresql+psycopg_sync"])
async def test_after_the_proof_sqlalchemy_is_as_if_nobody_had_ever_listened(
    target, lane, site, monkeypatch
):
    """Its mark that somebody listens outlives the listener, and costs a hundred calls."""
    made, there = [], site(target)
    module = importlib.import_module("ormbench.lanes.engine")
    for name in ("create_engine", "create_async_engine"):
        create = getattr(module, name)
        monkeypatch.setattr(module, name, kept(create, made))
    arm = await opened(Cell(scenario="get_by_id", lane=lane, target=target), there)
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
    arm = await opened(cell, site(target))
    try:
        await arm.prove([0, 1, 2])
        assert (await arm.warm_up(100))["turns"] <= warm_turns(clients)
        with ExitStack() as held:
            every = [held.enter_context(made[0].connect()) for _ in range(clients)]
            asked = "SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'developers'"
            assert [one.exec_driver_sql(asked).scalar() for one in every] == [1] * clients
    finally:
        await arm.close()
