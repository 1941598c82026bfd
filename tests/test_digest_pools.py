"""Pools against clients: which cells form a map, what a column proves, and what is said of it."""

import math
from dataclasses import replace

import pool_runs
import pytest
from pool_runs import ASYNCPG, card, cell_id, column, digested, entry, left, maps_of

from ormbench.cell import Cell
from ormbench.report.cell_names import cell_names
from ormbench.report.digest_pools import maps
from ormbench.report.findings import Estimate, Outcomes
from ormbench.report.focus import Focus
from ormbench.report.names import apart
from ormbench.report.pool_facts import idle_text, pool_facts
from ormbench.report.pool_table import pool_tables
from ormbench.report.pool_words import NOT_MEASURED, headline, smallest_text
from ormbench.report.quantities import part_text, per_1000_text, whole_percent

FOCUS = Focus("pool_pressure", ASYNCPG)


@pytest.fixture(scope="module")
def usual():
    """Seven pools with 1 to 64 clients; the server does what 18 connections do."""
    return digested()


def names(entries):
    return [one.cell.pool for one in entries]


# Maps


def test_a_map_has_a_column_for_each_number_of_clients_and_a_row_for_each_pool(usual):
    (found,) = maps_of(usual)
    assert [one.clients for one in found.columns] == list(pool_runs.CLIENTS)
    assert found.words == (None, "64+0", "20+0", "15+0", "5+10", "5+0", "nullpool")
    for one in found.columns:
        assert names(one.entries) == list(found.words)
        assert {entry.cell.clients for entry in one.entries} == {one.clients}


def test_a_run_without_pools_has_no_map_and_its_card_names_the_plan():
    found = digested(words=(None,))
    assert maps_of(found) == ()
    assert pool_tables(found) == ()
    assert card(found).verdict == NOT_MEASURED == "not measured: ormbench run pools"
    assert not card(found).measured


def test_pools_that_differ_by_a_ping_alone_are_no_map():
    assert maps_of(digested(words=("20+0", "20+0:ping", "20+0:recycle=1"))) == ()


def test_an_offered_rate_makes_no_map():
    assert maps_of(digested(rate=100.0)) == ()


def test_lanes_targets_and_numbers_of_processes_have_maps_of_their_own():
    found = digested(
        ("5+0", "20+0"), (16,), lanes=("core", "orm"), targets=(ASYNCPG, "mysql+aiomysql")
    )
    assert len(maps_of(found)) == 4
    both = digested(("5+0", "20+0"), (16,)), digested(("5+0", "20+0"), (16,), processes=2)
    assert [maps_of(one)[0].cell.processes for one in both] == [1, 2]


def test_one_client_alone_shares_its_map_though_it_shares_a_core(usual):
    placements = {one.cell.placement for one in maps_of(usual)[0].entries}
    assert placements == {"one-core", "free"}


def test_what_was_left_out_or_ended_early_is_there_with_its_reason():
    why = "64 clients need more connections than the server's 400"
    found = digested(
        clients=(64,),
        left_out=(left("500+0", 64, why),),
        status={cell_id("5+0", 64): ("ERROR", "no")},
    )
    assert entry(found, "500+0", 64).missing == why
    assert entry(found, "5+0", 64).missing == "ERROR: no"
    assert not entry(found, "5+0", 64).standing


# Shares


def test_the_share_is_that_of_the_paired_times_of_both_against_the_reference(usual):
    """15 connections of 18 that the server can use."""
    share = entry(usual, "15+0", 64).share
    assert share.low < 15 / 18 < share.high
    assert share.blocks == 8
    here = column(usual, 64)
    there = here.versus(entry(usual, "20+0", 64), entry(usual, "15+0", 64))
    assert there.low < 18 / 15 < there.high


def test_each_column_has_its_own_best(usual):
    for clients in pool_runs.CLIENTS:
        here = column(usual, clients)
        assert here.best.share.value == 1.0
        assert sum(one.is_best for one in here.entries) == 1


