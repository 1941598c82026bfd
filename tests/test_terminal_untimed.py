"""Cells that ended without a time: the terminal says why, in a line for those that ended alike."""

from dataclasses import replace

import pytest
from batch_runs import AIOMYSQL, ASYNCPG, cell_id, digested
from sample_findings import sample

from ormbench.report.terminal import render
from ormbench.report.terminal_untimed import LINES, untimed

MARIADB = "mariadb+aiomysql"
NO_BYTES = "TypeError: Argument 'filename' has incorrect type (expected str, got bytes)"
LIMIT = "this plan takes operations up to 2 s"


def predicted(seconds):
    why = f"{seconds} s an operation: 0.23 s at 10 rows, and 100 are 10 times as many"
    return "SKIPPED", f"predicted {why}; {LIMIT}"


@pytest.fixture(scope="module")
def found():
    """With 1,000 rows, which the table shows, all is well; with 1 and 100 not."""
    return digested(
        targets=(ASYNCPG, AIOMYSQL, MARIADB),
        status={
            cell_id("add_all", 100): predicted("2.3"),
            cell_id("orm_insert", 100): predicted("9.9"),
            cell_id("add_all", 100, AIOMYSQL): predicted("31"),
            cell_id("copy", 1, AIOMYSQL): ("ERROR", NO_BYTES),
            cell_id("copy", 1, MARIADB): ("ERROR", NO_BYTES),
            cell_id("copy", 1): ("TIMEOUT", "no answer in 60 s"),
        },
    )


def ends(findings, width=80, most=LINES):
    return list(untimed(findings, (), width, most))


def test_cells_skipped_for_their_time_share_a_line_with_the_span_of_it(found):
    (line,) = (one for one in ends(found, 120) if one.startswith(" SKIPPED "))
    names = "100 rows (add_all, orm_insert, add_all MySQL aiomysql)"
    assert line == f" SKIPPED {names}: predicted 2.3 to 31 s an operation"


def test_names_that_have_no_room_are_counted(found):
    (line,) = (one for one in ends(found) if one.startswith(" SKIPPED "))
    assert line == (" SKIPPED 100 rows (add_all and 2 more): predicted 2.3 to 31 s an operation")


def test_the_words_of_a_driver_stand_behind_what_they_are_about(found):
    (line,) = (one for one in ends(found) if one.startswith(" ERROR "))
    assert line.startswith(" ERROR   copy aiomysql 1 row (2 cells): TypeError: Argument 'file")
    assert line.endswith("...")
    assert len(line) <= 80
    (whole,) = (one for one in ends(found, 130) if one.startswith(" ERROR "))
    assert whole == f" ERROR   copy aiomysql 1 row (MySQL, MariaDB): {NO_BYTES}"


def test_one_cell_goes_by_its_whole_name(found):
    assert " TIMEOUT copy 1 row: no answer in 60 s" in ends(found)


def test_each_end_stands_in_the_block_between_the_table_and_trust(found):
    lines = render(found, plain=True).splitlines()
    places = [
        next(place for place, line in enumerate(lines) if line.startswith(label))
        for label in (" 1,000 rows ", " SKIPPED ", " ERROR ", " TIMEOUT ", " TRUST ")
    ]
    assert places == sorted(places)


def test_a_first_operation_that_was_too_slow_says_so():
    reason = f"its first operation took 20 s; {LIMIT}"
    slow = digested(status={cell_id("add_all", 10): ("SKIPPED", reason)})
    assert ends(slow) == [" SKIPPED add_all 10 rows: its first operation took 20 s"]


def test_what_the_table_shows_is_not_said_twice():
    findings = sample()
    here = next(one for one in findings.cells if one.cell.lane == "orm")
    failed = replace(here, status="ERROR", reason="Boom: no", service=None)
    cells = tuple(failed if one is here else one for one in findings.cells)
    text = render(replace(findings, cells=cells), plain=True)
    assert text.count("Boom: no") == 1
    assert text[: text.index("Boom")].splitlines()[-1].startswith(" orm ")


def test_a_cell_of_another_scenario_is_named_with_it():
    findings = sample()
    other = next(one for one in findings.cells if one.cell.scenario != findings.focus)
    failed = replace(other, status="ERROR", reason="Boom: no", service=None)
    assert f" ERROR   {other.cell.scenario} {other.cell.lane}: Boom: no" in ends(
        replace(findings, cells=(failed,))
    )


@pytest.mark.parametrize(
    ("usable", "more"), [(True, "8 more cells"), (False, "7 more cells")], ids=["usable", "not"]
)
def test_more_ends_than_lines_are_counted_and_the_block_keeps_its_height(found, usable, more):
    words = ("one", "two", "three", "four", "five", "six", "seven")
    cells = [one for one in found.cells if one.cell.batch == 10][: len(words)]
    reasons = {one.cell: f"Failure: {word}" for one, word in zip(cells, words, strict=True)}
    broken = tuple(
        replace(one, status="ERROR", reason=reasons[one.cell], service=None)
        if one.cell in reasons
        else one
        for one in found.cells
    )
    trust = replace(found.trust, usable=usable, cause="" if usable else "it drifts")
    lines = render(replace(found, cells=broken, trust=trust), plain=True).splitlines()
    assert len(lines) <= 24
    (counted,) = (one for one in lines if " without a time (" in one)
    assert counted.startswith(f" {more} without")  # a table without times shows one of them
    assert counted.endswith("): see the report")
    assert sum(one.startswith((" SKIPPED ", " ERROR ", " TIMEOUT ")) for one in lines) == LINES - 1


def test_where_there_is_room_for_one_line_it_counts_them_all(found):
    assert ends(found, most=1) == [
        " 6 cells without a time (SKIPPED, ERROR, TIMEOUT): see the report"
    ]


def test_a_run_in_which_all_cells_have_times_has_no_such_line():
    assert ends(digested()) == []


def test_ends_give_way_to_an_answer_that_takes_the_room_and_are_counted_still():
    findings = sample()
    here = next(one for one in findings.cells if one.cell.scenario == findings.focus)
    names = [replace(here.cell, lane=f"way_{number}") for number in range(12)]
    lanes = tuple(replace(here, cell=cell) for cell in names)
    elsewhere = [replace(cell, scenario="another") for cell in names[:3]]
    failed = tuple(
        replace(here, cell=cell, status="ERROR", reason=f"{word}: no", service=None)
        for cell, word in zip(elsewhere, ("Boom", "Bang", "Crash"), strict=True)
    )
    long = "the answer is as long as it takes to say it all, " * 9
    full = replace(findings, cells=(*findings.cells, *lanes, *failed), answer=(long,))
    lines = render(full, plain=True).splitlines()
    assert len(lines) <= 24
    assert any("cells without a time (" in one and "ERROR" in one for one in lines)
