"""Words and flags of ``run`` become a plan: shipped ones, files, scenarios, and all at once."""

import pytest

from ormbench.cli.parser import parse
from ormbench.cli.wishes import plan_of
from ormbench.errors import UsageError
from ormbench.plan.file import shipped_plans
from ormbench.plan.plan import BLOCKS
from ormbench.servers.supply import EVERYTHING

pytestmark = pytest.mark.usefixtures("folder")

ASYNCPG, PSYCOPG = "postgresql+asyncpg", "postgresql+psycopg"
SHOP = '''"""Shop: two scenarios in one file."""

from ormbench.scenario import Scenario

till = Scenario()


@till.lane
async def quick():
    """nothing"""


@till.lane
async def slow():
    """nothing, later"""


cellar = Scenario(args=lambda turn: {"depth": turn})


@cellar.lane
async def only(depth):
    """nothing below"""
'''
PLAN = """
title = "Three?"
blocks = 9
rounds = 3
[[compare]]
scenario = ["get_by_id", "bulk_create"]
lane = ["core", "orm*", "raw"]
reference = "core"
[[compare]]
scenario = "get_by_id"
lane = ["orm"]
across = "target"
target = ["asyncpg", "psycopg"]
reference = "psycopg"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a plan and a file of scenarios."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "three.toml").write_text(PLAN)
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


def plan(*words):
    made, _ = plan_of(parse(["run", *words]), EVERYTHING)
    return made


def stars(made):
    """What is compared: scenario -> lanes of each star, the reference first."""
    return [
        (group.cells[0].scenario, [cell.lane for cell in group.cells])
        for group in made.groups
        if all(contrast.kind == "lane" for contrast in group.contrasts)
        and group.cells[0].scenario != "empty"
    ]


def duels(made):
    """Comparisons of drivers."""
    return [
        (group.cells[0].lane, [cell.target for cell in group.cells])
        for group in made.groups
        if any(contrast.kind == "target" for contrast in group.contrasts)
    ]


def test_without_words_the_plan_is_quick():
    assert plan() == plan("quick")
    assert plan().name == "quick"


@pytest.mark.parametrize("name", shipped_plans())
def test_a_shipped_plan_is_found_by_its_name(name):
    assert plan(name).name == name


def test_a_plan_file_is_found_by_its_path():
    made = plan("three.toml")
    assert (made.name, made.title, made.blocks, made.rounds) == ("three", "Three?", 9, 3)
    assert made.reference == "lane=core"
    assert duels(made) == [("orm", [PSYCOPG, ASYNCPG])]


def test_a_plan_of_all_scenarios_has_a_reference_where_there_is_one(folder):
    (folder / "all.toml").write_text("[[compare]]\nscenario = '*'\nreference = 'core'\n")
    assert {lanes[0] for _, lanes in stars(plan("all.toml")) if "core" in lanes} == {"core"}
    assert any(cell.lane == "nothing" for cell in plan("all.toml").cells)


def test_a_scenario_is_a_star_of_all_its_lanes_around_core():
    made = plan("get_by_id")
    assert [lanes[0] for _, lanes in stars(made)] == ["core", "core"]
    assert {lane for _, lanes in stars(made) for lane in lanes} == {
        *("orm", "orm_built", "orm_columns", "core", "raw", "raw_held", "raw_pool")
    }
    assert made.blocks == BLOCKS
    assert made.title.startswith("Get by id")


def test_one_lane_is_asked_for_with_two_colons():
    assert stars(plan("get_by_id::orm")) == [("get_by_id", ["orm"])]


def test_flags_choose_lanes_and_keep_core_first():
    assert stars(plan("get_by_id", "--lane", "orm,core")) == [("get_by_id", ["core", "orm"])]


def test_without_core_the_first_lane_asked_for_is_the_reference():
    made = plan("get_by_id", "--lane", "raw,orm")
    assert stars(made) == [("get_by_id", ["raw", "orm"])]
    assert made.reference == "lane=raw"


def test_one_lane_with_two_drivers_compares_the_drivers():
    for word in ("psycopg,asyncpg", "*psycopg,*asyncpg"):
        made = plan("get_by_id", "--lane", "orm", "--target", word)
        assert duels(made) == [("orm", [PSYCOPG, ASYNCPG])]


def test_several_lanes_with_two_drivers_compare_the_lanes_on_each():
    made = plan("get_by_id", "--lane", "orm,core", "--target", "*+psycopg,*+asyncpg")
    assert stars(made) == [("get_by_id", ["core", "orm"])] * 2
    assert duels(made) == []


def test_one_lane_with_several_clients_compares_those():
    made = plan("get_by_id::orm", "--clients", "1,8")
    assert made.reference == "clients=1"
    assert [cell.clients for cell in made.groups[0].cells] == [1, 8]


@pytest.mark.parametrize("word", ["15+0", "2+0:timeout=0.05", "pool=2+0:timeout=0.05"])
def test_a_pool_is_named_as_the_reference_with_or_without_its_axis(word):
    pools = "--pool", "5+10,15+0,2+0:timeout=0.05"
    made = plan("pool_pressure::core", *pools, "--clients", "4", "--reference", word)
    assert made.groups[0].cells[0].pool == word.removeprefix("pool=")


def test_a_level_is_named_as_the_reference_without_its_axis():
    levels = "--isolation", "read-committed,serializable"
    made = plan("hot_row::orm", *levels, "--clients", "8", "--reference", "Serializable")
    assert made.groups[0].cells[0].isolation == "serializable"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("16+0", "expected one of 5+10, 15+0"),
        ("serializable", "does not take 'serializable'"),
        ("lane=core", "expected pool=VALUE: nothing else is compared"),
    ],
)
def test_a_reference_that_is_not_compared_is_refused_with_what_is(reference, expected):
    with pytest.raises(UsageError, match=expected.replace("+", "[+]")):
        plan("pool_pressure::core", "--pool", "5+10,15+0", "--reference", reference)


def test_flags_replace_blocks_and_rounds():
    made = plan("quick", "--blocks", "3", "--rounds", "2")
    assert (made.blocks, made.rounds) == (3, 2)


def test_a_flag_narrows_a_plan_to_lanes_and_keeps_what_they_are_compared_with():
    made = plan("three.toml", "--lane", "orm_built")
    assert stars(made) == [("get_by_id", ["core", "orm_built"])]
    assert duels(made) == []


def test_a_lane_of_one_scenario_leaves_the_others_out():
    made = plan("three.toml", "--lane", "orm_insert")
    assert stars(made) == [("bulk_create", ["core", "orm_insert"])]
    assert made.focus == "bulk_create"


def test_the_reference_alone_can_be_asked_for():
    assert stars(plan("three.toml", "--lane", "core")) == [
        ("get_by_id", ["core"]),
        ("bulk_create", ["core"]),
    ]


def test_a_flag_replaces_the_driver_of_a_plan():
    made = plan("three.toml", "--target", "psycopg", "--lane", "orm")
    assert {cell.target for cell in made.cells if cell.scenario != "empty"} == {PSYCOPG}
    assert stars(made) == [("get_by_id", ["core", "orm"]), ("bulk_create", ["core", "orm"])]
    assert duels(made) == []


def test_another_reference_stands_first_where_there_is_one():
    made = plan("three.toml", "--reference", "raw")
    assert {lanes[0] for _, lanes in stars(made)} == {"raw"}
    assert duels(made) == [("orm", [PSYCOPG, ASYNCPG])]
    assert made.reference == "lane=raw"


def test_a_reference_can_be_a_value_of_another_axis():
    made = plan("three.toml", "--reference", "target=asyncpg")
    assert duels(made) == [("orm", [ASYNCPG, PSYCOPG])]
    assert made.reference == "lane=core"


def test_a_reference_that_one_scenario_has_changes_that_one_alone():
    made = plan("three.toml", "--reference", "orm_insert")
    assert {(scenario, lanes[0]) for scenario, lanes in stars(made)} == {
        ("get_by_id", "core"),
        ("bulk_create", "orm_insert"),
    }


def test_a_file_brings_its_scenarios_under_the_names_of_their_variables():
    made = plan("shop.py")
    assert stars(made) == [("till", ["quick", "slow"]), ("cellar", ["only"])]
    assert (made.name, made.title) == ("shop", "Shop: two scenarios in one file.")


def test_one_lane_of_a_file_is_legal():
    made, loaded = plan_of(parse(["run", "shop.py::slow", "--blocks", "1"]), EVERYTHING)
    assert stars(made)[0] == ("till", ["slow"])
    assert {"till", "empty"} <= set(loaded)


def test_several_words_are_one_run():
    made = plan("get_by_id", "shop.py", "--lane", "*")
    assert made.name == "get_by_id+shop"
    assert {scenario for scenario, _ in stars(made)} == {"get_by_id", "till", "cellar"}


def test_the_same_word_twice_is_measured_once():
    assert plan("get_by_id", "get_by_id").groups == plan("get_by_id").groups


def test_the_plan_comes_with_all_its_scenarios_and_no_other():
    made, loaded = plan_of(parse(["run", "bulk_create"]), EVERYTHING)
    assert set(loaded) == {"bulk_create", "empty"} == {cell.scenario for cell in made.cells}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["quik"], "unknown plan or scenario 'quik': did you mean quick?"),
        (["get_by_idd"], "unknown plan or scenario 'get_by_idd': did you mean get_by_id?"),
        (["get_by_id", "--lane", "rom"], "unknown lane of get_by_id 'rom': did you mean orm?"),
        (["get_by_id::rom"], "unknown lane of get_by_id 'rom': did you mean orm?"),
        (["three.toml", "--lane", "rom"], "unknown lane of three 'rom': did you mean orm?"),
        (["three.toml", "--lane", "orm,xyz"], "unknown lane of three 'xyz'"),
        (["quick", "--target", "asyncgp"], "unknown target 'asyncgp': did you mean asyncpg?"),
        (["quick", "--target", "asyncpg,oracle*"], "unknown target 'oracle*'"),
        (["quick", "--reference", "rom"], "--reference rom: expected one of core,"),
        (
            ["quick", "--reference", "clients=1"],
            "expected lane=VALUE or target=VALUE: nothing else",
        ),
        (["quick", "--reference", "speed=1"], "'speed' is no axis to compare across"),
        (["three.toml", "--reference", "core,raw"], "--reference core,raw: expected one of"),
        (["shop"], "unknown plan or scenario 'shop'"),
        (["."], "'.' is neither a plan (.toml) nor a scenario file (.py)"),
        ([""], "'' is neither a plan (.toml) nor a scenario file (.py)"),
        (["none.toml"], "plan file none.toml: No such file"),
        (["none.py"], "scenario file none.py does not exist"),
    ],
)
def test_a_word_that_does_not_fit_is_named(words, said):
    with pytest.raises(UsageError) as caught:
        plan(*words)
    assert said in str(caught.value)


def test_a_file_cannot_take_the_name_of_a_shipped_scenario(folder):
    (folder / "mine.py").write_text(SHOP.replace("till", "get_by_id"))
    with pytest.raises(UsageError, match=r"mine.py: scenario get_by_id is taken; give it another"):
        plan("mine.py")


def test_a_plan_moved_by_a_flag_does_not_ask_the_same_twice():
    made = plan("quick", "--target", "mysql+asyncmy")
    targets = {cell.target for cell in made.cells}
    assert targets == {"mysql+asyncmy", "none"}
    asked = [group.cells for group in made.groups if group.cells[0].scenario == "get_by_id"]
    asked = [cells for cells in asked if cells[0] != cells[1]]
    assert len({cells[1:] for cells in asked}) == len(asked)
    assert not any(set(one) < set(other) for one in asked for other in asked)


def against(made):
    """What is compared across another axis than lanes: the cells' values of it, by star."""
    return [
        [(cell.lane, cell.clients, cell.pool, cell.isolation) for cell in group.cells]
        for group in made.groups
        if any(contrast.kind == "axis" for contrast in group.contrasts)
    ]


