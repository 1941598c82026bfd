"""Comparisons become groups: who is compared with whom, what is left out, what is added."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from ormbench.cell import GROUP_LIMIT, Cell
from ormbench.errors import UsageError
from ormbench.loader import Loaded, shipped
from ormbench.plan import runnable
from ormbench.plan.axes import AXES
from ormbench.plan.comparison import Comparison, expand, why_not
from ormbench.plan.file import axes
from ormbench.plan.plan import Wish, make
from ormbench.scenario import Scenario
from ormbench.servers.settings import MAX_CONNECTIONS
from ormbench.servers.supply import EVERYTHING, Supply

ASYNCPG, PSYCOPG = "postgresql+asyncpg", "postgresql+psycopg"


@pytest.fixture(scope="module")
def loaded():
    return shipped()


@pytest.fixture
def letters(loaded):
    """A scenario with the lanes a, b, ... g on a connection."""
    scenario = Scenario(loaded["get_by_id"].scenario.data, name="letters")
    for letter in "abcdefg":
        scenario.lane(lane_called(letter))
    return {**loaded, "letters": Loaded("letters", scenario, Path("letters.py"), "Letters.")}


def lane_called(name):
    async def body(connection):
        """a letter"""

    body.__name__ = name
    return body


def comparison(across="lane", reference=None, aa_pairs=0, **given):
    return Comparison(axes({}, given), across, reference, aa_pairs)


def planned(loaded, *comparisons, **more):
    return make(Wish("test", "A test?", comparisons, **more), loaded)


def lanes(group):
    return [cell.lane for cell in group.cells]


def of(plan, scenario):
    """The groups of a scenario, without A/A pairs."""
    return [
        group
        for group in plan.groups
        if group.cells[0].scenario == scenario
        and all(contrast.kind != "aa" for contrast in group.contrasts)
    ]


def aa_pairs(plan):
    return [group for group in plan.groups if any(c.kind == "aa" for c in group.contrasts)]


def test_a_star_has_its_reference_first_and_everybody_compared_with_it(loaded):
    made = planned(loaded, comparison(scenario="get_by_id", lane="orm,core", reference="core"))
    (group,) = of(made, "get_by_id")
    assert lanes(group) == ["core", "orm"]
    (contrast,) = group.contrasts
    assert (contrast.candidate, contrast.reference, contrast.kind) == (1, 0, "lane")
    assert made.reference == "lane=core"


def test_without_a_reference_the_first_value_is_it(loaded):
    made = planned(loaded, comparison(scenario="get_by_id", lane="orm,core"))
    assert lanes(of(made, "get_by_id")[0]) == ["orm", "core"]


def test_a_large_star_is_split_into_groups_that_share_the_reference(letters):
    groups = expand(comparison(scenario="letters", reference="d"), letters).groups
    assert [lanes(group) for group in groups] == [["d", "a", "b", "c"], ["d", "e", "f", "g"]]
    assert all(len(group.cells) <= GROUP_LIMIT for group in groups)
    assert all(len(group.contrasts) == len(group.cells) - 1 for group in groups)


def test_a_lane_glob_takes_the_lanes_that_fit_and_no_other(loaded):
    made = planned(loaded, comparison(scenario="get_by_id", lane="orm*"))
    assert lanes(of(made, "get_by_id")[0]) == ["orm_built", "orm", "orm_columns"]


def test_a_lane_that_two_patterns_fit_is_there_once(loaded):
    made = planned(loaded, comparison(scenario="get_by_id", lane="orm,orm*,core"))
    assert lanes(of(made, "get_by_id")[0]) == ["orm", "orm_built", "orm_columns", "core"]


def test_a_scenario_glob_makes_a_star_of_each(loaded):
    made = planned(loaded, comparison(scenario="*_by_*", lane="orm,core"))
    assert [group.cells[0].scenario for group in made.groups[:2]] == [
        "find_by_specialty",
        "get_by_id",
    ]


def test_a_target_glob_takes_every_driver_that_fits(loaded):
    made = planned(
        loaded,
        comparison(
            "target", ASYNCPG, scenario="get_by_id", lane="orm", target="postgresql+a*,*+psycopg"
        ),
    )
    (group,) = of(made, "get_by_id")
    assert [cell.target for cell in group.cells] == [ASYNCPG, PSYCOPG]
    assert group.contrasts[0].kind == "target"


def test_other_axes_multiply(loaded):
    made = planned(
        loaded,
        comparison(scenario="get_by_id", lane="orm,core", clients="1,4", target="asyncpg,psycopg"),
    )
    found = {(group.cells[0].clients, group.cells[0].target) for group in of(made, "get_by_id")}
    assert found == {(1, ASYNCPG), (1, PSYCOPG), (4, ASYNCPG), (4, PSYCOPG)}


def test_a_comparison_across_another_axis_says_so(loaded):
    made = planned(
        loaded, comparison("clients", 8, scenario="get_by_id", lane="orm", clients=[1, 8])
    )
    (group,) = of(made, "get_by_id")
    assert [cell.clients for cell in group.cells] == [8, 1]
    assert group.contrasts[0].kind == "axis"
    assert made.reference == "clients=8"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux pins")
def test_a_serial_cell_shares_a_core_and_a_concurrent_one_is_free(loaded):
    made = planned(loaded, comparison(scenario="get_by_id", lane="orm", clients=[1, 8]))
    assert {cell.clients: cell.placement for cell in made.cells if cell.lane == "orm"} == {
        1: "one-core",
        8: "free",
    }


def test_every_run_gets_an_aa_pair_of_its_reference_and_the_empty_scenario(loaded):
    made = planned(loaded, comparison(scenario="bulk_create", lane="orm,core", reference="core"))
    (pair,) = aa_pairs(made)
    assert pair.cells[0] == pair.cells[1]
    assert (pair.cells[0].scenario, pair.cells[0].lane) == ("bulk_create", "core")
    (empty,) = of(made, "empty")
    assert (empty.cells[0].target, empty.cells[0].placement) == ("none", pair.cells[0].placement)


def test_the_added_aa_pair_is_one_of_the_focus(loaded):
    two = [comparison(scenario=name, lane="core") for name in ("bulk_create", "get_by_id")]
    made = planned(loaded, *two, focus="get_by_id")
    assert aa_pairs(made)[0].cells[0].scenario == "get_by_id"


def test_what_a_plan_brings_itself_is_not_added_again(loaded):
    made = planned(
        loaded,
        comparison(scenario="get_by_id", lane="core", aa_pairs=3),
        comparison(scenario="empty", lane="nothing"),
    )
    assert [len(aa_pairs(made)), len(of(made, "empty"))] == [3, 1]
    assert len({group.name for group in made.groups}) == len(made.groups)


def test_a_run_of_the_empty_scenario_alone_is_legal(loaded):
    made = planned(loaded, comparison(scenario="empty"))
    assert [(cell.lane, cell.target) for cell in made.cells] == [("nothing", "none")]
    assert len(aa_pairs(made)) == 1


def test_a_comparison_asked_for_twice_is_measured_once(loaded):
    star = comparison(scenario="get_by_id", lane="orm,core")
    assert len(of(planned(loaded, star, star), "get_by_id")) == 1


def test_a_cell_alone_is_not_measured_again_beside_a_comparison_that_has_it(loaded):
    star = comparison(scenario="get_by_id", lane="orm,core")
    alone = comparison(scenario="get_by_id", lane="orm")
    assert [lanes(group) for group in of(planned(loaded, alone, star), "get_by_id")] == [
        ["orm", "core"]
    ]


def test_groups_have_names_of_their_own(loaded):
    made = planned(
        loaded,
        comparison(scenario="get_by_id", lane="core,orm"),
        comparison(scenario="get_by_id", lane="core,orm_built"),
    )
    assert len({group.name for group in made.groups}) == len(made.groups)


def test_a_driver_that_cannot_do_a_lane_leaves_it_out_with_the_reason(loaded):
    made = planned(loaded, comparison(scenario="get_by_id", lane="raw*", target="psycopg"))
    (one,) = made.left_out
    assert one.cell.lane == "raw_pool"
    assert one.reason.startswith("UNSUPPORTED: psycopg_pool")
    assert one.cell not in made.cells


def test_a_placement_that_cannot_be_leaves_the_cell_out_with_the_reason(loaded):
    made = planned(
        loaded, comparison(scenario="get_by_id", lane="orm", clients=[1, 8], placement="one-core")
    )
    (one,) = made.left_out
    assert one.cell.clients == 8
    assert "one-core is for serial cells" in one.reason


def test_more_clients_than_connections_leave_the_cell_out_with_the_reason(loaded):
    made = planned(loaded, comparison(scenario="get_by_id", lane="orm", clients=[1, 1000]))
    (one,) = made.left_out
    assert one.reason == f"1000 clients need more connections than the server's {MAX_CONNECTIONS}"


def test_a_lane_that_wants_a_database_needs_data(loaded):
    scenario = Scenario(name="bare")
    scenario.lane(lane_called("core"))
    bare = Loaded("bare", scenario, Path("bare.py"), "")
    cell = Cell(scenario="bare", lane="core", target=ASYNCPG)
    assert "brings no data" in why_not(cell, bare, EVERYTHING)
    with pytest.raises(UsageError, match="no cell that can run here: UNSUPPORTED: the scenario"):
        planned({**loaded, "bare": bare}, comparison(scenario="bare"))


def test_groups_stay_below_the_connections_of_the_server(letters):
    made = planned(letters, comparison(scenario="letters", clients=100, reference="a"))
    groups = of(made, "letters")
    assert [len(group.cells) for group in groups] == [3, 3, 3]
    assert made.connections <= EVERYTHING.most_connections


def test_a_pair_that_the_server_cannot_hold_is_left_out_with_the_reason(loaded):
    made = planned(
        loaded, comparison("clients", 200, scenario="get_by_id", lane="orm", clients=[200, 300, 50])
    )
    assert made.connections <= EVERYTHING.most_connections
    assert {one.cell.clients: one.reason for one in made.left_out} == {
        300: "with the reference it needs 500 connections, the server takes 400",
        200: "with its twin it needs 400 connections, the server takes 400",
    }


def test_the_aa_pair_is_taken_where_the_server_can_hold_both(loaded):
    large = comparison(scenario="get_by_id", lane="orm", clients=300)
    small = comparison(scenario="bulk_create", lane="orm")
    (pair,) = aa_pairs(planned(loaded, large, small))
    assert pair.cells[0].scenario == "bulk_create"


def test_a_plan_of_which_nothing_can_run_says_why(loaded):
    with pytest.raises(UsageError, match="plan test has no cell that can run here: 999 clients"):
        planned(loaded, comparison(scenario="get_by_id", lane="orm", clients=999))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"scenario": "get_by_idd"}, r"unknown scenario 'get_by_idd': did you mean get_by_id\?"),
        ({"scenario": "get_by_id", "lane": "rom"}, r"lane of get_by_id 'rom': did you mean orm\?"),
        ({"scenario": "get_by_id", "lane": "orm,mysql*"}, r"lane of get_by_id 'mysql\*'"),
        ({"scenario": "get_by_id", "target": ["*asyncpg", "oracle*"]}, r"target 'oracle\*'"),
        ({"scenario": "get_by_id", "lane": "orm,core", "reference": "raw"}, r"'raw'.*: orm, core$"),
    ],
)
def test_a_name_that_nothing_is_called_is_refused_with_the_nearest(loaded, given, words):
    with pytest.raises(UsageError, match=words):
        planned(loaded, comparison(**given))


def test_a_reference_that_only_some_scenarios_have_stands_where_it_is(loaded):
    made = planned(loaded, comparison(scenario="*", reference="core"))
    with_core = [group for group in made.groups if loaded[group.cells[0].scenario].has("core")]
    assert {group.cells[0].lane for group in with_core} == {"core"}
    assert any(group.cells[0].lane == "nothing" for group in made.groups)


def test_a_reference_that_cannot_run_here_gives_way_to_the_next(loaded):
    made = planned(
        loaded,
        comparison(scenario="get_by_id", lane="raw*", target="psycopg", reference="raw_pool"),
    )
    assert lanes(of(made, "get_by_id")[0])[0] == "raw_held"
    assert made.reference == "lane=raw_held"


def test_the_focus_falls_to_what_is_measured(loaded):
    made = planned(loaded, comparison(scenario="bulk_create", lane="core"), focus="get_by_id")
    assert made.focus == "bulk_create"


def test_the_estimate_grows_with_blocks_and_rounds(loaded):
    star = comparison(scenario="update_email", lane="orm,core")
    short = planned(loaded, star, blocks=2, rounds=2)
    more = [replace(short, blocks=blocks).seconds for blocks in (4, 6)]
    assert more[1] - more[0] == pytest.approx(more[0] - short.seconds)
    assert replace(short, rounds=4).seconds > short.seconds
    many = comparison(scenario="update_email", lane="orm,core", clients=16)
    assert planned(loaded, many, blocks=2, rounds=2).seconds > short.seconds


def test_each_field_of_a_cell_is_an_axis():
    assert set(AXES) == set(Cell.__dataclass_fields__)


MYSQL, MARIADB = "mysql+aiomysql", "mariadb+aiomysql"


def test_a_cell_whose_server_cannot_run_here_is_left_out_with_what_to_install(loaded):
    supply = Supply(missing={"MySQL": "no mysqld here: install mysql-server"})
    wanted = comparison(scenario="get_by_id", lane="core", target=[ASYNCPG, MYSQL])
    made = make(Wish("test", "A test?", [wanted]), loaded, supply)
    (one,) = made.left_out
    assert one.cell.target == MYSQL
    assert one.reason == "UNSUPPORTED: no mysqld here: install mysql-server"


def test_server_products_are_never_compared_with_each_other(loaded):
    wanted = comparison(
        scenario="get_by_id",
        lane="core",
        across="target",
        reference=ASYNCPG,
        target=[ASYNCPG, PSYCOPG, MYSQL, "mysql+asyncmy", MARIADB],
    )
    groups = [group for group in planned(loaded, wanted).groups if group.cells[0].target != "none"]
    for group in groups:
        assert len({cell.target.partition("+")[0] for cell in group.cells}) == 1
    stars = [[cell.target for cell in group.cells] for group in groups if len(group.cells) > 1]
    assert stars[:2] == [[ASYNCPG, PSYCOPG], [MYSQL, "mysql+asyncmy"]]


def test_the_server_of_a_url_is_placed_free(loaded):
    supply = Supply(kinds={"PostgreSQL": "url"})
    made = make(
        Wish("test", "A test?", [comparison(scenario="get_by_id", lane="core")]), loaded, supply
    )
    assert {cell.placement for cell in made.cells if cell.target == ASYNCPG} == {"free"}
    pinned = comparison(scenario="get_by_id", lane="core", placement="one-core")
    with pytest.raises(UsageError, match="not ours to tie to a core: only placement free"):
        make(Wish("test", "A test?", [pinned]), loaded, supply)


def test_lanes_are_compared_within_each_distance(loaded):
    made = planned(loaded, comparison(scenario="get_by_id", lane="core,orm", rtt="0,0.5,5"))
    groups = of(made, "get_by_id")
    assert [{cell.rtt for cell in group.cells} for group in groups] == [{0.0}, {0.5}, {5.0}]
    assert [group.cells[1].id for group in groups] == [
        f"get_by_id/orm/{ASYNCPG}/rtt={rtt}" for rtt in ("0", "0.5", "5")
    ]


@pytest.mark.parametrize("across", ["lane", "rtt"])
def test_a_scenario_without_a_server_has_no_distance(loaded, across):
    wanted = comparison(across, 0.0 if across == "rtt" else None, scenario="empty", rtt="0,1,5")
    made = planned(loaded, wanted)
    assert [cell.id for cell in made.cells] == ["empty/nothing/none"]
    assert len(of(made, "empty")) == 1


def test_an_aa_pair_of_a_scenario_without_a_server_is_not_one_for_each_distance(loaded):
    made = planned(loaded, comparison(scenario="empty", rtt="0,1,5", aa_pairs=2))
    assert len(aa_pairs(made)) == 2


def test_the_aa_pair_is_taken_where_the_server_is_nearest(loaded):
    made = planned(loaded, comparison(scenario="get_by_id", lane="core,orm", rtt="5,0,1"))
    (pair,) = aa_pairs(made)
    assert pair.cells[0].rtt == 0.0


def test_distance_makes_a_run_longer_than_the_same_at_home(loaded):
    at_home = planned(loaded, comparison(scenario="get_by_id", lane="core,orm"))
    far = planned(loaded, comparison(scenario="get_by_id", lane="core,orm", rtt=5))
    assert far.seconds > at_home.seconds


def test_a_cell_with_a_distance_comes_back_from_json_as_it_was():
    for rtt in (None, 0.0, 0.5, 5.0):
        cell = Cell(scenario="get_by_id", lane="orm", target=ASYNCPG, rtt=rtt)
        again = Cell(**json.loads(json.dumps(asdict(cell))))
        assert again == cell
        assert again.id == cell.id
    whole = Cell(scenario="get_by_id", lane="orm", target=ASYNCPG, rtt=0)
    assert whole == Cell(scenario="get_by_id", lane="orm", target=ASYNCPG, rtt=0.0)


def test_on_a_machine_of_one_core_a_relay_has_no_place(loaded, monkeypatch):
    monkeypatch.setattr(runnable, "allowed_cpus", lambda: frozenset({3}))
    wanted = comparison(scenario="get_by_id", lane="core", rtt="direct,0,1", placement="free")
    made = planned(loaded, wanted)
    assert {cell.rtt for cell in made.cells if cell.target == ASYNCPG} == {None}
    assert {one.cell.rtt for one in made.left_out} == {0.0, 1.0}
    assert "an rtt needs a core for the relay" in made.left_out[0].reason


@pytest.mark.parametrize("across", ["lane", "pool", "processes", "isolation"])
def test_a_scenario_without_a_server_has_no_pool_no_level_and_one_process(loaded, across):
    wanted = comparison(
        across,
        scenario="empty",
        clients=4,
        pool="5+10,nullpool",
        isolation="serializable,default",
        processes="1,2,4",
    )
    made = planned(loaded, wanted)
    assert [cell.id for cell in made.cells] == ["empty/nothing/none/clients=4/placement=free"]
    assert len(of(made, "empty")) == 1


def test_pools_are_compared_in_one_star_and_every_plan_has_its_twin_and_empty(loaded):
    wanted = comparison(
        "pool", "5+10", scenario="get_by_id", lane="core", clients=16, pool="nullpool,5+10,16+0"
    )
    made = planned(loaded, wanted)
    (group,) = of(made, "get_by_id")
    assert [cell.pool for cell in group.cells] == ["5+10", "nullpool", "16+0"]
    assert {contrast.kind for contrast in group.contrasts} == {"axis"}
    (pair,) = aa_pairs(made)
    assert [cell.pool for cell in pair.cells] == ["5+10", "5+10"]
    (empty,) = of(made, "empty")
    assert (empty.cells[0].pool, empty.cells[0].processes) == (None, 1)


def test_lanes_are_compared_where_only_some_can_have_the_pool(loaded):
    wanted = comparison(scenario="get_by_id", lane="core,raw", clients=8, pool="5+10,driver:size=4")
    made = planned(loaded, wanted)
    assert [lanes(group) for group in of(made, "get_by_id")] == [["core"], ["core", "raw"]]
    (one,) = made.left_out
    assert (one.cell.lane, one.cell.pool) == ("raw", "5+10")
    assert one.reason == "UNSUPPORTED: a raw lane has the driver's own pool: pool=driver:size=N"


def test_a_static_pool_for_several_clients_is_left_out_with_what_would_go_wrong(loaded):
    made = planned(
        loaded, comparison(scenario="get_by_id", lane="orm", clients="1,4", pool="static")
    )
    assert {cell.clients for cell in made.cells if cell.lane == "orm"} == {1}
    (one,) = made.left_out
    assert one.reason.startswith("UNSUPPORTED: static is one connection: 4 clients would share")


def test_pools_that_the_server_cannot_hold_are_left_out_with_the_arithmetic(loaded):
    supply = replace(EVERYTHING, connections=60)
    wanted = comparison(
        "processes", scenario="get_by_id", lane="core", clients=64, processes="1,4", pool="5+10"
    )
    made = make(Wish("test", "A test?", [wanted]), loaded, supply)
    (one,) = made.left_out
    assert (one.cell.processes, one.cell.connections) == (4, 60)
    words = "4 processes x 5+10 hold up to 60 connections, the server takes 60"
    assert one.reason == f"{words}, 20 of them for others"
    assert made.connections <= supply.most_connections


def test_processes_share_the_clients_evenly_or_not_at_all(loaded):
    made = planned(loaded, comparison(scenario="get_by_id", lane="orm", clients=6, processes="1,4"))
    (one,) = made.left_out
    assert one.reason == "6 clients cannot be shared evenly by 4 processes"
    serial = planned(loaded, comparison(scenario="get_by_id", lane="orm", processes="1,2"))
    assert [one.cell.placement for one in serial.left_out] == ["free"]


def test_several_processes_are_never_put_on_one_core(loaded):
    wanted = {"scenario": "get_by_id", "lane": "orm", "clients": 4, "processes": "2"}
    made = planned(loaded, comparison(**wanted))
    assert {cell.placement for cell in made.cells if cell.lane == "orm"} == {"free"}
    with pytest.raises(UsageError, match="placement split leaves the client one core"):
        planned(loaded, comparison(**wanted, placement="split"))
    with pytest.raises(UsageError, match="1 client cannot be shared evenly by 2 processes"):
        planned(loaded, comparison(**{**wanted, "clients": 1}))


def test_each_further_process_makes_a_run_longer(loaded):
    star = {"scenario": "get_by_id", "lane": "orm,core", "clients": 4}
    one, two, four = (planned(loaded, comparison(**star, processes=n)) for n in (1, 2, 4))
    assert one.seconds < two.seconds < four.seconds
