"""Each cell is counted once in a run: through the relay, one client, warm connections."""

import os
from contextlib import contextmanager
from pathlib import Path

import odd_turns
import pytest

from ormbench.cell import Cell, Group
from ormbench.loader import load, shipped
from ormbench.run import block
from ormbench.run import count as counting
from ormbench.run.context import Context, Site
from ormbench.run.count import COUNTED, FURTHER, counted_as
from ormbench.run.routes import Routes
from ormbench.truth.tables import Tables

ASYNC = "postgresql+asyncpg"
BROKEN = '''
"""Lanes that cannot be counted, beside one that can."""

from sqlalchemy import text

from ormbench.scenarios.models import DEVELOPERS
from ormbench.scenario import Scenario

broken = Scenario(data=DEVELOPERS, args=lambda turn: {"key": 1})


@broken.lane
async def right(connection, key):
    """one row"""
    return (await connection.execute(text("SELECT 1"))).all()


@broken.lane
async def fails(connection, key):
    """no such table"""
    return (await connection.execute(text("SELECT 1 FROM nowhere"))).all()
'''

TWO_AT_ONCE = '''
"""A lane that writes two rows in one statement, of which the wire tells one."""

from sqlalchemy import String, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.scenario import Data, Scenario, State


class Base(DeclarativeBase):
    pass


class Pair(Base):
    __tablename__ = "pairs"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(20))


def seed(table_rows):
    yield Pair.__table__, [{"id": number, "text": "a"} for number in (1, 2)]


def left(turns, table_rows):
    return [(1, f"turn {turns[-1]}"), (2, "a")]


BOTH = text(
    "WITH one AS (UPDATE pairs SET text = :text WHERE id = 1 RETURNING id) "
    "UPDATE pairs SET text = \'a\' WHERE id = 2"
)
pairs = Scenario(
    Data(Base.metadata, seed),
    args=lambda turn: {"text": f"turn {turn}"},
    state=State(select(Pair).order_by(Pair.id), left),
)


@pairs.lane
async def both(connection, text):
    """two updates, one of them in WITH"""
    await connection.execute(BOTH, {"text": text})
'''


class Silent:
    """Progress that nobody looks at."""

    def block(self, number, blocks): ...
    def group(self, name): ...
    def group_done(self): ...
    def say(self, text): ...


@contextmanager
def context(server, loaded, *cells):
    """What a run of *cells* would hand to its blocks, each cell a group by itself."""
    groups = tuple(Group(cell.id, (cell,)) for cell in cells)
    tables = Tables(server.address, 500, f"counts{os.getpid()}")
    try:
        tables.prepare(loaded.values())
        sites = {server.product: Site(server, tables)}
        with Routes() as routes:
            yield Context(sites, loaded, groups, 2, 1, 7, 500, 30.0, Silent(), routes=routes)
    finally:
        tables.close()


def cell(lane="core", scenario="get_by_id", **axes):
    return Cell(scenario=scenario, lane=lane, target=ASYNC, placement="free", **axes)


def one(name):
    return {name: shipped()[name]}


def test_cells_are_counted_in_the_first_block_and_in_no_other(server):
    with context(server, one("get_by_id"), cell("orm"), cell("core")) as given:
        first, second = block.measure(given, 0), block.measure(given, 1)
    assert {count.cell for count in first.counts} == {cell("orm").id, cell("core").id}
    assert len(first.counts) == 2
    assert second.counts == ()


def test_an_operation_is_counted_by_itself(server):
    with context(server, one("get_by_id"), cell("orm")) as given:
        (count,) = block.measure(given, 0).counts
    assert len(count.operations) == COUNTED
    assert count.span("round_trips") == count.span("requests") == (3, 3)
    assert count.span("connections") == (0, 0)
    assert count.operations[0].statements == {"BEGIN": 1, "SELECT": 1, "COMMIT": 1}
    asked = [line.text for line in count.transcript if line.side == "client" and line.text]
    assert asked[0] == "BEGIN;"
    assert asked[-1] == "COMMIT;"


def test_where_few_operations_are_alike_and_later_ones_are_not_more_are_counted(server):
    """A lane that asks more in every tenth turn: its promise is a range, and it keeps it."""
    loaded = {one.name: one for one in load(Path(odd_turns.__file__)) if one.name == "varying"}
    tenth = cell("every_tenth", "varying", transaction="autocommit")
    with context(server, loaded, tenth) as given:
        done = block.measure(given, 0)
    (count,), (trial,) = done.counts, done.trials
    assert len(count.operations) == COUNTED + FURTHER
    assert count.span("transactions") == (1, 2)
    assert (trial.status, trial.unverified) == ("OK", "")


