"""Every lane of every shipped scenario does the same work; a lane that does not is found out."""

import importlib
import os
import re
from collections import Counter
from contextlib import ExitStack

import pytest
from sqlalchemy import create_engine, event

from ormbench.cell import Cell, Group
from ormbench.lanes.binding import bind
from ormbench.load.arm import Arm
from ormbench.load.calibration import warm_turns
from ormbench.loader import load, shipped
from ormbench.run import block
from ormbench.run.context import Context, Site
from ormbench.targets.target import NO_TARGET, TARGETS
from ormbench.truth.answers import state_difference
from ormbench.truth.tables import Tables

TABLE_ROWS = 500
OURS = f"lanes{os.getpid()}"  # a server may be shared
SHIPPED = shipped()


def marked(value, target):
    """A parameter: what needs another server than the embedded PostgreSQL is marked."""
    ours = target == NO_TARGET or TARGETS[target].server == "PostgreSQL"
    name = value if isinstance(value, str) else value.id
    return pytest.param(value, id=name, marks=() if ours else pytest.mark.servers)


ALL_TARGETS = [marked(target, target) for target in TARGETS]
CELLS = [
    marked(Cell(scenario=scenario, lane=lane, target=target, transaction=transaction), target)
    for scenario, loaded in SHIPPED.items()
    for lane in loaded.lane_names()
    for target in (TARGETS if loaded.scenario.data else [NO_TARGET])
    for transaction in ("per-operation", "autocommit")
    if target == NO_TARGET or lane not in TARGETS[target].unsupported
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
    scenario = loaded.scenario
    assert proof["checked"] == (len(turns) if scenario.answer else 0)
    assert scenario.answer or scenario.state or cell.target == NO_TARGET
    if scenario.state:
        found = there.tables.state(loaded, 0, scenario.state)
        assert state_difference(found, there.tables.expected(scenario.state, turns)) is None


@pytest.mark.parametrize("target", ALL_TARGETS)
@pytest.mark.parametrize("scenario", ["get_by_id", "find_by_specialty"])
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


# Lanes that do unequal work. Each must come out as INCORRECT, by the path that a run takes.

WRONG = '''
"""Lanes that do less, other or later work than they say, beside one that does it."""

from sqlalchemy import Integer, String, bindparam, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.scenario import Data, Scenario, State


class Base(DeclarativeBase):
    pass


class Word(Base):
    __tablename__ = "words"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(20))


def row(number):
    return {"id": number, "text": f"word {number * 7 % 10}"}


def seed(table_rows):
    yield Word.__table__, [row(number) for number in range(1, table_rows + 1)]


DATA = Data(Base.metadata, seed)
FEW = select(Word).where(Word.id.between(bindparam("first"), bindparam("last"))).order_by(Word.text)


def expected(turn):
    first = 1 + turn % 400
    found = sorted((row(n) for n in range(first, first + 10)), key=lambda row: row["text"])
    return [tuple(row.values()) for row in found]


def few(turn):
    return {"first": 1 + turn % 400, "last": 10 + turn % 400}


reading = Scenario(DATA, few, expected)


@reading.lane
async def right(session, first, last):
    """what is asked for"""
    return (await session.scalars(FEW, {"first": first, "last": last})).all()


@reading.lane
async def wrong_order(session, first, last):
    """the same rows by key"""
    by_key = FEW.order_by(None).order_by(Word.id)
    return (await session.scalars(by_key, {"first": first, "last": last})).all()


@reading.lane
async def missing_row(connection, first, last):
    """one less"""
    return (await connection.execute(FEW, {"first": first, "last": last - 1})).all()


@reading.lane
async def half_a_row(connection, first, last):
    """the key alone"""
    return (await connection.execute(FEW.with_only_columns(Word.id), few(first - 1))).all()


KEPT = {}


@reading.lane
async def stale(driver, first, last):
    """asks once and remembers"""
    if not KEPT:
        KEPT[0] = await driver.fetch_all(FEW, first, last)
    return KEPT[0]


def shout(turn):
    return {"key": 1 + turn % 400, "text": f"loud {turn}"}


def shouted(turns, table_rows):
    rows = {number: row(number) for number in range(1, table_rows + 1)}
    for turn in turns:
        rows[shout(turn)["key"]]["text"] = shout(turn)["text"]
    return [tuple(row.values()) for row in rows.values()]


writing = Scenario(DATA, shout, state=State(select(Word).order_by(Word.id), shouted))
CHANGE = update(Word.__table__).values(text=bindparam("text")).where(Word.id == bindparam("key"))


@writing.lane
async def written(session, key, text):
    """one entity"""
    (await session.get_one(Word, key)).text = text


@writing.lane
async def never_committed(session, key, text):
    """takes it back"""
    (await session.get_one(Word, key)).text = text
    await session.flush()
    await session.rollback()


@writing.lane
async def nothing_sent(session, key, text):
    """sets what is there already, so that the flush finds nothing to send"""
    word = await session.get_one(Word, key)
    word.text = word.text


@writing.lane
async def other_row(connection, key, text):
    """off by one"""
    await connection.execute(CHANGE, {"key": key + 1, "text": text})


@writing.lane
async def replayed(connection, key, text):
    """always writes the same"""
    await connection.execute(CHANGE, {"key": key, "text": "the same"})


@writing.lane
async def fails(connection, key, text):
    """breaks a constraint"""
    await connection.execute(CHANGE, {"key": key, "text": "x" * 21})
'''


class Silent:
    """Progress that nobody looks at."""

    def block(self, number, blocks): ...
    def group(self, name): ...
    def group_done(self): ...
    def say(self, text): ...


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    file = tmp_path_factory.mktemp("wrong") / "wrong.py"
    file.write_text(WRONG)
    return {one.name: one for one in load(file)}


@pytest.fixture(scope="module")
def measured():
    """Target -> the trials of its block, measured once."""
    return {}


@pytest.fixture
def trials(site, wrong, measured):
    """Target -> the trials of one short block, measured the way a run does it, by cell."""

    def measure(target):
        if target not in measured:
            measured[target] = _trials(site(target).server, wrong, target)
        return measured[target]

    return measure


def _trials(server, loaded, target):
    groups = [
        Group(f"{scenario}/{lane}", (Cell(scenario=scenario, lane=lane, target=target),))
        for scenario, one in loaded.items()
        for lane in one.scenario.lanes
    ]
    tables = Tables(server.address, TABLE_ROWS, f"{OURS}wrong")
    try:
        tables.prepare(loaded.values())
        sites = {server.product: Site(server, tables)}
        done = block.measure(
            Context(sites, loaded, tuple(groups), 1, 1, 7, TABLE_ROWS, 30.0, Silent()), 0
        )
    finally:
        tables.close()
    return {one.cell.removesuffix(f"/{target}"): one for one in done.trials}


@pytest.mark.parametrize("target", ALL_TARGETS)
@pytest.mark.parametrize(
    ("lane", "words"),
    [
        ("reading/wrong_order", "the same rows in another order"),
        ("reading/missing_row", "9 rows, expected 10"),
        ("reading/half_a_row", "row 0 is ("),
        ("reading/stale", "turn "),
        ("writing/never_committed", "state: row "),
        ("writing/nothing_sent", "state: row "),
        ("writing/other_row", "state: row "),
        ("writing/replayed", "'the same'), expected ("),
    ],
)
def test_a_lane_that_does_unequal_work_has_no_time(trials, lane, words, target):
    trial = trials(target)[lane]
    assert trial.status == "INCORRECT"
    assert words in trial.reason
    assert "\n" not in trial.reason
    assert trial.slices == ()
    assert trial.service == ""


@pytest.mark.parametrize("target", ALL_TARGETS)
@pytest.mark.parametrize("lane", ["reading/right", "writing/written"])
def test_a_lane_that_does_it_right_beside_them_has_one(trials, lane, target):
    trial = trials(target)[lane]
    assert (trial.status, trial.reason) == ("OK", "")
    assert len(trial.slices) == 1


REFUSALS = {"PostgreSQL": "value too long for type character varying(20)"}


@pytest.mark.parametrize("target", ALL_TARGETS)
def test_a_lane_that_the_server_refuses_ends_with_the_server_s_words(trials, target):
    trial = trials(target)["writing/fails"]
    assert trial.status == "ERROR"
    words = REFUSALS.get(TARGETS[target].server, "Data too long for column 'text'")
    assert words in trial.reason
    assert "\n" not in trial.reason


@pytest.mark.parametrize("target", ALL_TARGETS)
def test_no_lane_took_another_one_down(trials, target):
    counted = Counter(trial.status for trial in trials(target).values())
    assert counted == {"INCORRECT": 8, "OK": 2, "ERROR": 1}


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
