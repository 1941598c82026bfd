"""A lane that is wrong only while it is timed, through the command: no answer, no times, exit 3."""

import json

import pytest
from command import call, only_run, run, statuses
from wrong_blocks import FOLDER

SHORT = ("--blocks", "1", "--rounds", "25", "--table-rows", "500", "-q", "--json")
UNTRUSTED = 3


def measured(folder, target, server):
    """A run of a right and a wrong lane: its folder, and how it ended."""
    lanes = ("--lane", "right,remembers", "--target", target, "--server", server)
    ended = run("run", FOLDER / "later_reading.py", *lanes, *SHORT, "--out", folder, cwd=folder)
    return only_run(folder), ended


@pytest.fixture(scope="module")
def postgresql_run(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("postgresql"), "asyncpg", "embedded")


def test_the_command_ends_untrusted_and_names_the_counter_and_the_lane_beside_is_ok(postgresql_run):
    _, ended = postgresql_run
    found = statuses(ended.out)
    status, reason = found["looking/remembers"]
    assert (ended.code, status, found["looking/right"]) == (UNTRUSTED, "INCORRECT", ("OK", ""))
    assert " transactions, its count pass promises " in reason
    assert json.loads(ended.out)["answer"] == []


def test_the_terminal_says_incorrect_names_the_counter_and_shows_no_times(capsys, postgresql_run):
    path, _ = postgresql_run
    told = call(capsys, "report", path)
    words = " ".join(told.out.split())
    assert told.code == UNTRUSTED
    assert "no answer: " in words
    assert "INCORRECT: the server counted" in words
    assert " transactions, its count pass promises " in words
    assert "op/s" not in words


def test_the_page_for_a_pull_request_gives_no_answer(postgresql_run):
    path, _ = postgresql_run
    page = (path / "report.md").read_text()
    assert page.startswith("### No answer: this run is not evidence")
    assert " transactions, its count pass promises " in page
    assert "**No times are shown.**" in page


@pytest.mark.servers
@pytest.mark.usefixtures("mariadb_server")  # without one it skips, or fails
def test_on_mariadb_the_command_names_its_counter(tmp_path):
    _, ended = measured(tmp_path, "mariadb+asyncmy", "auto")
    status, reason = statuses(ended.out)["looking/remembers"]
    assert (ended.code, status) == (UNTRUSTED, "INCORRECT")
    assert " Questions, its count pass promises " in reason or " Com_select, " in reason
