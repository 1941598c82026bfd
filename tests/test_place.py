"""Where runs lie: a folder for each, and words that find it again."""

import os
from datetime import UTC, datetime

import pytest

from ormbench.errors import UsageError
from ormbench.results.folder import MANIFEST
from ormbench.results.place import find, new_folder

WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def a_run(parent, plan="quick", second=7):
    folder = new_folder(parent, plan, WHEN.replace(second=second))
    (folder / MANIFEST).write_text("{}")
    return folder


def test_a_run_is_named_by_its_start_and_its_plan(tmp_path):
    folder = new_folder(tmp_path / "deep" / "local", "quick", WHEN)
    assert folder == tmp_path / "deep" / "local" / "2026-03-04-050607-quick"
    assert list(folder.iterdir()) == []


def test_two_runs_of_one_second_do_not_share_a_folder(tmp_path):
    names = [new_folder(tmp_path, "quick", WHEN).name for _ in range(3)]
    stem = "2026-03-04-050607-quick"
    assert names == [stem, f"{stem}-2", f"{stem}-3"]


@pytest.mark.parametrize(
    ("plan", "name"),
    [
        ("../../etc", "etc"),
        ("my plan/x", "my-plan-x"),
        ("größe", "gr-e"),
        ("", "run"),
        ("..", "run"),
        ("a\nb", "a-b"),
    ],
)
def test_a_plan_of_any_name_makes_one_folder_right_there(tmp_path, plan, name):
    assert new_folder(tmp_path, plan, WHEN) == tmp_path / f"2026-03-04-050607-{name}"


@pytest.mark.parametrize("below", [".", "deeper"])
def test_a_results_folder_that_is_a_file_is_named(tmp_path, below):
    (tmp_path / "results").write_text("not a folder")
    with pytest.raises(UsageError, match="results") as caught:
        new_folder(tmp_path / "results" / below, "quick", WHEN)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "results").read_text() == "not a folder"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_results_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be written: Permission denied"):
        new_folder(tmp_path, "quick", WHEN)


def test_last_is_the_latest_run_and_a_tilde_goes_back(tmp_path):
    first, second, third = (a_run(tmp_path, second=second) for second in (7, 8, 9))
    assert find("last", tmp_path) == third
    assert find("last~0", tmp_path) == third
    assert find("last~1", tmp_path) == second
    assert find("last~2", tmp_path) == first


def test_what_holds_no_manifest_is_not_the_last_run(tmp_path):
    run = a_run(tmp_path)
    new_folder(tmp_path, "quick", WHEN.replace(second=50))
    assert find("last", tmp_path) == run


def test_a_run_is_found_by_its_folder_and_by_its_name(tmp_path):
    run = a_run(tmp_path)
    assert find(str(run), tmp_path / "elsewhere") == run
    assert find(run.name, tmp_path) == run


@pytest.mark.parametrize("word", ["last", "last~7", "nothing-of-that-name", "last~x", ""])
def test_what_is_not_there_is_said_in_one_line(tmp_path, word, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="no run ") as caught:
        find(word, tmp_path / "local")
    assert "\n" not in str(caught.value)


def test_going_back_too_far_says_how_many_there_are(tmp_path):
    a_run(tmp_path)
    with pytest.raises(UsageError, match=r"no run 'last~1': .* holds 1"):
        find("last~1", tmp_path)
