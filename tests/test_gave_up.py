"""A pool that times out is fast at giving up: no rendering may show that as its speed."""

from dataclasses import replace

import pool_runs
import pytest
from pool_runs import cell_id, digested

from ormbench.report import charts, markdown, terminal
from ormbench.report.comparison_words import difference, short_ratio
from ormbench.report.findings import Ladder, Rung
from ormbench.report.focus import contender
from ormbench.report.questions import is_reference
from ormbench.report.terminal_table import _short
from ormbench.report.wrong_data import sound_ladders

FAILS = cell_id("5+0", 64)


@pytest.fixture(scope="module")
def found():
    """5+0 at 64 clients ends four operations of five without a connection, and that at once."""
    return digested(
        ("20+0", "5+0"), (64,), lanes=("orm", "core"), failing={FAILS: 0.8}, faster={FAILS: 9.0}
    )


def failing(findings):
    (one,) = (one for one in findings.cells if one.cell.id == FAILS)
    return one


def test_throughput_is_that_of_the_operations_that_succeed(found):
    one = failing(found)
    assert one.throughput == one.goodput
    assert one.throughput.value < 9 * pool_runs.rate("5+0", 64) * 0.25


def test_its_times_stand_in_no_chart_of_times():
    orm = cell_id("5+0", 64, "orm")
    found = digested(("20+0", "5+0"), (64,), lanes=("orm", "core"), failing={orm: 0.8})
    drawn = {one.name: one for one in charts.draw_all(found)}
    assert "orm pool=5+0" not in drawn["service_times"].title


def test_it_stands_on_no_ladder(found):
    rungs = [Rung("core", one.cell, one.service, 1.0, decided=True) for one in found.cells]
    known = [Ladder("pool_pressure", pool_runs.ASYNCPG, (rung,)) for rung in rungs]
    kept = {one.rungs[0].cell.id for one in sound_ladders(known, found.cells)}
    assert FAILS not in kept
    assert len(kept) == len(found.cells) - 1


def test_the_terminal_says_what_fails_in_place_of_a_time():
    alone = digested(("20+0", "5+0"), (64,), failing={FAILS: 0.8}, faster={FAILS: 9.0})
    (line,) = (one for one in terminal.render(alone, 80).splitlines() if "5+0 " in one[:30])
    assert line.endswith("-  800 of 1,000 operations fail")


def test_markdown_says_beside_its_time_what_fails(found):
    rows = [one for one in markdown.render(found).splitlines() if "`core pool=5+0" in one]
    assert rows
    assert all("; 800 of 1,000 operations fail" in one for one in rows if " ms [" in one)


def test_a_comparison_with_it_has_no_interval_that_could_be_read_as_a_difference(found):
    with_it = [one for one in found.comparisons if FAILS in (one.candidate.id, one.reference.id)]
    with_it = [one for one in with_it if one.kind != "aa"]
    assert with_it
    for one in with_it:
        assert one.verdict == "cannot tell"
        assert short_ratio(one) == "cannot tell (operations failed)"
        assert difference(one) == "cannot tell (operations failed)"


def test_the_forest_counts_the_blocks_of_the_others(found):
    drawn = {one.name: one for one in charts.draw_all(found)}
    assert "over 8 blocks" in drawn["forest"].note


def test_the_answer_speaks_of_what_does_all_its_operations(found):
    kept = [one for one in found.comparisons if one.kind != "aa" and one.candidate.lane == "core"]
    gave_up = [one for one in kept if not one.ratio.blocks]
    (timed,) = (
        replace(one, candidate=replace(one.candidate, lane="orm"))
        for one in found.comparisons
        if one.kind == "aa"
    )
    first = [replace(one, candidate=replace(one.candidate, lane="orm")) for one in gave_up]
    assert first
    assert contender([*first, timed]) == timed


def test_the_empty_operation_is_no_reference_of_pools():
    found = digested((None, "5+0"), (64,))
    nothing = [one.cell for one in found.cells if one.cell.target == "none"]
    assert not any(is_reference(found, one) for one in nothing)


def test_a_long_name_keeps_the_end_that_tells_levels_apart():
    names = [f"core_atomic isolation={one}" for one in ("repeatable-read", "read-committed")]
    assert len({_short(one, 24) for one in names}) == 2
    assert all(len(_short(one, 24)) <= 24 for one in names)
    assert _short("orm pool=2+0:timeout=0.05", 24) == "orm 2+0:timeout=0.05"
