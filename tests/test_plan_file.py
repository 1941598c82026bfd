"""Plan files: what they say, and one line for each way of getting one wrong."""

from dataclasses import replace

import pytest

from ormbench.errors import UsageError
from ormbench.loader import shipped
from ormbench.plan.file import read, shipped_plans
from ormbench.plan.plan import BLOCKS, ROUNDS, make

POOL = "[pools.app]\n"
STAR = '[[compare]]\nscenario = "get_by_id"\nlane = ["core", "orm"]\n'
WRONG = {
    "no value": ("title =\n", "is not TOML: "),
    "a key twice": ("blocks = 8\nblocks = 9\n", "is not TOML: "),
    "a table without an end": ('[[compare]\nscenario = "get_by_id"\n', "is not TOML: "),
    "nothing": ("", "it compares nothing: give it a [[compare]] or an [[aa]] table"),
    "a comment": ("# nothing\n", "it compares nothing"),
    "no comparison": ('[compare]\nscenario = "get_by_id"\n', "write [[compare]]"),
    "a list of numbers": ("compare = [1]\n", "compare is not a list of tables"),
    "a text for a list": ('aa = "get_by_id"\n', "aa is not a list of tables: write [[aa]]"),
    "a text for a table": (f'base = "asyncpg"\n{STAR}', "base is not a table"),
    "an unknown key": (f"block = 8\n{STAR}", "unknown key block: did you mean blocks?"),
    "a key of no likeness": (f"xyzzy = 8\n{STAR}", "unknown key xyzzy: known: aa, base, blocks,"),
    "an unknown axis": (STAR + "client = 8\n", "unknown key compare.client: did you mean clients?"),
    "an axis in base": (f"[base]\nlanes = 1\n{STAR}", "unknown key base.lanes: did you mean lane?"),
    "pairs in a star": (STAR + "pairs = 2\n", "unknown key compare.pairs"),
    "across in an A/A": ('[[aa]]\nscenario = "get_by_id"\nacross = "lane"\n', "key aa.across"),
    "no scenario": ('[[compare]]\nlane = "orm"\n', "compare.scenario is missing: name a scenario"),
    "a fraction": (f"blocks = 1.5\n{STAR}", "blocks = 1.5, expected a whole number from 1"),
    "a text": (f'blocks = "8"\n{STAR}', "blocks = '8', expected a whole number from 1"),
    "a truth": (f"rounds = true\n{STAR}", "rounds = True, expected a whole number from 1"),
    "a zero": (f"rounds = 0\n{STAR}", "rounds = 0, expected a whole number from 1"),
    "no pairs": ('[[aa]]\nscenario = "get_by_id"\npairs = 0\n', "pairs = 0, expected a whole"),
    "a number as title": (f"title = 8\n{STAR}", "title = 8, expected text in quotes"),
    "a list as focus": (f"focus = ['get_by_id']\n{STAR}", "expected text in quotes"),
    "a foreign focus": (f"focus = 'empty'\n{STAR}", "focus = 'empty' is no scenario of the plan:"),
    "a step": (f"next_steps = 'aa'\n{STAR}", "next_steps = 'aa', expected a list of texts"),
    "a number of steps": (f"next_steps = 5\n{STAR}", "next_steps = 5, expected a list of texts"),
    "a step that is none": (f"next_steps = [5]\n{STAR}", "next_steps = [5], expected a list"),
    "no axis to compare": (STAR + "across = 'speed'\n", "'speed' is no axis to compare across:"),
    "across scenarios": (STAR + "across = 'scenario'\n", "'scenario' is no axis to compare"),
    "across a number": (STAR + "across = 5\n", "across = 5, expected text in quotes"),
    "no clients": (STAR + "clients = 0\n", "axis clients does not take 0: a whole number from 1"),
    "a negative client": (STAR + "clients = [1, -1]\n", "axis clients does not take -1"),
    "a rate of zero": (STAR + "rate = 0\n", "axis rate does not take 0: operations per second"),
    "a rate of truth": (STAR + "rate = true\n", "axis rate does not take True"),
    "a rate in a list of lists": (STAR + "rate = [[1]]\n", "axis rate does not take [1]"),
    "a rate on a day": (STAR + "rate = 2026-11-22\n", "axis rate does not take"),
    "a rate that is none": (STAR + "rate = nan\n", "axis rate does not take nan"),
    "a distance below 0": (
        STAR + "rtt = [0, -1]\n",
        "axis rtt does not take -1: milliseconds from",
    ),
    "a distance in words": (STAR + "rtt = 'far'\n", "axis rtt does not take 'far': milliseconds"),
    "a table as axis": (STAR + "clients = {from = 1}\n", "axis clients is a table, expected"),
    "no value of an axis": (STAR + "clients = []\n", "axis clients has no value"),
    "no reference": (STAR + "reference = []\n", "axis lane has no value"),
    "pools as a list": (f"pools = ['5+10']\n{STAR}", "pools is not a table"),
    "a pool as a word": (
        f"[pools]\napp = '5+10'\n{STAR}",
        "pools.app is not a table: write [pools.app]",
    ),
    "an option of no pool": (
        POOL + "pings = true\n" + STAR,
        "unknown key pools.app.pings: did you",
    ),
    "a class of no pool": (
        POOL + "class = 'Queue'\n" + STAR,
        "pools.app.class = 'Queue', expected one",
    ),
    "a pool of half": (
        POOL + "size = 5.0\n" + STAR,
        "pools.app.size = 5.0, expected a whole number",
    ),
    "a pool of truth": (POOL + "overflow = true\n" + STAR, "pools.app.overflow = True, expected a"),
    "no patience": (
        POOL + "timeout = 0\n" + STAR,
        "pools.app.timeout = 0, expected seconds above 0",
    ),
    "a ping of 1": (
        POOL + "pre_ping = 1\n" + STAR,
        "pools.app.pre_ping = 1, expected true or false",
    ),
    "never": (
        POOL + "recycle = -1\n" + STAR,
        "pools.app.recycle = -1, expected whole seconds from 0",
    ),
    "another reset": (
        POOL + "reset_on_return = 'commit'\n" + STAR,
        'expected "rollback" or "none"',
    ),
    "a size of none": (
        POOL + "class = 'null'\nsize = 5\n" + STAR,
        "pools.app.size: a pool of class null has none",
    ),
    "an order of none": (
        POOL + "class = 'null'\nlifo = true\n" + STAR,
        "pools.app would be nullpool:lifo: nullpool takes no lifo",
    ),
    "a pool of nothing": (
        POOL + "size = 0\n" + STAR,
        "pools.app would be 0+10: to SQLAlchemy a size",
    ),
    "a taken name": (f"[pools.driver]\n{STAR}", "pools.driver: 'driver' is a pool by itself"),
    "no such pool": (POOL + STAR + "pool = 'ap'\n", "axis pool does not take 'ap': expected SIZE+"),
    "a target": (STAR + "target = 'asyncgp'\n", "unknown target 'asyncgp': did you mean asyncpg?"),
}


