"""Migrate: each way of moving a table leaves the same rows; what it sends, and where it breaks."""

import pytest
from real_targets import marked
from sized_lanes import ONE_EACH, Stand, of, shipped

from ormbench.targets.target import TARGETS

ASYNCPG = "postgresql+asyncpg"
MANY = 10_000
MIGRATE = shipped("move_rows").scenario
LANES = [f"move_rows/{name}" for name in MIGRATE.lanes]
ONE_BY_ONE = ("move_rows/row_by_row", "move_rows/row_by_row_core")
STREAMS = ("move_rows/streamed", "move_rows/streamed_orm")
FAMILY = [name for name, target in TARGETS.items() if target.server != "PostgreSQL"]
SOME = ["mysql+aiomysql", "mariadb+asyncmy", "mariadb+pymysql"]
REQUESTS = {  # of 1,000 rows, in twos of 500: BEGIN and COMMIT, or COMMIT and ROLLBACK, with them
    "row_by_row": {"*": 1003},
    "row_by_row_core": {"*": 1003},
    "add_all": {"*+mysqldb": 5, "*": 4},  # mysqlclient splits at 64 KiB
    "in_batches": {"*": 7},
    "streamed": {"*+asyncpg": 10, "*+psycopg2": 10, "*+psycopg*": 11},
    "streamed_orm": {"*+asyncpg": 10, "*+psycopg2": 10, "*+psycopg*": 11},
    "one_statement": {"*": 3},
    "raw": {"*+psycopg2": 1005, "postgresql+*": 7, "m*": 6},  # no ROLLBACK after its COMMIT
}


@pytest.fixture(scope="module")
def stand(request):
    with Stand(request, "move_rows", table_rows=MANY) as found:
        yield found


def breaks(lane, target):
    """Whether something is known to break it there."""
    return bool(MIGRATE.lanes[lane.partition("/")[2]].defect(target))


# What they are given


@pytest.mark.parametrize("batch", [1, 10, 300, 1_000])
def test_a_window_lies_within_the_table_and_has_as_many_rows_as_an_operation(batch):
    for turn in range(40):
        window = MIGRATE.args(turn, 1_000, batch)
        assert window["high"] - window["low"] + 1 == batch
        assert 1 <= window["low"] <= window["high"] <= 1_000


def test_windows_follow_each_other_and_come_round_again():
    lows = [MIGRATE.args(turn, 1_000, 300)["low"] for turn in range(4)]
    assert lows == [1, 301, 601, 1]


def test_a_smaller_table_is_moved_whole_and_lasts_for_no_operation():
    assert MIGRATE.args(3, 500, 1_000) == {"run": 3, "low": 1, "high": 500}
    assert MIGRATE.state.lasts(500, batch=1_000) == 0
    assert MIGRATE.state.lasts(1_000, batch=1_000) > 1_000_000


def test_the_old_rows_are_not_in_the_new_shape_already():
    [(_, old)] = MIGRATE.data.rows(20)
    new = list(MIGRATE.state.expected([0], 20, batch=20))
    assert [row["id"] for row in old] == [row[1] for row in new]
    for before, (_, _, first, last, email, *_) in zip(old, new, strict=True):
        assert before["name"] == f"{first} {last}"
        assert before["email"] != email == before["email"].lower()


# What they leave


@pytest.mark.parametrize("target", ONE_EACH)
@pytest.mark.parametrize("lane", LANES)
async def test_each_lane_leaves_the_reference_state(lane, target, stand):
    assert await stand.proven(lane, target, 10, [3, 4, 700]) is None


@pytest.mark.servers
@pytest.mark.parametrize("target", ONE_EACH)
@pytest.mark.parametrize("lane", [one for one in LANES if one not in ONE_BY_ONE])
async def test_ten_thousand_rows_are_moved_as_ten_are(lane, target, stand):
    if breaks(lane, target):
        pytest.skip("cut short there: see below")
    assert await stand.proven(lane, target, MANY, [3]) is None


# What they send


@pytest.mark.parametrize("target", marked(TARGETS, [ASYNCPG]))
@pytest.mark.parametrize("lane", marked(LANES, ["move_rows/in_batches", *STREAMS]))
async def test_a_thousand_rows_take_so_many_round_trips(lane, target, stand):
    if breaks(lane, target):
        pytest.skip("cut short there: see below")
    tally = (await stand.sent(lane, target, 1_000)).tally
    requests = of(target, REQUESTS[lane.partition("/")[2]])
    assert tally.requests == requests
    if TARGETS[target].driver.dialect == "psycopg":  # executemany() may stop to read in between
        assert requests <= tally.round_trips < requests + 8
    else:
        assert tally.round_trips == requests


@pytest.mark.servers
@pytest.mark.parametrize("target", ["postgresql+asyncpg", "postgresql+psycopg"])
@pytest.mark.parametrize("lane", STREAMS)
async def test_postgresql_is_asked_four_times_for_a_thousand_rows_of_a_stream(lane, target, stand):
    """Two partitions of 500: SQLAlchemy has fetched fifty rows with asyncpg's first question."""
    tally = (await stand.sent(lane, target, 1_000)).tally
    assert tally.statements["FETCH"] == 4
    assert tally.rows["FETCH"] + tally.rows.get("SELECT", 0) == 1_000


# Where they break


@pytest.mark.servers
@pytest.mark.filterwarnings("ignore:Previous unbuffered result was left incomplete")
@pytest.mark.parametrize("target", FAMILY)
@pytest.mark.parametrize("lane", STREAMS)
async def test_a_stream_of_mysql_or_mariadb_is_cut_short_by_the_first_insert(lane, target, stand):
    words = "Commands out of sync" if target.endswith("mysqldb") else "500 of 1000 rows came"
    with pytest.raises(Exception, match=words) as raised:
        await stand.proven(lane, target, 1_000, [3])
    defect = MIGRATE.lanes[lane.partition("/")[2]].defect(target)
    assert defect.explains(str(raised.value))


@pytest.mark.servers
@pytest.mark.parametrize("target", SOME)
async def test_a_driver_says_so_in_a_warning_alone(target, stand):
    with (
        pytest.warns(UserWarning, match="Previous unbuffered result was left incomplete"),
        pytest.raises(Exception, match="500 of 1000 rows came"),
    ):
        await stand.proven("move_rows/streamed", target, 1_000, [3])


def test_what_is_known_to_break_is_streams_on_mysql_and_mariadb_alone():
    known = {(lane, target) for lane in LANES for target in TARGETS if breaks(lane, target)}
    assert known == {(lane, target) for lane in STREAMS for target in FAMILY}
