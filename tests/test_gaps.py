"""What a run could not have, and how its numbers of cells come together."""

from batch_runs import cell_id, digested, left

from ormbench.report import gaps


def run_with_gaps():
    """Seventeen cells, of which two have no numbers, and one more that was left out before."""
    return digested(
        status={
            cell_id("copy", 10): ("ERROR", "no binary dates"),
            cell_id("add_all", 1_000): ("SKIPPED", "an operation would take 40 s"),
        },
        left_out=(left("load_data", 10, "UNSUPPORTED: asyncpg has no LOAD DATA"),),
    )


def test_the_numbers_of_cells_are_told_with_how_they_come_together():
    found = run_with_gaps()
    empty = [one for one in found.cells if one.cell.target == "none"]
    pairs = sum(one.kind == "aa" for one in found.comparisons)
    assert (len(empty), len(found.cells), pairs) == (1, 18, 1)
    assert gaps.counted(found) == (
        "Cells of the plan: 18; 1 left out before it began, 15 OK, 1 ERROR, 1 SKIPPED. Tried: 16. "
        "In the tables: 18, with the empty operation. "
        "A/A pairs: 1; each times one of these cells twice and adds none."
    )


def test_what_was_skipped_or_failed_stands_with_what_was_left_out():
    found = gaps.without_numbers(run_with_gaps())
    assert {(cells, why) for cells, why, _ in found} == {
        (cell_id("load_data", 10), "UNSUPPORTED: asyncpg has no LOAD DATA"),
        (cell_id("copy", 10), "ERROR: no binary dates"),
        (cell_id("add_all", 1_000), "SKIPPED: an operation would take 40 s"),
    }
    assert [why for _, why, _ in gaps.left_out(run_with_gaps())] == [
        "UNSUPPORTED: asyncpg has no LOAD DATA"
    ]
