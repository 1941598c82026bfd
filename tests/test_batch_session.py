"""What a Session costs at its best and by itself: in the answer, the chart and the terminal."""

import re
from dataclasses import replace

import pytest
from batch_runs import AIOMYSQL, ASYNCPG, cell_id, digested, grids_of
from charted_grids import gridded

from ormbench.report.batch_panels import lines, named_crossings
from ormbench.report.batch_receives import has_session, receives
from ormbench.report.batch_session import session_of
from ormbench.report.batches import Crossing
from ormbench.report.terminal import render
from ormbench.report.terminal_rows import rows_shown

LANES = ("core", *(f"way_{number}" for number in range(8)), "add_all", "orm_insert", "copy", "raw")
SESSION = "@scenario.lane(needs=('x',))\nasync def name(session: AsyncSession, rows) -> None:\n ..."
DRIVER = "@scenario.lane\nasync def name(driver: Any, rows) -> None:\n ..."
CORE = "@scenario.lane\nasync def name(connection: AsyncConnection, rows) -> None:\n ..."
SOURCES = {"core": CORE, "add_all": SESSION, "orm_insert": SESSION, "copy": DRIVER}


@pytest.fixture(scope="module")
def run():
    """Thirteen strategies on two products; of two it is known that they are given a Session."""
    return digested(LANES, targets=(ASYNCPG, AIOMYSQL), sources=SOURCES)


def first(findings):
    return grids_of(findings)[0]


def test_what_a_lane_is_given_is_read_from_its_source_on_many_lines_or_one():
    assert receives(SESSION) == receives(SESSION.replace("\n", " ")) == "session"
    assert receives(DRIVER) == "driver"
    assert receives("async def nothing() -> None: ...") == receives("pass") == ""
    assert has_session("async def one(sessions, rows): ...")
    assert not has_session(CORE)


def test_the_best_of_a_session_is_known_by_what_it_is_given_and_not_by_its_name(run):
    assert session_of(first(run)) == "orm_insert"
    other = digested(LANES, sources={**SOURCES, "orm_insert": DRIVER, "way_3": SESSION})
    assert session_of(first(other)) == "way_3"
    assert session_of(first(digested(LANES, sources={"add_all": CORE}))) == ""


def test_where_the_reference_itself_is_given_a_session_none_is_set_apart():
    assert session_of(first(digested(LANES, sources={**SOURCES, "core": SESSION}))) == ""


def test_of_nearly_equal_ones_that_with_more_numbers_of_rows_is_taken():
    gone = {cell_id("way_1", batch): ("SKIPPED", "slow") for batch in (1, 10)}
    like = {cell_id("way_1", 1_000): 11_845 * 0.98 / 20_300}
    sources = {**SOURCES, "way_1": SESSION}
    assert session_of(first(digested(LANES, sources=sources, slower=like, status=gone))) == (
        "orm_insert"
    )
    assert session_of(first(digested(LANES, sources=sources, slower=like))) == "way_1"


def test_the_answer_says_where_and_what_a_session_costs_at_its_best_and_by_itself(run):
    assert re.match(
        r"On PostgreSQL, asyncpg, with a Session and 1,000 rows, orm_insert takes 1\.1\d+x as long "
        r"as core \[1\.1\d+, 1\.1\d+\], add_all 4\.\d+x \[4\.\d+, 4\.\d+\] and sends the same 3 ",
        run.answer[-1],
    )


def test_the_best_of_a_session_is_a_named_line_of_the_chart(run):
    roles = {one.role: one.strategy.lane for one in lines(first(run)) if one.role}
    assert roles["session"] == "orm_insert"
    assert roles["usual"] == "add_all"


def test_the_best_of_a_session_has_a_row_of_the_terminals_table(run):
    names = [one.cell.lane for one in rows_shown(run, 5).cells]
    assert {"core", "orm_insert", "add_all", "copy"} <= set(names)
    shown = render(run, plain=True)
    assert re.search(r"^ orm_insert +3?\d+\.\d ms ", shown, re.MULTILINE)


def test_raw_is_explained_once():
    """raw is the fastest throughout on either product."""
    factors = {
        cell_id("raw", batch, target): 0.1
        for batch in (1, 10, 100, 1_000)
        for target in (ASYNCPG, AIOMYSQL)
    }
    found = digested(("core", "raw"), targets=(ASYNCPG, AIOMYSQL), slower=factors)
    assert "raw (driver alone), " in found.answer[0]
    assert [one.count("(driver alone)") for one in found.answer] == [1, 0]
    shown = render(found, plain=True)
    assert shown.count("raw (driver alone)") == 1
    assert "(driver alone)" not in found.headline


def test_only_crossings_of_the_reference_a_session_or_the_fastest_are_named():
    lanes = ("core", "add_all", "core_values", "text")
    grid = grids_of(gridded(lanes=lanes, batches=(1, 10, 100)))[0]
    shown = lines(grid)
    asked = Crossing("core", "add_all", 1, 10, 3.0)
    idle = Crossing("add_all", "core_values", 10, 100, 20.0)
    assert named_crossings(replace(grid, crossings=(asked, idle)), shown) == (asked,)
