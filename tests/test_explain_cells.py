"""The name of a cell in ``explain``: what is wrong in it is named, with what would be right."""

import shlex

import pytest
from command import call
from fabricate import Oddities, fabricate

from ormbench.cli.explain import NAMED
from ormbench.cli.parser import parse
from ormbench.cli.wishes import plan_of
from ormbench.plan.axes import AXES
from ormbench.results.folder import RunWriter
from ormbench.servers.supply import EVERYTHING

WRONG = {
    "clients": ("x", "a whole number from 1"),
    "transaction": ("none", "one of per-operation, autocommit"),
    "placement": ("two-core", "one of auto, one-core, split, free"),
    "rate": ("-1", "operations per second above 0"),
    "arrivals": ("late", "one of poisson, constant"),
    "loop": ("trio", "one of asyncio, uvloop"),
    "rtt": ("far", "milliseconds from 0 to 1000"),
    "pool": ("bogus", "expected SIZE+OVERFLOW"),
    "isolation": ("bogus", "one of read-uncommitted, read-committed"),
    "processes": ("0", "a whole number from 1"),
    "batch": ("zero", "a whole number from 1"),
    "cache": ("-1", "how many statements"),
}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def explained(capsys, rest):
    return call(capsys, "explain", f"get_by_id/orm/{rest}")


@pytest.mark.parametrize("axis", NAMED)
def test_a_value_that_an_axis_does_not_take_is_named_with_what_it_takes(capsys, axis):
    word, right = WRONG[axis]
    for rest in (f"{axis}={word}", f"postgresql+asyncpg/clients=2/{axis}={word}"):
        ended = explained(capsys, rest)
        assert (ended.code, ended.out) == (2, "")
        assert ended.complaint.startswith(f"axis {axis} does not take '{word}': ")
        assert right in ended.complaint


def test_every_axis_has_a_value_that_is_wrong():
    assert set(WRONG) == set(NAMED) == {*AXES} - {"scenario", "lane", "target"}


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("isolaton=serializable", "unknown axis 'isolaton': did you mean isolation?"),
        (
            "postgresql+asynpg",
            "unknown target 'postgresql+asynpg': did you mean postgresql+asyncpg",
        ),
        ("clients=1,2", "'clients=1,2' names several cells: give axis clients one value"),
        ("lane=orm", "'lane=orm': the lane stands without its name, SCENARIO/LANE/TARGET"),
    ],
)
def test_a_part_that_is_no_axis_and_no_target_is_named(capsys, rest, said):
    ended = explained(capsys, rest)
    assert ended.code == 2
    assert ended.complaint.startswith(said)


@pytest.mark.parametrize(
    "rest", ["", "postgresql", "postgresql+asyncpg/clients=8/pool=driver:size=15", "rtt=0/cache=0"]
)
def test_a_cell_that_could_be_is_explained_though_no_run_has_it(capsys, rest):
    ended = explained(capsys, rest)
    assert ended.code == 0
    assert ended.out.startswith("get_by_id/orm: ")


@pytest.mark.parametrize(
    ("cell", "measured"),
    [
        ("insert_rows/load_data/mysql+aiomysql", "insert_rows/load_data/mysql+aiomysql"),
        ("insert_rows/load_data", "insert_rows/load_data/mysql+aiomysql"),
        ("insert_rows/load_data/mariadb", "insert_rows/load_data/mariadb+aiomysql"),
        (
            "insert_rows/copy/postgresql+psycopg/batch=7",
            "insert_rows/copy/postgresql+psycopg/batch=7",
        ),
        ("insert_rows/core", "insert_rows/core/postgresql+asyncpg"),
        ("get_by_id/core_on_loop", "get_by_id/core_on_loop/postgresql+psycopg_sync"),
        ("empty/nothing/none", "empty/nothing/none"),
    ],
)
def test_the_command_that_it_advises_measures_the_cell(capsys, cell, measured):
    told = call(capsys, "explain", cell).out.splitlines()[-1]
    before, _, command = told.partition(": ")
    assert before == "not measured yet"
    program, *words = shlex.split(command)
    assert program == "ormbench"
    plan, _ = plan_of(parse([*words, "--dry-run"]), EVERYTHING)
    assert measured in [cell.id for cell in plan.cells]


def test_the_command_that_it_advises_works_when_pasted(capsys):
    cell = "insert_rows/copy_binary/postgresql+asyncpg/batch=7"
    command = call(capsys, "explain", cell).out.splitlines()[-1].partition(": ")[2]
    ended = call(capsys, *shlex.split(command)[1:], "--dry-run")
    assert ended.code == 0
    assert f"  {cell}\n" in ended.out


def test_doubts_of_the_whole_run_stand_once_and_each_cell_has_its_ratio(capsys, tmp_path):
    odd = Oddities(foreign_load=0.5)
    made = fabricate(scenarios=["get_by_id"], oddities=odd)
    with RunWriter.create(tmp_path, made.manifest) as writer:
        for block in made.blocks:
            writer.append(block)
    out = call(capsys, "explain", "get_by_id/orm", "--run", tmp_path).out
    assert out.count("\nin run ") == 2, "a cell of each driver"
    assert out.count("others used up to 50 %") == 1
    assert out.rindex("others used") > out.rindex("\nin run ")
    for target in ("asyncpg", "psycopg"):
        assert f"  ratio to get_by_id/core/postgresql+{target}: 1.2" in out