def test_a_share_is_located_over_the_differences_of_each_block():
    """The reference's own noise cancels: both ratios hold it, with the same sign."""
    found = digested(("5+0", "15+0", "5+10", "64+0", "20+0"), (64,))  # two groups
    shaken = tuple(
        replace(
            one,
            block_ratios=tuple(
                ratio * (1 + 0.5 * (number % 2)) for number, ratio in enumerate(one.block_ratios)
            ),
        )
        if one.kind == "axis"
        else one
        for one in found.comparisons
    )
    (alone,), (other,) = maps(found.comparisons, found.cells), maps(shaken, found.cells)

    def share(one):
        entries = {entry.cell.pool: entry for entry in one.columns[0].entries}
        return one.columns[0].versus(entries["15+0"], entries["20+0"])

    assert share(other).low == pytest.approx(share(alone).low)
    assert share(other).high == pytest.approx(share(alone).high)


def test_too_few_blocks_in_common_give_no_interval_and_no_claim():
    found = digested(("64+0", "15+0", "5+10", "5+0", "20+0"), (64,))  # two groups
    lacking = tuple(
        replace(one, blocks=one.blocks[1:], block_ratios=one.block_ratios[1:])
        if one.candidate.pool == "15+0"
        else one
        for one in found.comparisons
    )
    (here,) = maps(lacking, found.cells)[0].columns
    entries = {one.cell.pool: one for one in here.entries}
    unknown = here.versus(entries["15+0"], entries["20+0"])
    assert (unknown.low, unknown.high) == (0.0, math.inf)
    assert "15+0" not in names(here.smallest)


def test_pools_that_were_compared_with_nothing_have_a_share_and_no_standing():
    found = digested(compared=False)
    assert entry(found, "5+0", 64).share.value == pytest.approx(5 / 18, rel=0.05)
    assert {one.standing for one in maps_of(found)[0].entries} == {""}
    assert card(found).verdict == "This run cannot tell"
    assert headline(found.comparisons, found.cells, FOCUS) == ""


def test_where_operations_fail_goodput_decides_and_not_time():
    """A pool that gives up at once answers fast: by time it would be the best."""
    ids = {cell_id("5+0", 64)}
    found = digested(faster=dict.fromkeys(ids, 4.5), failing=dict.fromkeys(ids, 0.8))
    one = entry(found, "5+0", 64)
    against = next(c for c in found.comparisons if c.candidate == one.cell and c.kind == "axis")
    assert against.verdict == "cannot tell"
    assert one.standing == "below"
    assert one.share.value == pytest.approx(0.25, rel=0.05)
    assert one.failed == pytest.approx(800)


def test_a_pool_that_never_gives_a_connection_is_no_division_by_zero():
    found = digested(failing={cell_id("5+0", 64): 1.0})
    assert entry(found, "5+0", 64).standing == "below"
    assert names(column(found, 64).smallest) == ["20+0"]


# Marks


def test_s_starves_w_wastes_and_c_churns_stand_where_they_are_meant(usual):
    marks = {one.cell.pool: one.marks for one in column(usual, 64).entries}
    assert marks == {
        None: ("W",),
        "64+0": ("W",),
        "20+0": (),
        "15+0": ("S",),
        "5+10": ("S", "C"),
        "5+0": ("S",),
        "nullpool": ("C",),
    }


def test_a_large_pool_that_few_clients_use_wastes_nothing(usual):
    """SQLAlchemy opens no connection that no client waits for."""
    assert not any("W" in one.marks for one in column(usual, 4).entries)


def test_no_more_than_ten_connections_per_1000_operations_are_no_churn(monkeypatch):
    monkeypatch.setattr(pool_runs, "opened_per_1000", lambda *_: 9)
    assert "C" not in entry(digested(), "5+10", 64).marks
    monkeypatch.setattr(pool_runs, "opened_per_1000", lambda *_: 11)
    assert "C" in entry(digested(), "5+10", 64).marks


