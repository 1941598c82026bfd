"""Flags of axes that a plan compares across: their values there, or a line that says no."""

import pytest

from ormbench.cli.parser import parse
from ormbench.cli.wishes import plan_of
from ormbench.errors import UsageError
from ormbench.plan.axes import AXES
from ormbench.servers.supply import EVERYTHING

ASKED = {  # two values of each axis that the plan below has not
    "clients": "3,5",
    "transaction": "per-operation,autocommit",
    "placement": "free,one-core",
    "rate": "50,60",
    "arrivals": "poisson,constant",
    "loop": "asyncio,uvloop",
    "pool": "7+7,8+8",
    "isolation": "serializable,repeatable-read",
    "processes": "3,6",
    "batch": "7,8",
    "cache": "32,64",
}
CLIENTS = {"arrivals": "rate = 100\n", "processes": "clients = 6\n", "pool": "clients = 8\n"}
PLAN = """
[[compare]]
scenario = "{scenario}"
lane = "core"
across = "{axis}"
{axis} = {values}
{more}
[[compare]]
scenario = "get_by_id"
lane = ["core", "orm"]
"""
OWN = {"clients": [1, 2], "rate": [10, 20], "processes": [1, 2], "batch": [2, 3], "cache": [0, 1]}
SAME = {"transaction", "placement", "arrivals", "loop"}  # axes with two values or three in all


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Makes a plan of words; in its folder the plan mine.toml compares across an axis."""
    monkeypatch.chdir(tmp_path)

    def made(*words, across=None):
        if across:
            own = OWN.get(across, ASKED[across].split(",") if across in SAME else ["1+0", "2+0"])
            own = ["read-committed", "default"] if across == "isolation" else own
            scenario = "insert_rows" if across == "batch" else "get_by_id"
            more = CLIENTS.get(across, "")
            text = PLAN.format(scenario=scenario, axis=across, values=own, more=more)
            (tmp_path / "mine.toml").write_text(text.replace("'", '"'))
        return plan_of(parse(["run", *words]), EVERYTHING)[0]

    return made


def across_axes(made, axis):
    """The values of each star that is compared across *axis*."""
    stars = [group.cells for group in made.groups if any(c.kind == "axis" for c in group.contrasts)]
    return [[getattr(cell, axis) for cell in cells] for cells in stars]


def of_lanes(made):
    return [
        group.cells
        for group in made.groups
        if group.cells[0].target != "none" and all(one.kind == "lane" for one in group.contrasts)
    ]


@pytest.mark.parametrize("axis", ["pool", "isolation", "clients", "batch", "cache", "rate"])
def test_what_is_compared_across_an_axis_gets_the_values_named(plan, axis):
    made = plan("mine.toml", f"--{axis}", ASKED[axis], across=axis)
    wanted = [AXES[axis].parse(word) for word in ASKED[axis].split(",")]
    assert across_axes(made, axis) == [wanted]
    assert of_lanes(made) == []


@pytest.mark.parametrize("axis", ASKED)
def test_one_value_of_an_axis_that_is_compared_across_is_no_comparison(plan, axis):
    word = ASKED[axis].partition(",")[0]
    with pytest.raises(UsageError) as caught:
        plan("mine.toml", f"--{axis}", word, across=axis)
    said = str(caught.value)
    assert said.startswith(f"--{axis} {word}: plan mine compares across {axis}, and one value is")
    two = said.rpartition(f"--{axis} ")[2]
    assert word in two.split(",")
    assert across_axes(plan("mine.toml", f"--{axis}", two), axis)


def test_the_pool_of_a_users_own_is_compared_where_pools_are(plan):
    with pytest.raises(UsageError, match=r"no comparison: --pool 5\+10,7\+7$"):
        plan("pools", "--pool", "7+7")
    made = plan("pools", "--pool", "5+10,7+7")
    assert across_axes(made, "pool") == [["5+10", "7+7"]] * 3
    assert of_lanes(made) == []


def test_what_lists_one_of_the_values_stays_with_that_one(plan):
    made = plan("pools", "--processes", "1,2")
    assert [one for one in across_axes(made, "processes") if len(set(one)) > 1] == [[1, 2]]
    assert all({cell.processes for cell in cells} == {1} for cells in of_lanes(made))
    pools = plan("pools", "--pool", "3+0,7+7")
    assert {cell.pool for cells in of_lanes(pools) for cell in cells} == {"3+0"}


def test_a_reference_is_one_of_the_values_named(plan):
    made = plan("pools", "--pool", "7+7,8+8", "--reference", "8+8")
    assert all(one[0] == "8+8" for one in across_axes(made, "pool"))
    with pytest.raises(UsageError, match=r"--reference pool=5\+10: expected one of 7\+7, 8\+8"):
        plan("pools", "--pool", "7+7,8+8", "--reference", "pool=5+10")


def test_an_axis_that_nothing_is_compared_across_is_replaced(plan):
    cells = plan("inserts", "--batch", "7").cells
    assert {cell.batch for cell in cells if cell.target != "none"} == {7}


def test_a_plan_of_drivers_alone_wants_two_of_one_product(plan):
    with pytest.raises(UsageError, match=r"--target asyncpg: plan drivers .* --target 'postgresql"):
        plan("drivers", "--target", "asyncpg")
    made = plan("drivers", "--target", "asyncpg,psycopg")
    assert any(one.kind == "target" for group in made.groups for one in group.contrasts)
