"""From which number of rows on which strategy: what gives a strategy its place, and takes it."""

import pytest
from batch_runs import ASYNCPG, cell_id, digested, grids_of, nanoseconds
from charted_grids import gridded
from sample_findings import estimate

from ormbench.cell import Cell
from ormbench.report.batch_phases import best_with_most, clauses, phases
from ormbench.report.batches import Grid, Point, Strategy, Tier

LANES = ("core", "raw", "load_data")


def first(findings):
    return grids_of(findings)[0]


def timed(ratios, **wishes):
    """A run of three lanes, of which each takes so many times as long as core."""
    factors = {
        cell_id(lane, batch): ratio * nanoseconds("core", batch) / nanoseconds(lane, batch)
        for lane, known in ratios.items()
        for batch, ratio in known.items()
    }
    return digested(LANES, tuple(ratios["raw"]), slower=factors, **wishes)


def written(tiers, **ratios):
    """A grid as its tiers say, of *ratios* of lanes: rows -> (value, share either way)."""
    key = Cell(scenario="insert_rows", lane="", target=ASYNCPG)
    found = gridded(lanes=("core",)).cells[0]
    strategies = tuple(
        Strategy(
            lane,
            tuple(
                Point(
                    Cell(scenario="insert_rows", lane=lane, target=ASYNCPG, batch=batch),
                    batch,
                    found,
                    ratio=estimate(*ratio, "ratio"),
                )
                for batch, ratio in known.items()
            ),
        )
        for lane, known in ratios.items()
    )
    return Grid(key, "core", strategies, (), tuple(Tier(*one) for one in tiers))


def test_a_strategy_decidedly_slower_than_the_fastest_gives_its_place_up():
    """With 1,000 rows raw takes 5.2 % longer than load_data, and the interval goes below 5 %."""
    near = timed({"raw": {10: 0.5, 1_000: 0.842}, "load_data": {10: 1.2, 1_000: 0.8}})
    assert [(one.batches, one.lanes) for one in phases(first(near))] == [
        ((10,), ("raw",)),
        ((1_000,), ("load_data",)),
    ]


def test_a_strategy_no_longer_ahead_of_the_reference_gives_its_place_to_one_that_is():
    grid = written(
        [(100, "raw", ("raw",)), (1_000, "load_data", ("raw", "load_data"))],
        core={100: (1.0, 0.0), 1_000: (1.0, 0.0)},
        raw={100: (0.6, 0.1), 1_000: (0.9, 0.3)},
        load_data={100: (0.9, 0.05), 1_000: (0.7, 0.1)},
    )
    assert [one.lanes for one in phases(grid)] == [("raw",), ("load_data",)]


def test_a_strategy_ahead_of_the_reference_keeps_its_place_while_not_told_from_the_fastest():
    grid = written(
        [(100, "raw", ("raw",)), (1_000, "load_data", ("raw", "load_data"))],
        raw={100: (0.6, 0.1), 1_000: (0.8, 0.1)},
        load_data={100: (0.9, 0.05), 1_000: (0.7, 0.1)},
    )
    assert [one.lanes for one in phases(grid)] == [("raw",)]


def test_a_strategy_that_was_not_measured_does_not_lose_its_place_silently():
    ratios = {"raw": {10: 0.5, 1_000: 0.5}, "load_data": {10: 1.2, 1_000: 0.8}}
    gone = {cell_id("raw", 1_000): ("SKIPPED", "too slow")}
    told = "; ".join(clauses(first(timed(ratios, status=gone))))
    assert "from 1,000 rows (raw not measured) load_data, " in told
    assert "not measured" not in "; ".join(clauses(first(timed(ratios))))


def test_what_was_not_told_from_the_first_with_few_rows_is_said_where_there_is_room():
    grid = written(
        [(1, "raw", ("raw", "copy")), (10, "copy", ("raw", "copy")), (100, "copy", ("copy",))],
        raw={1: (0.5, 0.1), 10: (0.5, 0.1), 100: (0.8, 0.1)},
        copy={1: (0.55, 0.1), 10: (0.5, 0.1), 100: (0.4, 0.1)},
    )
    (told,) = clauses(grid)
    assert told.endswith("at 100, raw not told from it up to 10 rows")
    (short,) = clauses(grid, ties=False)
    assert told.startswith(short)
    assert "not told" not in short


def test_with_the_most_rows_the_reference_is_named_beside_what_is_not_told_from_it():
    grid = written(
        [(100, "copy", ("copy",)), (1_000, "copy", ("core", "copy"))],
        core={100: (1.0, 0.0), 1_000: (1.0, 0.0)},
        copy={100: (0.5, 0.1), 1_000: (0.9, 0.3)},
    )
    assert best_with_most(grid) == "copy or core"


@pytest.mark.parametrize(("ratio", "best"), [(0.5, "raw"), (1.5, "core")])
def test_with_the_most_rows_the_reference_is_the_choice_where_nothing_beats_it(ratio, best):
    one = timed({"raw": {10: 2.0, 1_000: ratio}, "load_data": {10: 2.0, 1_000: 2.0}})
    assert best_with_most(first(one)) == best
