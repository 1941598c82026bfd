"""Updates and deletes: all lanes leave the same rows, and what each of them sends."""

import pytest
from ormbench.scenarios.models import developer
from real_targets import QUICK, marked
from sized_lanes import ONE_EACH, SIZES, Stand, allowed, of, shipped

from ormbench.loader import shipped as all_shipped
from ormbench.plan.file import read, shipped_plans
from ormbench.plan.plan import make
from ormbench.targets.target import TARGETS

TABLE_ROWS = 1_000
SCENARIOS = {name: shipped(name).scenario for name in ("update_rows", "delete_rows")}
LANES = {f"{name}/{lane}": one for name, s in SCENARIOS.items() for lane, one in s.lanes.items()}
MANY = {"*+psycopg2": 100, "postgresql+*": 1, "m*": 100}  # executemany() of no INSERT
READ_FIRST = {"*+psycopg2": 101, "postgresql+*": 2, "m*": 101}
TRIPS = {  # of 100 rows; all others take one
    "update_rows/dirty_flush": READ_FIRST,
    "update_rows/orm_by_key": MANY,
    "update_rows/each": {"*": 100},
    "update_rows/core_many": MANY,
    "update_rows/raw": MANY,
    "delete_rows/session_delete": READ_FIRST,
    "delete_rows/each": {"*": 100},
    "delete_rows/core_many": MANY,
}


@pytest.fixture(scope="module")
def stand(request):
    with Stand(request, *SCENARIOS, table_rows=TABLE_ROWS) as found:
        yield found


def lanes_on(name):
    """The lanes that a target has."""
    able = TARGETS[name].abilities
    return [lane for lane, one in LANES.items() if able.issuperset(one.needs)]


def keys(scenario, turn, table_rows, batch):
    given = SCENARIOS[scenario].args(turn, table_rows, batch)
    assert {name: given[name] for name in ("first", "last")} == {
        "first": 1 + turn % max(1, table_rows // batch) * batch,
        "last": given["first"] + batch - 1,
    }
    return [row["key"] for row in given.get("rows") or given["keys"]]


# What they are given


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("batch", [1, 7, 100, 1_000])
def test_following_turns_take_neighbours_that_no_other_takes_before_all_parts_had_their_turn(
    scenario, batch
):
    parts = TABLE_ROWS // batch
    taken = [keys(scenario, turn, TABLE_ROWS, batch) for turn in range(3, 3 + parts)]
    assert all(one == [*range(one[0], one[0] + batch)] for one in taken)
    flat = sorted(key for one in taken for key in one)
    assert flat == [*range(1, 1 + parts * batch)]
    assert keys(scenario, 3 + parts, TABLE_ROWS, batch) == taken[0]


def test_each_turn_brings_a_value_that_no_other_brings_and_gives_it_to_all_of_its_rows():
    brought = [SCENARIOS["update_rows"].args(turn, TABLE_ROWS, 10) for turn in range(200)]
    assert len({given["given"] for given in brought}) == 200
    assert all({row["given"] for row in given["rows"]} == {given["given"]} for given in brought)


@pytest.mark.parametrize(
    ("scenario", "batch", "turns"),
    [
        *(
            ("delete_rows", 100, 10),
            ("delete_rows", 300, 3),
            ("delete_rows", 1_000, 1),
            ("delete_rows", 1_001, 0),
        ),
        *(("update_rows", 1_000, 1_000_000_000), ("update_rows", 1_001, 0)),
    ],
)
def test_a_table_lasts_for_as_many_turns_as_find_what_they_change(scenario, batch, turns):
    assert SCENARIOS[scenario].state.lasts(TABLE_ROWS, batch) == turns


def test_of_two_turns_with_the_same_keys_the_later_one_stands():
    expected = SCENARIOS["update_rows"].state.expected
    found = expected([4, 3, 13], TABLE_ROWS, 100)
    assert len(found) == TABLE_ROWS
    assert found[0] == tuple(developer(1, TABLE_ROWS).values())
    assert {row[3] for row in found[300:400]} == {"specialty-t0000000013"}
    assert {row[3] for row in found[400:500]} == {"specialty-t0000000004"}


def test_deletes_leave_what_no_turn_has_deleted():
    found = list(SCENARIOS["delete_rows"].state.expected([3, 4, 13], TABLE_ROWS, 100))
    assert [row[0] for row in found] == [*range(1, 301), *range(501, 1_001)]


# What they leave


@pytest.mark.parametrize("batch", SIZES)
@pytest.mark.parametrize("target", ONE_EACH)
async def test_every_lane_leaves_the_reference_state(stand, target, batch):
    wrong = {
        lane: difference
        for lane in lanes_on(target)
        if (difference := await stand.proven(lane, target, batch, [3, 4, 700]))
    }
    assert wrong == {}


def test_each_lane_is_on_some_target_and_has_a_twin():
    assert {lane for target in TARGETS for lane in lanes_on(target)} == set(LANES)
    assert all(lane.twin() for lane in LANES.values())


# What they send


@pytest.mark.parametrize("target", marked(TARGETS, QUICK[:1]))
async def test_a_hundred_rows_take_so_many_round_trips(stand, target):
    family, wrong = TARGETS[target].server != "PostgreSQL", {}
    for lane in lanes_on(target):
        counted = await stand.trips(lane, target, 100)
        if family and LANES[lane].receives == "driver":
            counted += 1  # no ROLLBACK when a bare driver's connection goes back
        if counted not in allowed(target, of(target, TRIPS.get(lane, {"*": 1}))):
            wrong[lane] = counted
    assert wrong == {}


# The plan


def test_the_plan_has_every_strategy_and_stays_within_a_hundred_and_fifty_cells():
    plan = make(read(shipped_plans()["updates"]), all_shipped())
    assert {f"{cell.scenario}/{cell.lane}" for cell in plan.cells} >= set(LANES)
    assert {cell.cache for cell in plan.cells} == {None, 0, 128}
    assert len(plan.cells) <= 150
    assert plan.left_out == ()
