"""Scenario files, found by path; the project's own are loaded like a stranger's."""

import sys

import pytest

from ormbench.errors import UsageError
from ormbench.loader import load, shipped

ONE = '''
"""A shop: the page of one article.

More of the story.
"""

from ormbench.scenario import Scenario

shop = Scenario()


@shop.lane
async def orm(session):
    """entities"""
'''


@pytest.fixture(autouse=True)
def _same_import_path(monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path[:])


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_scenario_is_named_after_its_variable_and_tells_its_file_s_story(tmp_path):
    path = write(tmp_path, "shop_page.py", ONE)
    (loaded,) = load(path)
    assert (loaded.name, loaded.path) == ("shop", path)
    assert loaded.story == "A shop: the page of one article."
    assert loaded.lane_names() == ["orm"]


def test_a_name_of_its_own_wins(tmp_path):
    (loaded,) = load(write(tmp_path, "a.py", ONE.replace("Scenario()", "Scenario(name='other')")))
    assert loaded.name == "other"


def test_a_file_may_hold_several(tmp_path):
    more = ONE + "\n\ncart = Scenario()\ncart.lane(orm)\n"
    assert [one.name for one in load(write(tmp_path, "a.py", more))] == ["shop", "cart"]


@pytest.mark.parametrize(
    "statement", ["from .tables import NAME", "from tables_of_mine import NAME"]
)
def test_a_file_imports_what_lies_beside_it(tmp_path, statement):
    module = "tables" if "." in statement else "tables_of_mine"
    write(tmp_path, f"{module}.py", "NAME = 'imported'")
    path = write(tmp_path, "a.py", f"{statement}\n{ONE}\nshop.name = NAME\n")
    assert load(path)[0].name == "imported"
    sys.modules.pop("tables_of_mine", None)


def test_a_file_imports_the_application_of_the_current_folder(tmp_path, monkeypatch):
    write(tmp_path, "app_of_mine/models.py", "NAME = 'from the app'")
    path = write(tmp_path, "benchmarks/a.py", f"from app_of_mine.models import NAME\n{ONE}")
    monkeypatch.chdir(tmp_path)
    assert load(path)[0].name == "shop"
    sys.modules.pop("app_of_mine.models", None)
    sys.modules.pop("app_of_mine", None)


def test_files_of_one_name_in_two_folders_do_not_meet(tmp_path):
    one = write(tmp_path / "one", "a.py", ONE)
    other = write(tmp_path / "other", "a.py", ONE.replace("shop", "cart"))
    assert (load(one)[0].name, load(other)[0].name) == ("shop", "cart")


def test_a_file_is_imported_once(tmp_path):
    path = write(tmp_path, "a.py", ONE)
    assert load(path)[0].scenario is load(path)[0].scenario


def test_a_raw_lane_has_three_ways_of_connecting(tmp_path):
    text = ONE.replace("orm(session)", "raw(driver)")
    (loaded,) = load(write(tmp_path, "a.py", text))
    assert loaded.lane_names() == ["raw_held", "raw", "raw_pool"]
    assert len({id(loaded.lane(name)) for name in loaded.lane_names()}) == 1


def test_a_lane_that_is_called_raw_and_takes_no_driver_is_one_lane(tmp_path):
    text = ONE.replace("orm(session)", "raw(connection)")
    assert load(write(tmp_path, "a.py", text))[0].lane_names() == ["raw"]


@pytest.mark.parametrize("name", ["raw_held", "raw_pool"])
def test_the_names_of_those_ways_are_taken(tmp_path, name):
    path = write(tmp_path, "a.py", ONE.replace("orm(session)", f"{name}(driver)"))
    with pytest.raises(UsageError, match=f"lane shop/{name}: the name is kept"):
        load(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "(?i)holds no scenario"),
        ("def broken(:", "does not import: SyntaxError"),
        ("import nothing_of_that_name", "does not import: ModuleNotFoundError: No module named"),
        ("1 / 0", "does not import: ZeroDivisionError: division by zero"),
        ("raise ValueError('one\\ntwo')", "does not import: ValueError: one"),
        (
            "from ormbench.scenario import Scenario\nshop = Scenario()",
            "scenario shop in .* has no lane",
        ),
        (ONE.replace('"""entities"""', "pass"), "lane orm has no docstring"),
    ],
)
def test_a_file_that_does_not_fit_is_told_why_in_one_line_and_each_time(tmp_path, text, words):
    path = write(tmp_path, "a.py", text)
    for _ in range(2):  # a module that half imported must not pass the second time
        with pytest.raises(UsageError, match=words) as caught:
            load(path)
        assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.py does not exist"):
        load(tmp_path / "gone.py")


def test_a_file_of_another_kind_is_named(tmp_path):
    with pytest.raises(UsageError, match="is not a Python file"):
        load(write(tmp_path, "a.toml", "x = 1"))


def test_the_shipped_scenarios_are_there_and_tell_their_story():
    found = shipped()
    assert {"empty", "get_by_id", "find_by_specialty", "update_email", "bulk_create"} <= set(found)
    for name, loaded in found.items():
        assert loaded.name == loaded.scenario.name == name
        assert loaded.story.endswith(".")
        assert all(lane.label for lane in loaded.scenario.lanes.values())
