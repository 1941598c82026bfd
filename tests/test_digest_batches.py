"""Strategies against rows an operation: which cells form a grid, and what it proves."""

import math
from dataclasses import replace

import batch_runs
import pytest
from batch_runs import AIOMYSQL, ASYNCPG, PSYCOPG, cell_id, digested, grids_of, left, point


@pytest.fixture(scope="module")
def usual():
    """Four lanes with 1 to 1,000 rows."""
    return digested()


def grid(findings):
    (found,) = grids_of(findings)
    return found


def tier(findings, batch):
    return next(one for one in grid(findings).tiers if one.batch == batch)


def crossings(findings):
    return {(one.passes, one.passed): one for one in grid(findings).crossings}


# Grids


def test_a_grid_has_a_strategy_for_each_lane_and_a_point_for_each_number_of_rows(usual):
    found = grid(usual)
    assert found.reference == "core"
    assert found.batches == batch_runs.BATCHES
    assert [one.lane for one in found.strategies] == list(batch_runs.LANES)
    for one in found.strategies:
        assert [point.batch for point in one.points] == list(batch_runs.BATCHES)
        assert {point.cell.lane for point in one.points} == {one.lane}


@pytest.mark.parametrize(
    "wishes", [{"batches": (None,)}, {"batches": (100,)}, {"lanes": ("core",)}, {"rate": 50.0}]
)
def test_one_number_of_rows_one_lane_or_an_offered_rate_makes_no_grid(wishes, monkeypatch):
    monkeypatch.setattr(batch_runs, "nanoseconds", lambda *_: 1_000_000)
    assert grids_of(digested(**wishes)) == ()


def test_lanes_without_numbers_do_not_make_a_grid():
    broken = {cell_id("copy", batch): ("ERROR", "no COPY") for batch in batch_runs.BATCHES}
    assert grids_of(digested(("core", "copy"), status=broken)) == ()


def test_lanes_that_meet_with_one_number_of_rows_alone_make_no_grid():
    broken = {cell_id("copy", batch): ("ERROR", "no COPY") for batch in batch_runs.BATCHES[1:]}
    assert grids_of(digested(("core", "copy"), status=broken)) == ()


def test_targets_and_caches_have_grids_of_their_own():
    found = digested(("core", "copy"), (1, 10), targets=(ASYNCPG, PSYCOPG, AIOMYSQL))
    assert [one.key.target for one in grids_of(found)] == [ASYNCPG, PSYCOPG, AIOMYSQL]
    (alone,) = grids_of(digested(("core", "copy"), (1, 10), cache=0))
    assert alone.key.cache == 0
    assert alone.key.batch is None


def test_a_point_without_numbers_keeps_its_reason():
    found = digested(
        status={
            cell_id("copy", 10): ("ERROR", "DataError: no binary dates"),
            cell_id("add_all", 1_000): ("SKIPPED", "an operation would take 40 s"),
        },
        left_out=(left("load_data", 10, "UNSUPPORTED: asyncpg has no LOAD DATA"),),
    )
    assert point(found, "copy", 10).missing == "ERROR: DataError: no binary dates"
    assert point(found, "add_all", 1_000).missing == "SKIPPED: an operation would take 40 s"
    assert point(found, "load_data", 10).missing == "UNSUPPORTED: asyncpg has no LOAD DATA"
    for lane, batch in (("copy", 10), ("add_all", 1_000), ("load_data", 10)):
        one = point(found, lane, batch)
        assert (one.found, one.ratio, one.rows_per_second, one.trips) == (None,) * 4


def test_a_strategy_that_loses_its_work_or_gives_up_has_no_speed():
    found = digested(wrong=(cell_id("copy", 1_000),), failing={cell_id("orm_insert", 1_000): 0.2})
    wrong, failing = point(found, "copy", 1_000), point(found, "orm_insert", 1_000)
    assert wrong.missing.startswith("WRONG DATA: loses ")
    assert failing.missing.endswith("of 1,000 operations fail")
    assert wrong.rows_per_second is failing.rows_per_second is None
    assert tier(found, 1_000).fastest == "core"


# Numbers


def test_ratios_are_those_of_time_with_as_many_rows(usual):
    for lane in batch_runs.LANES:
        for batch in batch_runs.BATCHES:
            true = batch_runs.nanoseconds(lane, batch) / batch_runs.nanoseconds("core", batch)
            ratio = point(usual, lane, batch).ratio
            assert ratio.value == pytest.approx(true, rel=0.02)
            assert ratio.low <= ratio.value <= ratio.high


