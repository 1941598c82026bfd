"""Doubts: each is seen, says its cause and a remedy, and equal ones are said once."""

from types import SimpleNamespace

import pytest
from fabricate import FIRST, Noise, Oddities, fabricate

from ormbench.cell import Cell
from ormbench.report.digest import digest
from ormbench.report.doubts_cells import _identities
from ormbench.results.trial import Slice

CORE = f"get_by_id/core/{FIRST}"
ORM = f"get_by_id/orm/{FIRST}"
QUIET = Noise(block=0.002, round=0.02, slice=0.002)


def doubts(oddities=None, **wishes):
    wishes = {"scenarios": ("get_by_id",), "targets": (FIRST,), "histograms": False, **wishes}
    wishes = {"noise": QUIET, "oddities": oddities or Oddities(), **wishes}
    return digest(fabricate(**wishes), "x").trust.doubts


def one(oddities=None, **wishes):
    (found,) = doubts(oddities, **wishes)
    return found


def test_a_quiet_run_raises_none():
    assert doubts() == ()


def test_every_doubt_has_a_cause_and_a_remedy():
    troubled = Oddities(
        status={ORM: ("TIMEOUT", "5 s")},
        drift={CORE: 0.1},
        new_connections={CORE: 3},
        idle={CORE: 0.2},
        foreign_load=0.4,
        aa_shift=0.1,
    )
    found = doubts(troubled, blocks=6, planned=6)
    codes = {doubt.code for doubt in found}
    assert codes >= {"errors", "drift", "new-connections", "identity", "foreign-load"}
    assert all(doubt.seen and doubt.cause and doubt.remedy for doubt in found)
    fatal = [doubt.fatal for doubt in found]
    assert fatal == sorted(fatal, reverse=True)


def test_blocks_that_rise_throughout_are_drift():
    drift = one(Oddities(drift={ORM: 0.02}))
    assert (drift.code, drift.about) == ("drift", ORM)
    assert drift.seen.startswith("block means rise by 1")


def test_blocks_that_scatter_widely_are_drift():
    found = doubts(noise=Noise(block=0.2))
    assert "drift" in [doubt.code for doubt in found]


def test_the_remedy_for_drift_knows_the_placement():
    free = one(Oddities(drift={f"{ORM}/placement=free": 0.02}), axes={"placement": "free"})
    assert "one-core" in free.remedy
    assert "one-core" not in one(Oddities(drift={ORM: 0.02})).remedy


def test_equal_doubts_become_one_that_names_the_worst_and_lists_all():
    core, orm = f"{CORE}/clients=8", f"{ORM}/clients=8"
    lag = one(Oddities(lag_p99_ns={core: 1_500_000, orm: 4_000_000}), axes={"clients": 8})
    assert (lag.code, lag.about) == ("loop-lag", "run")
    assert lag.seen.startswith(f"2 cells, {orm} most: ")
    assert "4.00 ms" in lag.seen
    assert set(lag.cells) == {core, orm}


@pytest.mark.parametrize(("lag_ns", "doubted"), [(1_000_000, False), (1_000_001, True)])
def test_the_event_loop_may_be_a_millisecond_late(lag_ns, doubted):
    lag = Oddities(lag_p99_ns={f"{CORE}/clients=2": lag_ns})
    assert bool(doubts(lag, axes={"clients": 2})) is doubted


def test_nobody_waits_for_the_event_loop_where_one_client_runs_in_a_closed_loop():
    assert not doubts(Oddities(lag_p99_ns={CORE: 9_000_000}))


def test_the_remedy_for_lag_knows_the_clients():
    lag = one(Oddities(lag_p99_ns={f"{CORE}/clients=8": 3_000_000}), axes={"clients": 8})
    assert "8 clients" in lag.cause
    assert "fewer clients" in lag.remedy


def test_foreign_load_counts_from_a_tenth_of_the_cores():
    assert doubts(Oddities(foreign_load=0.10)) == ()
    assert doubts(Oddities(foreign_load=None)) == ()
    load = one(Oddities(foreign_load=0.41))
    assert load.seen == "others used up to 41 % of the measured cores in 8 of 8 blocks"


def test_connections_opened_inside_slices_are_told_per_thousand_operations():
    opened = one(Oddities(new_connections={ORM: 4}))
    assert opened.code == "new-connections"
    assert opened.seen.startswith("5 connections opened per 1,000 operations")


def test_a_client_that_was_not_served_all_the_time_violates_the_identity():
    idle = one(Oddities(idle={ORM: 0.3}))
    assert (idle.code, idle.about) == ("identity", ORM)
    assert "0.699 clients where 1 ran" in idle.seen


def test_stalls_that_only_total_times_feel_are_told():
    found = doubts(Oddities(stalls={ORM: 0.05}), rounds=40, lanes=("core", "orm"))
    record = fabricate(
        oddities=Oddities(stalls={ORM: 0.05}), rounds=40, lanes=("core", "orm"),
        scenarios=("get_by_id",), targets=(FIRST,), histograms=False, noise=QUIET,
    )  # fmt: skip
    (compared,) = (one for one in digest(record, "x").comparisons if one.kind == "lane")
    assert compared.stalls[0] > 5 > compared.stalls[1]
    stalls = next(doubt for doubt in found if doubt.code == "stalls")
    assert stalls.about == ORM
    assert "slices above 1.5x their median" in stalls.seen


def test_a_cell_of_few_operations_supports_no_tail():
    few = one(scenarios=("bulk_create",), rounds=2, lanes=("core", "orm"))
    assert few.code == "few-samples"
    assert "too few for a 95th percentile" in few.seen


def test_the_harness_itself_is_held_to_no_identity():
    assert doubts(Oddities(idle={"empty/nothing/none": 0.5})) == ()


def test_a_plan_with_few_blocks_is_told_apart_from_a_run_that_was_stopped():
    assert one(blocks=4, planned=4).cause == "the plan has 4"
    assert one(blocks=4, planned=8).cause == "the run was stopped early"


@pytest.mark.parametrize(
    ("lane", "target", "service", "cpu", "expected"),
    [
        ("core", "postgresql+psycopg", 8_000, 900, 0),
        ("core", "postgresql+psycopg", 1_000, 900, 1),  # seven of eight were not served
        (
            "core_on_loop",
            "postgresql+psycopg_sync",
            8_000,
            900,
            0,
        ),  # who waits for the loop is served, too
        ("core_on_loop", "postgresql+psycopg_sync", 1_000, 900, 1),
        ("core", "postgresql+psycopg", 8_000, 1_900, 1),  # two cores, by one thread
        ("core", "postgresql+psycopg_sync", 8_000, 1_900, 0),
        ("core", "postgresql+psycopg_sync", 8_000, 9_900, 1),
    ],
)
def test_threads_may_use_more_cores_than_a_loop_and_all_clients_are_served(
    lane, target, service, cpu, expected
):
    cell = Cell(scenario="get_by_id", lane=lane, target=target, clients=8, placement="free")
    slices = [Slice(0, 0, 800, 1_000, service, cpu, None)]
    arm = SimpleNamespace(blocks=[slices], group=SimpleNamespace(cells=[cell]))
    found = list(_identities(SimpleNamespace(arms_of=lambda _cell: [arm]), cell))
    assert [one.code for one in found] == ["identity"] * expected
