"""Plans joined on the command line: each keeps what it says of slow operations."""

from dataclasses import replace

import pytest
from command import call
from fabricate import fabricate

from ormbench.cli.parser import parse
from ormbench.cli.wishes import plan_of
from ormbench.results.manifest import Manifest
from ormbench.run.options import Options
from ormbench.run.pace import NS, Paces
from ormbench.run.preface import manifest_of
from ormbench.servers.supply import EVERYTHING

PLAN = """
longest = {longest}
[[compare]]
scenario = "insert_rows"
lane = ["core", "{lane}"]
batch = 100
"""


@pytest.fixture
def joined(tmp_path, monkeypatch):
    """Two plans, hasty (1 s) and slow (5 s), which share the cell of core, in either order."""
    monkeypatch.chdir(tmp_path)
    for name, longest, lane in (("hasty", 1, "add_all"), ("slow", 5, "core_each")):
        (tmp_path / f"{name}.toml").write_text(PLAN.format(longest=longest, lane=lane))
    return lambda *words: plan_of(parse(["run", *words]), EVERYTHING)


ORDERS = pytest.mark.parametrize(
    "words", [["hasty.toml", "slow.toml"], ["slow.toml", "hasty.toml"]], ids=["hasty", "slow"]
)


@ORDERS
def test_cells_of_joined_plans_wait_as_long_as_their_own_plan_says(joined, words):
    plan, _ = joined(*words)
    paces = Paces(plan.longest, limits=plan.limits)
    lanes = {cell.lane: cell for cell in plan.cells if cell.target != "none"}

    def waits(lane, seconds):
        return not paces.too_slow(lanes[lane], 100, seconds * NS)

    assert [waits("add_all", 1), waits("add_all", 2)] == [True, False]
    assert [waits("core_each", 5), waits("core_each", 6)] == [True, False]
    assert [waits("core", 5), waits("core", 6)] == [True, False], "both ask for it"
    assert paces.too_slow(lanes["add_all"], 100, 2 * NS).endswith("takes operations up to 1 s")


def test_predictions_are_held_against_the_limit_of_their_own_plan(joined):
    plan, _ = joined("hasty.toml", "slow.toml")
    paces = Paces(plan.longest, limits=plan.limits)
    for lane, told in (("add_all", "up to 1 s"), ("core_each", "")):
        cell = next(one for one in plan.cells if one.lane == lane)
        paces.guess(replace(cell, batch=50), 50, NS)
        assert paces.predicted(cell, 100)[-len(told) :] == told
        assert bool(paces.predicted(cell, 100)) is bool(told)


def test_one_plan_has_one_limit(joined):
    plan, _ = joined("hasty.toml")
    assert (plan.longest, plan.limits) == (1, {})


def test_a_run_keeps_the_limits_for_the_sitting_that_goes_on_with_it(joined):
    plan, loaded = joined("hasty.toml", "slow.toml")
    where = fabricate().manifest.environment
    manifest = manifest_of(plan, loaded, Options(1, 500, 60.0, None, "", EVERYTHING), where)
    again = Manifest.from_json(manifest.to_json())
    assert (again.longest, again.limits) == (plan.longest, plan.limits)
    assert [seconds for name, seconds in again.limits.items() if "/add_all/" in name] == [1]
    old = manifest.to_json()
    del old["limits"]
    assert Manifest.from_json(old).limits == {}


def test_a_dry_run_says_both_limits(capsys):
    out = call(capsys, "run", "inserts", "pools", "--dry-run").out
    assert "what takes more than 2 or 10 s, as its plan says, is SKIPPED while it runs" in out


@pytest.mark.parametrize("names", [["updates", "quick"], ["quick", "updates"]])
def test_joined_plans_have_the_most_rounds_and_the_sum_of_their_budgets(names):
    alone = [plan_of(parse(["run", name]), EVERYTHING)[0] for name in names]
    both, _ = plan_of(parse(["run", *names]), EVERYTHING)
    assert both.rounds == max(one.rounds for one in alone) == 24
    assert both.budget == sum(one.budget for one in alone) == 710


@pytest.mark.parametrize("names", [["updates", "inserts"], ["inserts", "updates"]])
def test_a_plan_without_a_budget_is_not_shrunk_by_that_of_another(names):
    both, _ = plan_of(parse(["run", *names]), EVERYTHING)
    assert both.budget is None
