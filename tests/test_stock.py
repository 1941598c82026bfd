"""Where operations use up what is in a table, it is put back before any of them finds that gone."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import run_context
import used_up
from real_targets import marked

from ormbench.cell import Cell
from ormbench.load.calibration import SliceSize
from ormbench.loader import load
from ormbench.run import block, count, stock
from ormbench.run.arm import EndedError
from ormbench.truth.tables import Tables

ASYNC = "postgresql+asyncpg"
SYNC = "postgresql+psycopg_sync"
EACH = "and {} clients want one each: --table-rows {}"
SCENARIOS = {one.name: one for one in load(Path(used_up.__file__))}


def cell(scenario="clearing", lane="remove", target=ASYNC, **axes):
    return Cell(scenario=scenario, lane=lane, target=target, placement="free", **axes)


class Arm:
    """As much of an arm as has tables that last."""

    def __init__(self, lasts=None, processes=1):
        self.lasts, self.cell = lasts, cell(clients=processes, processes=processes)
        self.resets = 0

    def reset(self):
        self.resets += 1


def of(batch, table_rows, clients=1):
    """An arm of `clearing`, before its stock is checked."""
    site = SimpleNamespace(tables=SimpleNamespace(table_rows=table_rows))
    loaded = SCENARIOS["clearing"].sized(batch)
    return SimpleNamespace(
        loaded=loaded, site=site, cell=cell(clients=clients), rows=batch, lasts=None
    )


# How long a table lasts


def test_an_arm_knows_for_how_many_turns_its_table_lasts():
    arm = of(batch=100, table_rows=1_050, clients=8)
    stock.check(arm)
    assert arm.lasts == 10


def test_one_that_lasts_longer_than_a_block_is_never_put_back_for_it():
    arm = of(batch=1, table_rows=stock.ENDLESS)
    stock.check(arm)
    assert arm.lasts is None
    assert stock.put_back(arm, 7) == 7


@pytest.mark.parametrize(
    ("batch", "table_rows", "clients", "words"),
    [
        (
            *(1_000, 1_000, 8),
            "its table of 1,000 rows lasts for 1 operation of 1,000 rows, " + EACH.format(8, 8000),
        ),
        (
            *(300, 1_000, 4),
            "its table of 1,000 rows lasts for 3 operations of 300 rows, " + EACH.format(4, 1200),
        ),
        (
            *(1_000, 500, 1),
            "its table of 500 rows is too small for an operation of 1,000 rows: --table-rows 1000",
        ),
    ],
)
def test_where_each_client_has_no_turn_the_arm_says_which_table_would_do(
    batch, table_rows, clients, words
):
    with pytest.raises(EndedError) as ended:
        stock.check(of(batch, table_rows, clients))
    assert (ended.value.status, ended.value.reason) == ("UNSUPPORTED", words)


def test_where_no_table_would_do_none_is_named():
    words = stock.shortage(lambda _rows: 2, 500, 3, 0)
    assert words == ("its table of 500 rows lasts for 2 operations, and 3 clients want one each")


def test_an_error_of_the_author_s_is_the_arm_s():
    arm = of(batch=100, table_rows=1_000)
    arm.loaded.scenario.state = SimpleNamespace(lasts=lambda rows: rows // 0)
    with pytest.raises(EndedError, match=r"^lasts of clearing: ZeroDivisionError"):
        stock.check(arm)


# Stretches


@pytest.mark.parametrize(
    ("lasts", "asked", "parts", "resets"),
    [
        (None, [1, 7, 20], [[1], [7], [20]], 0),
        (5, [1, 7, 1], [[1], [4, 3], [1]], 1),
        (1, [1, 3], [[1], [1, 1, 1]], 3),
        (3, [3, 3], [[3], [3]], 1),
        (8, [1, 7], [[1], [7]], 0),
    ],
)
def test_turns_are_parted_where_the_table_has_to_be_put_back(lasts, asked, parts, resets):
    arm = Arm(lasts)
    of_stretch = stock.stretches(arm)
    assert [list(of_stretch(count)) for count in asked] == parts
    assert arm.resets == resets


# Slices


@pytest.mark.parametrize(
    ("lasts", "operations", "settling"),
    [(100, 20, 3), (23, 20, 3), (22, 20, 2), (20, 20, 0), (7, 7, 0), (1, 1, 0)],
)
def test_a_slice_that_lasts_too_long_loses_the_turns_that_settle_first(lasts, operations, settling):
    size = stock.within(SliceSize(20, 3, 6), [Arm(None), Arm(lasts)])
    assert size == SliceSize(operations, settling, 6)


def test_all_processes_still_have_equally_many():
    size = stock.within(SliceSize(40, 8, 6), [Arm(43, processes=4), Arm(42, processes=2)])
    assert (size.operations, size.settling) == (40, 0)
    assert stock.within(SliceSize(40, 8, 6), [Arm(11, processes=4)]).operations == 8


# On a real server


def counted_resets(monkeypatch):
    """A list that gets a schema's place for each time that its tables are put back."""
    seen, reset = [], Tables.reset

    def noted(tables, loaded, place):
        seen.append(place)
        reset(tables, loaded, place)

    monkeypatch.setattr(Tables, "reset", noted)
    return seen


