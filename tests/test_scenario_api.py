"""What a scenario author writes, and what is said where it does not fit."""

import pytest

from ormbench.errors import UsageError
from ormbench.scenario import Scenario, call_for_turn


def scenario(**given):
    return Scenario(name="shop", **given)


@pytest.mark.parametrize("subject", ["session", "connection", "driver"])
def test_the_first_parameter_says_what_a_lane_receives(subject):
    shop, names = scenario(), {}
    exec(f"async def one({subject}, key, word):\n    'a label'", names)
    shop.lane(names["one"])
    assert shop.lanes["one"].receives == subject
    assert shop.lanes["one"].parameters == ("key", "word")


def test_a_lane_that_names_no_subject_receives_its_inputs_alone():
    shop = scenario()

    @shop.lane
    async def sum_up(numbers):
        """add"""

    assert shop.lanes["sum_up"].receives == "nothing"
    assert shop.lanes["sum_up"].parameters == ("numbers",)


def test_label_docs_and_source_come_from_the_function():
    shop = scenario()

    @shop.lane
    async def orm(session):
        """entities through scalars()

        As https://docs.example.org/orm#one says, and https://docs.example.org/two, too.
        """

    lane = shop.lanes["orm"]
    assert lane.label == "entities through scalars()"
    assert lane.docs == "https://docs.example.org/orm#one"
    assert "async def orm(session):" in lane.source


def test_a_lane_that_names_no_page_has_none():
    shop = scenario()

    @shop.lane
    async def orm(session):
        """entities"""

    assert shop.lanes["orm"].docs == ""


def test_registering_gives_the_function_back():
    shop = scenario()

    async def orm(session):
        """entities"""

    async def core(connection):
        """rows"""

    assert shop.lane(orm) is orm
    assert shop.lane(prepare=dict)(core) is core
    assert list(shop.lanes) == ["orm", "core"]


def test_a_lane_without_docstring_is_refused():
    async def orm(session): ...

    with pytest.raises(UsageError, match="lane orm has no docstring"):
        scenario().lane(orm)


def test_a_lane_that_is_not_async_is_refused():
    def orm(session):
        """entities"""

    with pytest.raises(UsageError, match="lane orm is not async: write it as `async def`"):
        scenario().lane(orm)


def test_a_second_lane_of_one_name_is_refused():
    shop = scenario()

    def register():
        @shop.lane
        async def orm(session):
            """entities"""

    register()
    with pytest.raises(UsageError, match="lane orm is there twice"):
        register()


def test_inputs_come_in_the_order_in_which_the_lane_takes_them():
    shop = scenario(args=lambda turn: {"key": turn, "word": "w", "unused": 0})

    @shop.lane
    async def one(session, word, key):
        """a label"""

    assert shop.inputs(shop.lanes["one"], 7, 100) == ("w", 7)


def test_prepare_reshapes_the_inputs_of_its_lane_alone():
    shop = scenario(args=lambda turn: {"rows": [{"a": turn}]})

    @shop.lane(prepare=lambda given: {"rows": [tuple(row.values()) for row in given["rows"]]})
    async def raw(driver, rows):
        """tuples"""

    @shop.lane
    async def core(connection, rows):
        """dictionaries"""

    assert shop.inputs(shop.lanes["raw"], 3, 0) == ([(3,)],)
    assert shop.inputs(shop.lanes["core"], 3, 0) == ([{"a": 3}],)


def test_an_input_that_args_does_not_give_is_named():
    shop = scenario(args=lambda turn: {"key": turn})

    @shop.lane
    async def orm(session, word):
        """entities"""

    with pytest.raises(UsageError, match="lane shop/orm takes 'word', but args gives key"):
        shop.inputs(shop.lanes["orm"], 0, 0)


def default_of_its_own(turn, step=3):
    return turn, step


def table_rows_by_default(turn, table_rows=10):
    return turn, table_rows


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda turn: turn, 7),
        (lambda turn, table_rows: (turn, table_rows), (7, 100)),
        (lambda turn, rows: (turn, rows), (7, 100)),
        (default_of_its_own, (7, 3)),
        (table_rows_by_default, (7, 100)),
    ],
    ids=["turn alone", "and table_rows", "by another name", "a default", "a default for it"],
)
def test_a_function_of_the_turn_may_want_the_table_size(function, expected):
    assert call_for_turn(function, 7, 100) == expected


def test_inputs_are_a_function_of_the_turn_in_every_shipped_scenario():
    from ormbench.loader import shipped  # noqa: PLC0415 - loads files

    for loaded in shipped().values():
        for lane in loaded.scenario.lanes.values():
            one = [loaded.scenario.inputs(lane, turn, 1_000) for turn in (0, 1, 999, 12_345)]
            again = [loaded.scenario.inputs(lane, turn, 1_000) for turn in (0, 1, 999, 12_345)]
            assert one == again