def test_one_lane_with_several_pools_compares_those_for_each_number_of_clients():
    for order in (
        ["--clients", "4,64", "--pool", "5+10,15+0"],
        ["--pool=5+10,15+0", "--clients=4,64"],
    ):
        made = plan("get_by_id::core", *order)
        assert made.reference == "pool=5+10"
        assert against(made) == [
            [("core", clients, pool, None) for pool in ("5+10", "15+0")] for clients in (4, 64)
        ]


def test_one_lane_with_several_levels_compares_those():
    made = plan("get_by_id::orm", "--clients", "1,8", "--isolation", "serializable,read-committed")
    assert made.reference == "isolation=serializable"
    assert [len(star) for star in against(made)] == [2, 2]
    levels = ("serializable", "read-committed")
    assert against(made)[0] == [("orm", 1, None, level) for level in levels]


def test_pools_are_compared_before_levels():
    flags = ["--isolation", "serializable,read-committed", "--pool", "5+10,nullpool"]
    assert plan("get_by_id::core", *flags).reference == "pool=5+10"


def test_several_lanes_with_several_pools_compare_the_lanes_in_each():
    made = plan("get_by_id", "--lane", "orm,core", "--pool", "5+10,15+0")
    assert stars(made) == [("get_by_id", ["core", "orm"])] * 2
    assert against(made) == []


