"""Inserts into tables that differ in who makes a default, or in their indexes."""

from datetime import datetime

import pytest
from real_targets import marked, required
from sized_lanes import ONE_EACH, SIZES, Stand, allowed, lanes_of, of, shipped
from sqlalchemy import inspect

from ormbench.targets.target import TARGETS
from ormbench.truth.answers import state_difference

ASYNCPG = "postgresql+asyncpg"
DEFAULTS, INDEXES = shipped("insert_defaults"), shipped("insert_indexes")
LANES = lanes_of("insert_defaults") + lanes_of("insert_indexes")
ROW_BY_ROW = {  # where a hundred rows take a hundred round trips; elsewhere it is one
    "insert_defaults/add_all_python": ("mysql+*",),
    "insert_defaults/add_all_server": ("mysql+*",),
    "insert_defaults/add_all_sql": ("mysql+*",),
    "insert_defaults/insert_sql": ("mysql+*", "mariadb+*"),
}
LONG_AGO = datetime(2020, 1, 1)  # noqa: DTZ001 - the column has no time zone
ON = {  # table -> what its indexes are on, beside the primary key's own
    "plain": [("email",)],
    "indexed": [("email",), ("specialty",)],
    "redundant": [("email",), ("id",)],
    "bare": [],
}


@pytest.fixture(scope="module")
def stand(request):
    with Stand(request, "insert_defaults", "insert_indexes") as found:
        yield found


@pytest.mark.parametrize("batch", SIZES)
@pytest.mark.parametrize("target", ONE_EACH)
@pytest.mark.parametrize("lane", LANES)
async def test_each_lane_leaves_the_reference_state(lane, target, batch, stand):
    turns = [3] if batch == 1_000 else [3, 4, 5, 700]
    assert await stand.proven(lane, target, batch, turns) is None


@pytest.mark.parametrize("target", marked(TARGETS, [ASYNCPG]))
@pytest.mark.parametrize("lane", LANES)
async def test_a_hundred_rows_take_one_round_trip_or_a_hundred(lane, target, stand):
    table = dict.fromkeys(ROW_BY_ROW.get(lane, ()), 100)
    assert await stand.trips(lane, target, 100) in allowed(target, of(target, {**table, "*": 1}))


@pytest.mark.parametrize("target", marked([ASYNCPG, "mysql+aiomysql", "mariadb+aiomysql"]))
def test_the_four_tables_differ_in_their_indexes_alone(target, stand):
    tables = stand.tables(required(target))
    with tables.connected() as connection:
        found = inspect(connection)
        schema = tables.schema(INDEXES, 0)
        columns = [str(found.get_columns(name, schema=schema)) for name in ON]
        indexes = {name: on(found.get_indexes(name, schema=schema)) for name in ON}
        keys = [found.get_pk_constraint(name, schema=schema)["constrained_columns"] for name in ON]
    assert indexes == ON
    assert keys == [["id"]] * 4
    assert len({text.replace(name, "") for text, name in zip(columns, ON, strict=True)}) == 1


def on(indexes):
    return sorted(tuple(one["column_names"]) for one in indexes)


def test_a_time_that_no_default_made_is_found_out(stand):
    """So is a row that two tables have: the state is that of all three."""
    tables, state = stand.tables(required(ASYNCPG)), DEFAULTS.scenario.state
    expected = tables.expected(DEFAULTS.sized(1).scenario.state, [3])
    row = {"name": expected[0][0], "email": expected[0][1]}
    python, server = (DEFAULTS.scenario.data.metadata.tables[n] for n in ("by_python", "by_server"))

    def difference(*inserts):
        tables.reset(DEFAULTS, 0)
        with tables.connected() as connection:
            place = {"schema_translate_map": {None: tables.schema(DEFAULTS, 0)}}
            for insert in inserts:
                connection.execute(insert, execution_options=place)
        return state_difference(tables.state(DEFAULTS, 0, state), expected)

    assert difference(python.insert().values(row)) is None
    assert "False" in difference(python.insert().values(**row, created_at=LONG_AGO))
    assert "2 rows" in difference(python.insert().values(row), server.insert().values(row))