def plan_file(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_each_mistake_is_said_in_one_line_with_the_file_and_the_key(tmp_path, text, words):
    path = plan_file(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        read(path)
    said = str(caught.value)
    assert said.startswith(f"plan file {path}")
    assert words in said
    assert "\n" not in said


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"plan file .*none.toml: No such file"):
        read(tmp_path / "none.toml")


def test_a_folder_is_no_plan_file(tmp_path):
    with pytest.raises(UsageError, match=r"plan file .*: Is a directory"):
        read(tmp_path)


def test_bytes_that_are_no_text_are_no_plan(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"title = '\xff\xfe'\n")
    with pytest.raises(UsageError, match="is not TOML"):
        read(path)


def test_a_plan_takes_its_name_from_the_file_and_the_rest_from_defaults(tmp_path):
    wish = read(plan_file(tmp_path, STAR))
    assert (wish.name, wish.title, wish.focus) == ("mine", "mine", "")
    assert (wish.blocks, wish.rounds, wish.next_steps) == (BLOCKS, ROUNDS, ())
    (star,) = wish.comparisons
    assert (star.across, star.reference, star.aa_pairs) == ("lane", None, 0)


def test_a_comparison_takes_from_base_what_it_does_not_name(tmp_path):
    base = '[base]\nclients = [4, 8]\ntarget = "psycopg"\n'
    first, second = read(plan_file(tmp_path, base + STAR + STAR + "clients = 1\n")).comparisons
    assert (first.axes["clients"], second.axes["clients"]) == ([4, 8], [1])
    assert first.axes["target"] == second.axes["target"] == ["postgresql+psycopg"]


def test_a_short_reference_means_the_same_as_a_long_one(tmp_path):
    across = "across = 'target'\ntarget = '*'\nreference = 'psycopg'\n"
    (star,) = read(plan_file(tmp_path, STAR + across)).comparisons
    assert star.reference == "postgresql+psycopg"


def test_whole_and_broken_distances_are_numbers_alike(tmp_path):
    (star,) = read(plan_file(tmp_path, STAR + "rtt = [0, 0.5, 1, 5, 'direct']\n")).comparisons
    assert star.axes["rtt"] == [0.0, 0.5, 1.0, 5.0, None]


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("rtt = [1, 0, 'direct']\nacross = 'rtt'\n", 1.0),
        ("rtt = [1, 0, 'direct']\nacross = 'rtt'\nreference = 0\n", 0.0),
        ("rtt = [1, 0, 'direct']\nacross = 'rtt'\nreference = 'direct'\n", None),
        ("rate = [500, 'closed']\nacross = 'rate'\n", 500.0),
    ],
)
def test_distances_are_compared_with_the_one_named_or_the_first(tmp_path, text, reference):
    star = '[[compare]]\nscenario = "get_by_id"\nlane = "orm"\n'
    plan = make(read(plan_file(tmp_path, star + text)), shipped())
    first = plan.groups[0]
    axis = text.partition(" ")[0]
    assert getattr(first.cells[0], axis) == reference
    assert plan.reference == f"{axis}={reference}"
    assert {one.kind for one in first.contrasts} == {"axis"}


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ("", "5+10"),
        ("size = 20\noverflow = 0\n", "20+0"),
        ("class = 'queue'\nsize = 20\n", "20+10"),
        (
            "pre_ping = true\nlifo = true\nrecycle = 3600\ntimeout = 0.5\n",
            "5+10:ping:lifo:timeout=0.5:recycle=3600",
        ),
        ("reset_on_return = 'none'\npre_ping = false\n", "5+10:reset=none"),
        ("class = 'null'\nreset_on_return = 'rollback'\n", "nullpool"),
        ("class = 'static'\n", "static"),
        ("class = 'driver'\nsize = 15\n", "driver:size=15"),
        ("class = 'fitted'\npre_ping = true\n", "fitted:ping"),
    ],
)
def test_a_named_pool_is_the_word_that_it_stands_for(tmp_path, table, word):
    named = POOL + table + STAR + "pool = ['app', '64+0']\n"
    (star,) = read(plan_file(tmp_path, named)).comparisons
    assert star.axes["pool"] == [word, "64+0"]
    plan = make(read(plan_file(tmp_path, named)), shipped())
    assert {cell.pool for cell in plan.cells if cell.target != "none"} == {word, "64+0"}