def test_what_a_driver_prepares_is_prepared_before_it_is_counted(server):
    psycopg = Cell(scenario="get_by_id", lane="core", target="postgresql+psycopg", placement="free")
    with context(server, one("get_by_id"), psycopg) as given:
        (count,) = block.measure(given, 0).counts
    assert count.span("round_trips") == (3, 3)
    assert "Parse" not in [line.kind for line in count.transcript]


def test_many_clients_and_distance_do_not_change_what_one_operation_sends(server):
    near, far, many = cell(), cell(rtt=1.0), cell(clients=4)
    assert counted_as(near) == counted_as(far) == counted_as(many)
    with context(server, one("get_by_id"), near, far, many) as given:
        counts = block.measure(given, 0).counts
    assert [count.cell for count in counts if count.operations == counts[0].operations] == [
        count.cell for count in counts
    ]
    assert {count.cell for count in counts} == {near.id, far.id, many.id}
    (counted,) = [count for count in counts if not count.like]
    assert counted.transcript
    assert {count.like for count in counts} == {"", counted.cell}
    assert not any(count.transcript for count in counts if count.like)


@pytest.mark.parametrize("word", ["fitted", "5+10", "15+0:lifo:timeout=1", "5+0:recycle=1800"])
def test_the_size_of_a_pool_changes_nothing_that_one_operation_sends(word):
    assert counted_as(cell(pool=word, clients=8, processes=2)) == counted_as(cell())


@pytest.mark.parametrize(
    "word", ["5+10:ping", "5+10:reset=none", "nullpool", "static", "driver", "fitted:recycle=0"]
)
def test_what_a_pool_does_to_a_connection_is_counted_apart(word):
    assert counted_as(cell(pool=word)) != counted_as(cell())


def test_so_is_an_isolation_level_and_how_it_is_set():
    ways = [None, "serializable", "serializable:connection", "read-committed"]
    assert len({counted_as(cell(isolation=way)) for way in ways}) == len(ways)


def test_pools_that_do_the_same_share_one_count():
    assert counted_as(cell(pool="5+10:ping")) == counted_as(cell(pool="20+0:lifo:ping"))


@pytest.mark.parametrize("receives", ["sessions", "new_engine"])
def test_of_a_lane_that_may_hold_several_connections_the_pool_stays_as_it_is(receives):
    assert counted_as(cell(pool="5+10"), receives).pool == "5+10"


@pytest.mark.servers
def test_what_a_new_connection_costs_is_counted_once_and_is_no_cell_of_the_run(server):
    small, large = cell(pool="2+10", clients=8), cell(pool="3+10", clients=8)
    with context(server, one("get_by_id"), small, large, cell()) as given:
        done = block.measure(given, 0)
        connecting = [found for found in given.alike.values() if "nullpool" in found.cell]
    assert {count.cell for count in done.counts} == {small.id, large.id, cell().id}
    assert len([count for count in done.counts if not count.like]) == 1
    assert [count.span("connections") for count in connecting] == [(1, 1)]
    assert [(one.status, one.unverified) for one in done.trials] == [("OK", "")] * 3


@pytest.mark.servers
def test_a_run_that_goes_on_counts_again_what_a_new_connection_costs(server):
    """What is no cell's count stands in no record."""
    small = cell(pool="2+10", clients=8)
    with context(server, one("get_by_id"), small) as given:
        first = block.measure(given, 0)
    with context(server, one("get_by_id"), small) as given:
        given.counts |= {count.cell: count for count in first.counts}
        second = block.measure(given, 1)
    assert [found.unverified for done in (first, second) for found in done.trials] == ["", ""]
    assert second.counts == ()


@pytest.mark.servers
def test_a_cell_that_was_counted_for_another_s_sake_has_a_count_of_its_own(server):
    """Its transcript stands in its own row: nobody stores the other's."""
    small, none = cell(pool="2+10", clients=8), cell(pool="nullpool")
    with context(server, one("get_by_id"), small, none) as given:
        counts = {count.cell: count for count in block.measure(given, 0).counts}
    assert counts[none.id].like == ""
    assert counts[none.id].transcript
    assert counts[none.id].span("connections") == (1, 1)


def test_a_cell_that_writes_in_one_turn_of_twenty_is_counted_in_both_kinds(server):
    loaded = {one.name: one for one in load(Path(odd_turns.__file__)) if one.name == "varying"}
    twentieth = cell("every_twentieth", "varying", transaction="autocommit")
    with context(server, loaded, twentieth) as given:
        done = block.measure(given, 0)
    assert done.counts[0].span("transactions") == (1, 2)
    assert (done.trials[0].status, done.trials[0].unverified) == ("OK", "")