SWEEPS = """
[pools.app]
size = 20
overflow = 0
[[compare]]
scenario = "get_by_id"
lane = "core"
across = "pool"
pool = ["5+10", "15+0", "app"]
clients = [4, 64]
[[compare]]
scenario = "get_by_id"
lane = ["core", "orm"]
pool = "5+0"
clients = 16
[[compare]]
scenario = "update_email"
lane = ["core", "orm"]
"""


@pytest.fixture
def sweeps(folder):
    (folder / "sweeps.toml").write_text(SWEEPS)


@pytest.mark.usefixtures("sweeps")
def test_flags_choose_from_the_pools_and_clients_that_a_plan_lists():
    made = plan("sweeps.toml", "--clients", "64", "--pool", "5+10,20+0")
    assert against(made) == [[("core", 64, "5+10", None), ("core", 64, "20+0", None)]]
    assert stars(made) == []


@pytest.mark.usefixtures("sweeps")
def test_where_the_reference_is_not_chosen_the_first_is_it():
    made = plan("sweeps.toml", "--pool", "20+0,15+0", "--clients", "4")
    assert against(made) == [[("core", 4, "20+0", None), ("core", 4, "15+0", None)]]


@pytest.mark.usefixtures("sweeps")
def test_a_value_that_a_plan_does_not_list_comes_beside_one_that_it_does():
    made = plan("sweeps.toml", "--pool", "15+0,33+0", "--clients", "4")
    assert against(made) == [[("core", 4, "15+0", None), ("core", 4, "33+0", None)]]


@pytest.mark.usefixtures("sweeps")
def test_values_that_a_plan_lists_nowhere_replace_its_own():
    made = plan("sweeps.toml", "--clients", "3", "--isolation", "serializable")
    asked = {(cell.clients, cell.isolation) for cell in made.cells if cell.target != "none"}
    assert asked == {(3, "serializable")}
    assert {cell.pool for cell in made.cells} == {"5+10", "15+0", "20+0", "5+0", None}


@pytest.mark.usefixtures("sweeps")
def test_values_that_a_plan_lists_but_never_together_are_named():
    with pytest.raises(UsageError, match=r"compares nothing at clients 16 with pool 15\+0"):
        plan("sweeps.toml", "--clients", "16", "--pool", "15+0")


def test_the_plan_pools_can_be_narrowed_to_one_star():
    words = ["--clients", "64", "--pool", "5+10,20+0"]
    made = plan("pools", *words)
    cells = {cell for group in made.groups for cell in group.cells if cell.target != "none"}
    assert {cell.scenario for cell in cells} == {"pool_pressure"}
    assert {cell.pool for cell in cells} == set(words[-1].split(","))