def test_a_pool_has_its_name_in_base_in_an_aa_pair_and_as_a_reference(tmp_path):
    base = POOL + "size = 7\n[base]\npool = 'app'\n"
    aa = '[[aa]]\nscenario = "get_by_id"\npool = "app"\n'
    across = "across = 'pool'\npool = ['5+0', 'app']\nreference = 'app'\n"
    first, second, pair = read(plan_file(tmp_path, base + STAR + STAR + across + aa)).comparisons
    assert first.axes["pool"] == pair.axes["pool"] == ["7+10"]
    assert second.reference == "7+10"


def test_a_reference_that_is_no_pool_may_be_called_as_one_is(tmp_path):
    named = "[pools.core]\n" + STAR + "reference = 'core'\npool = 'core'\n"
    (star,) = read(plan_file(tmp_path, named)).comparisons
    assert (star.reference, star.axes["pool"]) == ("core", ["5+10"])


def test_a_focus_may_be_one_of_many_that_a_glob_takes(tmp_path):
    text = "focus = 'get_by_id'\n[[compare]]\nscenario = '*'\n"
    assert read(plan_file(tmp_path, text)).focus == "get_by_id"


def test_no_plan_is_called_as_a_scenario_is():
    assert not set(shipped_plans()) & set(shipped())