def test_nothing_is_marked_that_the_interval_does_not_decide():
    """96.5 % of the best, and blocks that differ by more."""
    found = digested(
        ("64+0", "20+0", "18+0"), (64,), faster={cell_id("18+0", 64): 0.965}, noise=0.05
    )
    assert entry(found, "18+0", 64).standing == "cannot tell"
    assert entry(found, "18+0", 64).marks == ()


# The smallest


def test_the_smallest_within_5_percent_is_named_where_each_smaller_one_is_not(usual):
    assert names(column(usual, 64).smallest) == ["20+0"]
    assert names(column(usual, 16).smallest) == [None]
    assert not column(usual, 64).candidates


def test_a_smaller_one_that_is_not_decided_makes_it_a_choice_between_them():
    found = digested(
        ("64+0", "20+0", "17+0"), (64,), faster={cell_id("17+0", 64): 1.02}, noise=0.03
    )
    here = column(found, 64)
    assert entry(found, "17+0", 64).standing == "cannot tell"
    assert here.smallest == ()
    assert "17+0" in names(here.candidates)
    assert "cannot tell" in found.headline
    assert "smallest pool within 5 % of the best is" not in found.headline
    assert card(found).verdict.startswith("This run cannot tell for 64 clients: 17+0 or ")


def test_pools_of_the_same_size_are_named_together():
    found = digested(("64+0", "20+0", "10+10"), (8,))
    assert smallest_text(column(found, 8)) == (
        "smallest pools within 5 % of the best are 20+0 and 10+10, the smallest measured"
    )


def test_size_and_overflow_of_all_processes_count():
    found = digested(("32+0", "10+0", "5+5"), (64,), processes=2)
    assert {one.cell.connections for one in column(found, 64).entries} == {64, 20}
    assert found.headline.startswith("64 clients in 2 processes: ")
    assert found.headline.endswith(" each")


def test_the_best_of_a_run_without_intervals_is_not_called_the_smallest():
    found = digested(blocks=3)
    assert column(found, 64).smallest == ()
    assert {one.standing for one in column(found, 64).entries} == {""}


# Words


def test_the_answer_says_which_pool_what_the_default_does_and_what_a_larger_one_buys(usual):
    first, beside, *_ = usual.answer
    assert first == "64 clients: smallest pool within 5 % of the best is 20+0."
    assert beside.startswith("5+10 opens 41 connections per 1,000 operations and reaches 4")
    assert "; 64+0 buys nothing that this run can tell [-0." in beside
    assert usual.headline == first.removesuffix(".")


def test_what_a_larger_pool_buys_has_a_sign_where_its_interval_has_one():
    found = digested(
        ("64+0", "20+0", "5+0"), (64,), faster={cell_id("64+0", 64): 1.02}, noise=0.002
    )
    assert "64+0 buys +" in found.answer[1]


def test_the_answer_counts_what_fails():
    found = digested(failing={cell_id("5+0", 64): 0.12})
    assert "120 of 1,000 operations fail with 5+0." in found.answer


def test_the_card_has_the_numbers_of_clients_at_which_it_flips(usual):
    found = card(usual)
    assert found.verdict == "20+0 for 64 clients"
    assert found.detail.startswith(
        "at 16 clients fitted (16), at 4 clients fitted (4), at 1 client"
    )
    assert found.detail.endswith("for pool_pressure (core) on asyncpg")


def test_the_card_says_where_it_does_not_flip():
    found = digested(("64+0", "20+0", "5+0"), (32, 64))
    assert card(found).detail.startswith("the same at 32 clients")


def test_no_pool_is_answered_by_a_run_that_is_not_usable():
    found = digested(blocks=3)
    assert not found.trust.usable
    assert card(found).verdict == "no answer"
    assert pool_tables(found) == ()


def test_another_scenario_in_focus_keeps_its_own_answer(usual):
    elsewhere = Focus("get_by_id", ASYNCPG)
    assert headline(usual.comparisons, usual.cells, elsewhere) == ""


