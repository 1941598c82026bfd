"""Upserts: each way of doing them leaves the same rows; what it sends, and where it breaks."""

import pytest
from real_targets import marked
from sized_lanes import ONE_EACH, SIZES, TABLE_ROWS, Stand, allowed, lanes_of, of, shipped

from ormbench.targets.target import TARGETS

ASYNCPG = "postgresql+asyncpg"
LANES = lanes_of("upsert_rows")
UPSERTS = shipped("upsert_rows").scenario
NOT_BATCHED = {"*+psycopg2": 100, "mysql+aiomysql": 100, "mysql+mysqldb": 100}
TRIPS = {  # of 100 rows, of which 50 are known
    "merge": {"*": 200},
    "merge_no_autoflush": {"*+psycopg2": 151, "postgresql+*": 102, "m*": 151},
    "read_then_write": {"*+psycopg2": 52, "postgresql+*": 3, "m*": 52},
    "core_insert_update": {"*+psycopg2": 200, "postgresql+*": 2, "m*": 200},
    "dialect_values": {"*": 1},
    "dialect_literal": {**NOT_BATCHED, "*": 1},
    "dialect_rows": {**NOT_BATCHED, "*": 1},
}
UNCONVERTED = "not all arguments converted"
REFUSED = {  # the targets that cannot run dialect_literal -> the driver's words
    "mariadb+aiomysql": UNCONVERTED,
    "mysql+asyncmy": UNCONVERTED,
    "mariadb+asyncmy": UNCONVERTED,
    "mysql+pymysql": "format requires a mapping",
    "mariadb+pymysql": "format requires a mapping",
    "mariadb+mysqldb": UNCONVERTED,
}


@pytest.fixture(scope="module")
def stand(request):
    with Stand(request, "upsert_rows") as found:
        yield found


def keys(turn, batch, table_rows=TABLE_ROWS):
    """Those that are known in the seeded table, and those that are new."""
    found = [row["id"] for row in UPSERTS.args(turn, table_rows, batch)["rows"]]
    assert len(found) == len(set(found)) == batch
    known = [key for key in found if key <= table_rows]
    return known, [key for key in found if key > table_rows]


# What they are given


@pytest.mark.parametrize("batch", [2, 10, 100, 1_000])
def test_half_of_the_rows_are_known_and_no_turn_shares_a_new_one(batch):
    given = [keys(turn, batch) for turn in range(12)]
    assert {len(known) for known, _ in given} == {batch // 2}
    new = [key for _, added in given for key in added]
    assert len(new) == len(set(new))


def test_a_single_row_is_known_in_one_turn_and_new_in_the_next():
    assert [len(keys(turn, 1)[0]) for turn in range(4)] == [0, 1, 0, 1]


def test_the_known_rows_move_on_with_each_turn_and_never_wrap_within_one():
    windows = [keys(turn, 60, table_rows=100)[0] for turn in range(4)]
    assert windows == [[*range(first, first + 30)] for first in (1, 31, 61, 1)]


def test_of_a_table_that_is_smaller_than_half_an_operation_all_rows_are_known():
    known, new = keys(5, 100, table_rows=20)
    assert (known, len(new)) == ([*range(1, 21)], 80)


def test_each_turn_brings_a_value_that_none_has_brought():
    brought = [UPSERTS.args(turn, TABLE_ROWS, 10)["rows"] for turn in range(5)]
    values = [{row["specialty"] for row in rows} for rows in brought]
    assert [len(one) for one in values] == [1] * 5
    assert len(set.union(*values)) == 5


# What they leave


@pytest.mark.parametrize("batch", SIZES)
@pytest.mark.parametrize("target", ONE_EACH)
@pytest.mark.parametrize("lane", LANES)
async def test_each_lane_leaves_the_reference_state(lane, target, batch, stand):
    if lane == "upsert_rows/dialect_literal" and target in REFUSED and batch > 1:
        pytest.skip("refused there: see below")
    turns = [3] if batch == 1_000 else [3, 4, 5, 700]
    assert await stand.proven(lane, target, batch, turns) is None


# What they send


@pytest.mark.parametrize("target", marked(TARGETS, [ASYNCPG]))
@pytest.mark.parametrize("lane", marked(LANES, [one for one in LANES if "merge" not in one]))
async def test_a_hundred_rows_take_so_many_round_trips(lane, target, stand):
    name = lane.partition("/")[2]
    if name == "dialect_literal" and target in REFUSED:
        pytest.skip("refused there: see below")
    taken = await stand.trips(lane, target, 100)
    assert taken in allowed(target, of(target, TRIPS[name]))


# Where they break


@pytest.mark.servers
@pytest.mark.parametrize("target", REFUSED)
async def test_of_two_rows_on_a_value_in_the_set_clause_is_refused(target, stand):
    """In the driver's words; one row goes through execute(), which takes it."""
    with pytest.raises(Exception, match=REFUSED[target]):
        await stand.proven("upsert_rows/dialect_literal", target, 2, [3])


def test_what_is_known_of_it_is_said_of_those_targets_alone():
    lane = UPSERTS.lanes["dialect_literal"]
    assert {target for target in TARGETS if lane.defect(target)} == set(REFUSED)
    assert all(lane.defect(target).explains(words) for target, words in REFUSED.items())


@pytest.mark.servers  # to compile so many values takes seconds
async def test_asyncpg_takes_no_more_values_in_a_statement_than_its_known_limit(stand):
    with pytest.raises(Exception, match="arguments cannot exceed 32767"):
        await stand.proven("upsert_rows/dialect_values", ASYNCPG, 32_767 // 5 + 1, [3])
    assert "32,767" in UPSERTS.lanes["dialect_values"].defect(ASYNCPG).what
