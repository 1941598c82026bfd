"""The name of a cell in ``explain``: what is wrong in it is named, with what would be right."""

import pytest
from command import call

from ormbench.cli.explain import NAMED
from ormbench.plan.axes import AXES

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