@pytest.mark.parametrize("path", shipped_plans().values(), ids=shipped_plans())
def test_a_shipped_plan_can_be_made(path):
    plan = make(read(path), shipped())
    assert all("is not installed" in one.reason for one in plan.left_out)
    assert plan.blocks >= BLOCKS
    assert plan.seconds > 0


def test_quick_takes_two_minutes_and_thirty_cells_at_most():
    plan = make(read(shipped_plans()["quick"]), shipped())
    assert len(plan.cells) <= 30
    assert plan.seconds <= plan.budget <= 120
    assert replace(plan, budget=None).seconds < 150, "rounds need not shrink on a usual machine"


def test_aa_brings_a_hundred_pairs_and_nothing_else_that_is_compared():
    plan = make(read(shipped_plans()["aa"]), shipped())
    pairs = [group for group in plan.groups if group.contrasts]
    assert all(contrast.kind == "aa" for group in pairs for contrast in group.contrasts)
    assert 95 <= len(pairs) <= 105


def test_rtt_asks_at_four_distances_within_four_minutes():
    plan = make(read(shipped_plans()["rtt"]), shipped())
    distances = {"get_by_id": 4, "update_email": 4, "bulk_create": 10}  # those of three products
    for scenario, count in distances.items():
        stars = [
            group
            for group in plan.groups
            if group.cells[0].scenario == scenario
            and all(contrast.kind == "lane" for contrast in group.contrasts)
        ]
        assert len(stars) == count
        for group in stars:
            assert len({(cell.rtt, cell.target) for cell in group.cells}) == 1
    assert plan.seconds <= plan.budget <= 240
    assert replace(plan, budget=None).seconds < 240, "rounds need not shrink on a usual machine"


def test_rtt_keeps_mysql_where_a_hundred_round_trips_are_soon_over():
    plan = make(read(shipped_plans()["rtt"]), shipped())
    assert max(cell.rtt for cell in plan.cells if cell.target.startswith("mysql+")) <= 1
    assert {cell.rtt for cell in plan.cells if cell.target == "none"} == {None}


CONTENDED = {"hot_row", "transfer", "on_call", "read_mostly", "disjoint_rows"}


def compared(plan, across):
    """The groups whose cells differ in that axis."""
    return [one for one in plan.groups if len({getattr(cell, across) for cell in one.cells}) > 1]


@pytest.mark.parametrize("name", ["pools", "isolation"])
def test_pools_and_isolation_take_twelve_minutes_at_most(name):
    plan = make(read(shipped_plans()[name]), shipped())
    assert plan.budget <= plan.seconds <= 720
    assert replace(plan, budget=1).seconds <= 720, "with the fewest rounds that there can be"


def test_pools_has_a_map_of_pools_and_clients():
    plan = make(read(shipped_plans()["pools"]), shipped())
    mapped = {}
    for group in compared(plan, "pool"):
        if group.cells[0].scenario == "pool_pressure":
            assert group.cells[0].pool == "5+10"
            for cell in group.cells:
                mapped.setdefault(cell.clients, set()).add(cell.pool)
    everywhere = {"5+10", "5+0", "15+0", "20+0", "64+0", "driver:size=15"}
    assert set(mapped) == {4, 15, 64}
    assert all(everywhere <= pools for pools in mapped.values())
    assert plan.focus == "pool_pressure"


def test_pools_shows_what_a_ping_and_a_recycle_save_on_three_products():
    plan = make(read(shipped_plans()["pools"]), shipped())
    stars = [one for one in compared(plan, "pool") if one.cells[0].scenario == "after_idle"]
    assert len({group.cells[0].target.partition("+")[0] for group in stars}) == 3
    for group in stars:
        pools = [cell.pool for cell in group.cells]
        assert pools == [None, "fitted:ping", "fitted:recycle=1", "fitted:recycle=3600"]


def test_isolation_compares_levels_with_one_that_loses_no_update():
    plan = make(read(shipped_plans()["isolation"]), shipped())
    stars = [one for one in compared(plan, "isolation") if one.cells[0].scenario in CONTENDED]
    assert {group.cells[0].isolation for group in stars} == {"serializable"}
    assert {group.cells[0].scenario for group in stars} == CONTENDED
    products = {one.cells[0].target for one in stars if one.cells[0].scenario == "hot_row"}
    assert products == {"postgresql+asyncpg", "mariadb+aiomysql", "mysql+aiomysql"}
