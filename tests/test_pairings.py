"""How cells compare that were timed with one reference: slice by slice, where a group has both."""

import random
from dataclasses import replace

import pytest
from batch_runs import ASYNCPG, LANES, cell_id, swept

from ormbench.cell import Cell
from ormbench.report.digest import digest
from ormbench.report.digest_index import Index
from ormbench.report.pairings import Pairings
from ormbench.stats.paired import effect

SEED = 11


def cell(lane, batch=10):
    return Cell(scenario="insert_rows", lane=lane, target=ASYNCPG, batch=batch)


def wavering(record):
    """*record* with times that differ from slice to slice by up to a third, each by itself."""
    chance = random.Random(SEED)

    def slices(trial):
        for one in trial.slices:
            factor = chance.uniform(0.75, 1.33)
            yield replace(one, service_ns=round(one.service_ns * factor))

    blocks = (
        replace(block, trials=tuple(replace(t, slices=tuple(slices(t))) for t in block.trials))
        for block in record.blocks
    )
    return replace(record, blocks=tuple(blocks))


def by_slices(record, one, other):
    """The effect of the slices of two cells of one group."""
    index = Index(record)
    (group,) = (g for g in record.manifest.groups if {one, other} <= set(g.cells))
    arms = (index.arm(group, group.cells.index(cell)) for cell in (one, other))
    return effect(tuple(index.pairs(*arms).values())).ratio


def pairings(record):
    return Pairings(digest(record, "results/local/x").comparisons)


def test_candidates_of_one_reference_are_paired_with_each_other_round_by_round():
    record = wavering(swept())
    copy, add_all = cell("copy"), cell("add_all")
    found, direct = pairings(record).ratio(copy, add_all), by_slices(record, copy, add_all)
    assert (found.value, found.low) == pytest.approx((direct.value, direct.low))
    mine, theirs = (by_slices(record, one, cell("core")).value for one in (copy, add_all))
    assert found.value != pytest.approx(mine / theirs, rel=1e-6)


def test_the_other_way_round_is_the_inverse():
    found = pairings(wavering(swept()))
    there, back = found.ratio(cell("copy"), cell("core")), found.ratio(cell("core"), cell("copy"))
    assert back.value == pytest.approx(1 / there.value)
    assert (back.low, back.high) == pytest.approx((1 / there.high, 1 / there.low))


def test_cells_of_two_groups_are_compared_by_way_of_their_reference_block_by_block():
    found = pairings(swept(lanes=(*LANES, "copy_binary")))
    ratio = found.ratio(cell("copy_binary"), cell("copy"))
    assert ratio.count == 8
    assert ratio.low < (300_000 + 10 * 20_000) / (900_000 + 10 * 4_000) < ratio.high


def test_blocks_are_matched_by_their_number_where_one_of_them_was_lost():
    lanes, blocks = (*LANES, "copy_binary"), 12
    whole = wavering(swept(lanes=lanes, blocks=blocks))
    first, *others = whole.blocks
    kept = tuple(one for one in first.trials if "copy_binary" not in one.cell)
    lacking = replace(whole, blocks=(replace(first, trials=kept), *others))
    without = replace(whole, blocks=tuple(others))
    both = cell("copy_binary"), cell("copy")
    found, expected = pairings(lacking).ratio(*both), pairings(without).ratio(*both)
    assert found.count == blocks - 1
    assert found == expected


def test_candidates_of_a_reference_with_wrong_data_are_compared_all_the_same():
    found = pairings(swept(wrong=(cell_id("core", 10),)))
    assert found.ratio(cell("copy"), cell("core")) is None
    ratio = found.ratio(cell("copy"), cell("add_all"))
    assert ratio.low < (900_000 + 10 * 4_000) / (400_000 + 10 * 45_000) < ratio.high


@pytest.mark.parametrize(
    "wishes", [{"wrong": (cell_id("copy", 10),)}, {"failing": {cell_id("copy", 10): 0.2}}]
)
def test_what_has_wrong_data_or_gives_up_is_paired_with_no_candidate(wishes):
    compared = digest(swept(**wishes), "results/local/x").comparisons
    beside = {(one.candidate, other.other) for one in compared for other in one.beside}
    assert (cell("orm_insert"), cell("add_all")) in beside
    assert not any(cell("copy") in both for both in beside)


def test_numbers_of_rows_and_identical_lanes_are_not_compared():
    found = pairings(swept())
    assert found.ratio(cell("copy", 10), cell("copy", 100)) is None
    aa = next(c for c in digest(swept(), "x").comparisons if c.kind == "aa")
    assert found.ratio(aa.candidate, aa.reference) is None