def test_the_orm_speaks_where_several_lanes_were_swept():
    found = digested(("64+0", "20+0", "5+0"), (64,), lanes=("core", "orm"))
    assert "(orm) on asyncpg" in card(found).detail


def test_each_product_has_its_own_smallest_and_none_is_compared_with_another():
    found = digested(("64+0", "20+0", "5+0"), (64,), targets=(ASYNCPG, "mysql+aiomysql"))
    assert "64 clients on PostgreSQL: " in found.headline
    assert card(found).others == (("MySQL", "MySQL aiomysql: 20+0 for 64 clients"),)


def test_the_drivers_own_pool_is_named_with_its_size():
    found = digested(("20+0", "driver", "driver:size=20"), (64,))
    shown = {row.pool for row in pool_tables(found)[0].rows}
    assert shown == {"20+0", "driver (64)", "driver:size=20"}


def test_what_a_swept_pool_leaves_open_is_said(usual):
    told = " ".join(usual.does_not_say)
    assert "pools where operations hold a connection for longer or shorter" in told
    assert "several worker processes" in told
    assert "several worker processes" not in " ".join(
        digested(processes=2, clients=(64,)).does_not_say
    )
    assert "hold a connection" not in " ".join(digested(words=(None,)).does_not_say)


def test_names_of_cells_have_their_pool_first_and_no_none(usual):
    fitted, other = (entry(usual, word, 64).cell for word in (None, "5+10"))
    assert list(cell_names((fitted, other)).values()) == [
        "core pool=fitted clients=64",
        "core pool=5+10 clients=64",
    ]
    assert apart(fitted, other) == "Core at pool=fitted"
    plain = Cell(scenario="a", lane="core", target=ASYNCPG, clients=8)
    assert cell_names((plain,)) == {plain: "core clients=8"}


# Facts of a cell


def test_a_cell_tells_its_waits_its_size_and_what_idle_connections_met():
    met = {"answered": 7, "InterfaceError: connection is closed": 3}
    found = digested(("5+10", "20+0"), (64,), idle={cell_id("5+10", 64): met}, processes=1)
    cells = {one.cell.pool: one for one in found.cells}
    facts = dict(pool_facts(cells["5+10"], numbers=True))
    assert facts["connections at most"] == "15"
    assert facts["checkout wait p99"].endswith("ms")
    assert facts["idle connections"] == (
        "right after the server closed idle connections: 24 of 80 failed with "
        "InterfaceError: connection is closed, 56 answered"
    )
    assert "checkout wait p99" not in dict(pool_facts(cells["5+10"], numbers=False))
    assert idle_text(replace(cells["20+0"], idle=(("answered", 4),))).endswith(": all 4 answered")


def test_a_cell_without_a_pool_of_its_own_tells_nothing():
    (one, *_) = digested(words=(None,), waits=False).cells
    assert list(pool_facts(replace(one, outcomes=Outcomes(aborted=1)), numbers=True)) == []


# Numbers


@pytest.mark.parametrize(
    ("part", "text", "whole"),
    [
        ((0.62, 0.60, 0.64), "62 % [60, 64]", "62"),
        ((0.621, 0.619, 0.623), "62.1 % [61.9, 62.3]", "62"),
        ((0.62, 0.40, 0.81), "60 % [40, 80]", "60"),
        ((0.62, 0.0, math.inf), "62 %", "62"),
    ],
)
def test_the_digits_of_a_share_follow_its_interval(part, text, whole):
    found = Estimate(*part, 8, "ratio", "higher is better")
    assert part_text(found) == text
    assert whole_percent(found) == whole


def test_a_thousand_of_1000_is_no_power_of_ten():
    assert [per_1000_text(one) for one in (0, 41.26, 999.4, 1_000)] == ["0", "41.3", "999", "1,000"]


def test_numbers_of_clients_that_decide_nothing_are_told_together():
    found = digested(("64+0", "20+0", "15+0"), noise=0.08)
    assert found.answer[-1] == "At 16, 4, 1 clients this run cannot tell."