def test_rows_per_second_stand_on_the_footing_of_the_reference(usual):
    for batch in batch_runs.BATCHES:
        core = point(usual, "core", batch)
        assert core.rows_per_second == pytest.approx(batch * 1e9 / core.found.service.value)
        for lane in batch_runs.LANES[1:]:
            one = point(usual, lane, batch)
            assert one.rows_per_second * one.ratio.value == pytest.approx(core.rows_per_second)


def test_rows_per_second_are_of_all_clients():
    found = digested(("core", "copy"), (1, 10), clients=4)
    core = point(found, "core", 10)
    assert core.rows_per_second == pytest.approx(4 * 10 * 1e9 / core.found.service.value)


def test_without_the_reference_lanes_stand_on_the_footing_of_what_they_were_compared_with():
    found = digested(
        ("add_all", "copy", "orm_insert"), (1, 1_000), left_out=(left("core", 1, "no"),)
    )
    assert grid(found).reference == "add_all"
    broken = digested(status={cell_id("core", 10): ("ERROR", "no")})
    one = point(broken, "copy", 10)
    assert one.ratio is None
    assert one.rows_per_second == pytest.approx(10 * 1e9 / one.found.service.value)


def test_trips_are_those_of_the_count_and_unknown_where_nobody_counted():
    found = digested(("core", "copy"), (1, 10), trips={cell_id("core", 10): 12})
    assert (point(found, "core", 1).trips, point(found, "core", 10).trips) == (3, 12)
    assert point(digested(("core", "copy"), counted=False), "core", 10).trips is None


# Crossings


def test_a_crossing_lies_where_both_take_the_same_time(usual):
    found = crossings(usual)["copy", "orm_insert"]
    # 345 + 11.5 n = 900 + 4 n
    assert (found.last, found.first) == (10, 100)
    assert found.at == pytest.approx(74, rel=0.15)
    (of_all,) = [one for one in grid(usual).crossings if one.passed == "add_all"]
    assert of_all.at == pytest.approx(12.2, rel=0.15)


def test_lanes_that_keep_their_order_or_meet_undecided_do_not_cross(usual):
    found = crossings(usual)
    assert ("add_all", "core") not in found
    assert ("copy", "core") not in found  # with 100 rows they take the same time


def test_nothing_crosses_where_a_number_in_between_is_missing():
    found = digested(status={cell_id("copy", 100): ("ERROR", "no")})
    assert grid(found).crossings == ()


def test_lanes_of_two_groups_are_further_apart_than_those_of_one():
    two_stars = ("core", "add_all", "orm_insert", "x", "copy")
    paired = digested(("core", "copy", "orm_insert"), noise=0.05)
    assert ("copy", "orm_insert") in crossings(paired)
    assert ("copy", "orm_insert") not in crossings(digested(two_stars, noise=0.05))
    assert ("copy", "orm_insert") in crossings(digested(two_stars, noise=0.003))


# Tiers


def test_a_tier_holds_what_the_intervals_cannot_separate_from_the_fastest(usual):
    assert [tier(usual, batch).equals for batch in (1, 10)] == [("core",), ("core",)]
    assert set(tier(usual, 100).equals) == {"core", "copy"}
    assert (tier(usual, 1_000).fastest, tier(usual, 1_000).equals) == ("copy", ("copy",))


def test_the_fastest_is_the_one_that_none_surpasses_for_certain_whatever_line_is_on_top(usual):
    """Ratios of three pairs need not multiply: the pair of two lanes is asked, not the chart."""
    lanes = ("copy", "orm_insert")

    def swayed(one):
        if one.candidate.lane not in lanes or one.candidate.batch != 1_000:
            return one
        ratio, core = (2.0, one.block_ratios) if one.candidate.lane == "copy" else (0.5, (0.6,) * 8)
        beside = tuple(
            replace(other, block_ratios=(ratio,) * 8) if other.other.lane in lanes else other
            for other in one.beside
        )
        return replace(one, beside=beside, block_ratios=core)

    found = replace(usual, comparisons=tuple(map(swayed, usual.comparisons)))
    assert point(found, "copy", 1_000).rows_per_second == max(
        one.rows_per_second for one in grid(found).points if one.batch == 1_000
    )
    assert tier(found, 1_000).equals == ("orm_insert",)


def test_within_five_percent_is_as_fast():
    near = {cell_id("orm_insert", 1): 0.9}  # of 1.149: 3 % over core
    assert "orm_insert" in tier(digested(slower=near), 1).equals


def test_with_too_few_blocks_nothing_is_separated_and_nothing_crosses():
    found = digested(blocks=3)
    assert {len(one.equals) for one in grid(found).tiers} == {len(batch_runs.LANES)}
    assert grid(found).crossings == ()
    assert math.isinf(point(found, "copy", 10).ratio.high)
