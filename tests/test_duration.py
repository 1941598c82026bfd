"""How long a plan may take, told before it starts."""

import json
from pathlib import Path

import pytest
from command import call

from ormbench.cell import Cell
from ormbench.loader import shipped
from ormbench.plan import file
from ormbench.plan.duration import estimate, operation
from ormbench.plan.plan import make
from ormbench.results.manifest import Manifest

PUBLISHED = Path(__file__).parent.parent / "results" / "published"
RUNS = [  # of a machine that did nothing else meanwhile
    "2026-11-22-121619-quick",
    "2026-11-22-152904-quick",
    "2026-11-22-182502-quick",
    "2026-11-22-182710-rtt",
    "2026-11-22-211635-pools",
    "2026-11-22-212850-isolation",
    "2026-11-23-061621-updates",
    "2026-11-23-064214-migrate",
    "2026-11-23-002631-inserts",
]


def cells(count=10, **axes):
    axes = {"scenario": "insert_rows", "lane": "core", "target": "postgresql+asyncpg"} | axes
    return [Cell(**axes)] * count


def measured(folder):
    """Seconds of each block of a run."""
    lines = (folder / "trials.jsonl").read_text(encoding="utf-8").splitlines()
    blocks = [json.loads(line) for line in lines if line.startswith('{"kind":"block"')]
    return [one["seconds"] for one in blocks]


def estimated(folder, blocks):
    """What would have been said of that many blocks of a run."""
    manifest = Manifest.from_json(json.loads((folder / "run.json").read_text(encoding="utf-8")))
    arms = [cell for group in manifest.groups for cell in group.cells]
    budget = file.read(file.shipped_plans()[manifest.plan]).budget
    refilled = make(file.read(file.shipped_plans()["updates"]), shipped()).refilled
    refilled |= make(file.read(file.shipped_plans()["isolation"]), shipped()).refilled
    return estimate(arms, blocks, manifest.rounds, budget, refilled)


@pytest.mark.parametrize("name", RUNS)
def test_a_published_run_took_as_long_as_is_said_of_it_within_a_third(name):
    took = measured(PUBLISHED / name)
    assert estimated(PUBLISHED / name, len(took)) == pytest.approx(sum(took), rel=0.3)


def test_the_first_block_of_many_rows_takes_longer_as_it_did():
    folder = PUBLISHED / RUNS[-1]
    first, *later = measured(folder)
    more = estimated(folder, 1) - (estimated(folder, 3) - estimated(folder, 2))
    assert more == pytest.approx(first - sum(later) / len(later), rel=0.5)


def test_cells_that_differ_in_their_load_are_counted_once():
    def first(*given):
        both = [cell for one in given for cell in cells(1, **one)]
        return estimate(both, 1, 4) - (estimate(both, 2, 4) - estimate(both, 1, 4))

    batch = {"batch": 1_000}
    assert first(batch, batch | {"clients": 4}) == pytest.approx(first(batch))
    assert first(batch, batch | {"lane": "add_all"}) == pytest.approx(2 * first(batch))


def test_tables_that_are_filled_before_each_slice_take_their_time():
    few, more = (estimate(cells(), 8, rounds, refilled={"insert_rows"}) for rounds in (2, 4))
    plain = estimate(cells(), 8, 4) - estimate(cells(), 8, 2)
    assert more - few > 5 * plain


def test_a_plan_knows_which_of_its_scenarios_start_from_filled_tables():
    assert make(file.read(file.shipped_plans()["inserts"]), shipped()).refilled == set()
    refilled = make(file.read(file.shipped_plans()["updates"]), shipped()).refilled
    assert {"update_rows", "delete_rows", "upsert_rows"} <= refilled


def test_more_rows_take_longer_and_are_taken_for_seconds():
    few, many, most = (estimate(cells(batch=batch), 8, 6) for batch in (10, 1_000, 10_000))
    assert few < many < most
    assert operation(cells(batch=10_000)[0]) == pytest.approx(0.5)
    assert operation(cells()[0]) == operation(cells(batch=1)[0]) == 0


def test_clients_share_the_cores_and_so_do_their_slices():
    def slices(clients):
        return estimate(cells(clients=clients), 8, 24) - estimate(cells(clients=clients), 8, 4)

    assert slices(64) > 10 * slices(1)


def test_a_budget_shrinks_rounds_and_nothing_else():
    whole, least = estimate(cells(clients=64), 8, 24), estimate(cells(clients=64), 8, 4)
    between = (whole + least) / 2
    assert estimate(cells(clients=64), 8, 24, budget=2 * whole) == whole
    assert estimate(cells(clients=64), 8, 24, budget=between) == between
    assert estimate(cells(clients=64), 8, 24, budget=1) == pytest.approx(least)


def test_few_rounds_are_no_more_for_a_budget():
    assert estimate(cells(), 8, 2, budget=1) == estimate(cells(), 8, 2)


def test_a_dry_run_says_what_its_minutes_are_made_of(capsys):
    done = call(capsys, "run", "inserts", "--lane", "core", "--batch", "1,10000", "--dry-run")
    assert "a row was taken for 50 µs, the slowest operation for 0.5 s" in done.out
    assert "what takes more than 2 s is SKIPPED while it runs" in done.out
    assert "a row was taken" not in call(capsys, "run", "get_by_id", "--dry-run").out
