"""How long a plan may take, told before it starts."""

import pytest
from command import call

from ormbench.cell import Cell
from ormbench.plan.duration import estimate, operation


def cells(count=10, **axes):
    axes = {"scenario": "insert_rows", "lane": "core", "target": "postgresql+asyncpg"} | axes
    return [Cell(**axes)] * count


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