def varying(lane):
    found = {one.name: one for one in load(Path(odd_turns.__file__)) if one.name == "varying"}
    return found, cell(lane, "varying", transaction="autocommit")


def test_of_slow_operations_too_as_many_are_counted_as_there_is_time_for(server, monkeypatch):
    """Turns 1 to 5, of which the third differs from the others."""
    monkeypatch.setattr(counting, "SLOW_NS", 0)
    loaded, tenth = varying("every_tenth")
    with context(server, loaded, tenth) as given:
        done = block.measure(given, 0)
    assert len(done.counts[0].operations) == COUNTED
    assert done.counts[0].span("transactions") == (1, 2)
    assert (done.trials[0].status, done.trials[0].unverified) == ("OK", "")


def test_an_operation_that_was_counted_alone_makes_no_other_wrong(server, monkeypatch):
    monkeypatch.setattr(counting, "SLOW_NS", 0)
    monkeypatch.setattr(counting, "FURTHER_NS", 1)
    loaded, tenth = varying("every_tenth")
    with context(server, loaded, tenth) as given:
        done = block.measure(given, 0)
    assert [len(one.operations) for one in done.counts] == [1]
    (trial,) = done.trials
    assert trial.status == "OK"
    assert trial.unverified.startswith("one operation was counted, and others may differ: the ")


def test_another_unit_of_work_is_counted_apart(server):
    usual, alone = cell(), cell(transaction="autocommit")
    with context(server, one("get_by_id"), usual, alone) as given:
        counts = {count.cell: count for count in block.measure(given, 0).counts}
    assert counts[usual.id].span("round_trips") == (3, 3)
    assert counts[alone.id].span("round_trips") == (1, 1)


def test_a_lane_that_fails_says_so_in_its_count_and_leaves_the_others_alone(server, tmp_path):
    file = tmp_path / "broken.py"
    file.write_text(BROKEN)
    loaded = {one.name: one for one in load(file)}
    cells = [cell(lane, "broken") for lane in ("right", "fails")]
    with context(server, loaded, *cells) as given:
        done = block.measure(given, 0)
    counts = {count.cell: count for count in done.counts}
    assert counts[cells[0].id].reason == ""
    assert counts[cells[1].id].reason.startswith("ERROR: UndefinedTableError: ")
    assert counts[cells[1].id].operations == ()
    assert {trial.cell: trial.status for trial in done.trials} == {
        cells[0].id: "OK",
        cells[1].id: "ERROR",
    }


def test_writes_are_counted_and_leave_no_trace_in_what_is_proven(server):
    with context(server, one("update_email"), cell("orm", "update_email")) as given:
        done = block.measure(given, 0)
    (count,), (trial,) = done.counts, done.trials
    assert trial.status == "OK"
    assert count.operations[0].rows["UPDATE"] == 1


def test_rows_that_the_wire_does_not_tell_are_expected_of_no_cell_that_was_counted_so(
    server, tmp_path
):
    file = tmp_path / "pairs.py"
    file.write_text(TWO_AT_ONCE)
    loaded = {one.name: one for one in load(file)}
    near, far = cell("both", "pairs"), cell("both", "pairs", rtt=0.0)
    with context(server, loaded, near, far) as given:
        done = block.measure(given, 0)
    assert any(count.like for count in done.counts)
    assert [(one.status, one.reason) for one in done.trials] == [("OK", "")] * 2


def test_distance_is_added_and_the_achieved_time_recorded(server):
    with context(server, one("get_by_id"), cell(), cell(rtt=0.0), cell(rtt=2.0)) as given:
        trials = {trial.cell: trial for trial in block.measure(given, 0).trials}
    straight, near, far = (trials[cell(rtt=rtt).id] for rtt in (None, 0.0, 2.0))
    assert straight.added_rtt_ns is None
    assert near.added_rtt_ns > 0
    assert far.added_rtt_ns >= 2_000_000
    fastest = min(one.service_ns / one.operations for one in far.slices)
    assert fastest >= 3 * 2_000_000  # three round trips


def test_one_relay_serves_all_routes_of_a_run(server):
    with Routes() as routes:
        one, another = routes.counting(server.address), routes.counting(server.address)
        far, farther = routes.distant(server.address, 1.0), routes.distant(server.address, 2.0)
        assert len({way.address for way in (one, another, far, farther)}) == 4
        assert routes.distant(server.address, 1.0) is far