@pytest.mark.servers
@pytest.mark.parametrize("target", marked([ASYNC, SYNC], quick=[ASYNC]))
def test_no_operation_ever_finds_its_rows_gone(server, target):
    """A table of 500 rows: for five turns of 100, two of 250; with clients that share them."""
    cells = (
        cell(target=target),
        cell(target=target, batch=250),
        cell(target=target, batch=125, clients=4),
    )
    groups = ((cells[0], cells[0]), (cells[1],), (cells[2],))
    with run_context.context(server, SCENARIOS, *groups, rounds=4) as given:
        done = block.measure(given, 0)
    assert [(one.status, one.reason, one.unverified) for one in done.trials] == [("OK", "", "")] * 4
    assert not any(one.reason for one in done.counts)
    by_cell = {one.cell: one for one in done.trials}
    for one, lasts in zip(cells, (5, 2, 4), strict=True):
        trial = by_cell[one.id]
        assert {slice_.operations for slice_ in trial.slices} <= set(range(1, lasts + 1))
        assert trial.turns <= lasts * len(trial.slices)
    assert by_cell[cells[2].id].lag_p99_ns is not None


@pytest.mark.servers
def test_nor_do_operations_of_several_processes(server):
    shared = cell(batch=50, clients=4, processes=2, pool="5+0")
    with run_context.context(server, SCENARIOS, (shared,), rounds=4) as given:
        (trial,) = block.measure(given, 0).trials
    assert (trial.status, trial.reason) == ("OK", "")
    assert trial.turns <= 10 * len(trial.slices)
    assert trial.checkout


@pytest.mark.servers
@pytest.mark.parametrize("pool", ["fitted:ping", "5+0:ping"])
def test_nor_do_those_after_the_server_closed_what_was_idle(server, pool):
    """A table that lasts for four turns, and five of them or more, which a ping saves."""
    shared = {"clients": 4, "processes": 2} if pool == "5+0:ping" else {}
    rested = cell("resting", "after_rest", batch=125, pool=pool, **shared)
    with run_context.context(server, SCENARIOS, (rested,)) as given:
        (trial,) = block.measure(given, 0).trials
    assert (trial.status, trial.reason) == ("OK", "")
    assert trial.idle == {"answered": 2 * rested.connections + 3}


def test_a_table_that_is_said_to_last_too_long_is_found_out(server):
    careless = cell("careless", "too_long")
    with run_context.context(server, SCENARIOS, (careless,)) as given:
        done = block.measure(given, 0)
    assert done.trials[0].status == "ERROR"
    assert "LookupError: only 0 of 100 rows were there" in done.trials[0].reason


@pytest.mark.servers
def test_the_count_pass_puts_the_table_back_as_often_as_it_is_used_up(server, monkeypatch):
    seen = counted_resets(monkeypatch)
    with run_context.context(server, SCENARIOS, (cell(batch=250),), rounds=1) as given:
        (counted,) = block.measure(given, 0).counts
    turns = count.WARM + count.COUNTED + count.FURTHER
    assert len(counted.operations) == count.COUNTED
    assert counted.span("round_trips") == (3, 3)  # what puts it back does not pass there
    assert len(seen) >= -(-turns // 2) + 3  # and once for proof, warm-up, and slice


@pytest.mark.servers
def test_a_table_too_small_for_all_clients_ends_the_arm_and_leaves_the_others_alone(server):
    few, many = cell(batch=250), cell(batch=250, clients=4)
    with run_context.context(server, SCENARIOS, (few, many), rounds=1) as given:
        trials = {one.cell: one for one in block.measure(given, 0).trials}
    assert trials[few.id].status == "OK"
    assert trials[many.id].status == "UNSUPPORTED"
    assert trials[many.id].reason.endswith("4 clients want one each: --table-rows 1000")
