"""What is said of strategies and rows an operation: title, answer, card, tables, caption."""

import re
from dataclasses import replace

import batch_runs
import pytest
from batch_runs import AIOMYSQL, ASYNCPG, PSYCOPG, cell_id, digested, grids_of, left, point
from fabricate import fabricate
from sample_findings import sample

from ormbench.report import html, markdown, terminal
from ormbench.report.batch_note import note
from ormbench.report.batch_phases import phases, rows_text
from ormbench.report.batch_session import table_batch, usual_of
from ormbench.report.batch_table import NOT_ASKED, batch_tables, rate_of
from ormbench.report.batch_words import QUESTIONS, with_most_rows
from ormbench.report.digest import digest
from ormbench.report.drawing import Drawing

MANY = tuple(f"way_{number}" for number in range(16))
LEAST = re.compile(r"2\.1\d*x the rows per second of core \[2\.0\d+, 2\.1\d+\]")


@pytest.fixture(scope="module")
def usual():
    """Nothing beats core up to 100 rows; copy does with 1,000."""
    return digested(targets=(ASYNCPG, AIOMYSQL), trips={cell_id("add_all", 1_000, AIOMYSQL): 1_002})


@pytest.fixture(scope="module")
def crowded():
    """Twenty strategies, five numbers of rows, two products, and what cannot run."""
    return digested(
        (*batch_runs.LANES, *MANY),
        (1, 10, 100, 1_000, 10_000),
        targets=(ASYNCPG, AIOMYSQL),
        status={
            cell_id("add_all", 10_000): ("SKIPPED", "an operation would take 40 s"),
            cell_id("way_3", 100): ("ERROR", "DataError: a | of its own"),
        },
        left_out=[
            left("load_data", batch, "UNSUPPORTED: asyncpg has no LOAD DATA")
            for batch in (1, 10, 100, 1_000, 10_000)
        ],
    )


def first_grid(findings):
    return grids_of(findings)[0]


def card(findings):
    return next(one for one in findings.cards if one.question in QUESTIONS)


def row(table, lane):
    return next(one for one in table.rows if one.lane == lane)


# Headline and answer


def test_a_driver_with_which_the_best_of_its_server_was_not_run_has_none_with_the_most_rows():
    asyncpg, psycopg = grids_of(digested(targets=(ASYNCPG, PSYCOPG)))
    assert with_most_rows([asyncpg, psycopg]) == "with the most rows copy on asyncpg, psycopg"
    without = tuple(one for one in psycopg.strategies if one.lane != "copy")
    tiers = tuple(replace(one, fastest="core", equals=("core",)) for one in psycopg.tiers)
    few = replace(psycopg, strategies=without, tiers=tiers)
    assert with_most_rows([asyncpg, few]) == "with the most rows copy on asyncpg"
    neither = tuple(one for one in asyncpg.strategies if one.lane != "core")
    assert with_most_rows([replace(asyncpg, strategies=neither), few]) == ""


def test_of_a_tie_one_that_was_run_is_enough():
    lanes, targets = ("core", "orm_insert", "add_all"), (ASYNCPG, PSYCOPG)
    alike = {
        cell_id("orm_insert", batch, target): batch_runs.nanoseconds("core", batch)
        / batch_runs.nanoseconds("orm_insert", batch)
        for batch in batch_runs.BATCHES
        for target in targets
    }
    asyncpg, psycopg = grids_of(digested(lanes, targets=targets, slower=alike))
    assert set(phases(asyncpg)[-1].lanes) == {"core", "orm_insert"}
    without = tuple(one for one in psycopg.strategies if one.lane != "orm_insert")
    tiers = tuple(replace(one, fastest="core", equals=("core",)) for one in psycopg.tiers)
    few = replace(psycopg, strategies=without, tiers=tiers)
    assert with_most_rows([asyncpg, few]) == "with the most rows core on asyncpg, psycopg"


def test_the_title_says_from_how_many_rows_on_which_strategy(usual):
    assert usual.headline.startswith(
        "insert_rows on PostgreSQL, asyncpg: up to 100 rows nothing beats core; "
        "from 1,000 rows copy, 2.1"
    )
    assert usual.headline.endswith("x the rows per second of core")


def test_the_answer_has_a_sentence_a_product_with_intervals_and_compares_none(usual):
    first, second, *_ = usual.answer
    assert first.startswith("PostgreSQL, asyncpg: up to 100 rows nothing beats core; from 1,000")
    assert second.startswith("MySQL, aiomysql: up to 100 rows nothing beats core; from 1,000")
    assert LEAST.search(first)
    assert LEAST.search(second)
    assert "MySQL" not in first
    assert "PostgreSQL" not in second


def test_what_a_session_does_by_itself_is_said_with_its_round_trips(usual):
    last = usual.answer[-1]
    takes = r"On PostgreSQL, asyncpg, add_all takes 4\.\d+x as long as core with 1,000 rows "
    assert re.match(rf"{takes}\[4\.\d+, ", last)
    assert last.endswith("and sends the same 3 round trips; on MySQL it sends 1,002.")


def test_different_round_trips_are_both_told_and_uncounted_ones_are_not():
    more = digested(trips={cell_id("add_all", 1_000): 4})
    assert more.answer[-1].endswith("and sends 4 round trips, core 3.")
    assert digested(counted=False).answer[-1].endswith("].")


def test_a_phase_names_what_stays_among_the_fastest_and_where_its_number_is_from():
    found = digested(("core", "copy", "orm_insert"), (1, 1_000, 10_000))
    assert [one.batches for one in phases(first_grid(found))] == [(1,), (1_000, 10_000)]
    assert "with 1 row nothing beats core; from 1,000 rows copy, 2.4" in found.headline
    assert found.headline.endswith("of core at 10,000")


def test_a_gain_is_quoted_with_the_most_rows_with_which_it_is_decided():
    """With 1,000 rows copy takes as long as core, with 100 half as long."""
    factors = {cell_id("copy", 100): 0.5, cell_id("copy", 1_000): 10_300 / 4_900}
    found = digested(("core", "copy", "orm_insert"), (1, 100, 1_000), slower=factors)
    assert [one.batches for one in phases(first_grid(found))] == [(1,), (100, 1_000)]
    ratio = point(found, "copy", 1_000).ratio
    assert ratio.low < 1 < ratio.high
    gain = r"from 100 rows copy, (2\.0\d*|1\.9\d*)x the rows per second of core"
    assert re.search(rf"{gain} at 100$", found.headline)
    assert re.search(rf"{gain} \[[12]\.\d+, 2\.\d+\] at 100\.$", found.answer[0])


def test_equally_fast_strategies_are_named_together():
    alike = {cell_id("orm_insert", 1_000): 4_900 / 11_845}
    assert "from 1,000 rows copy or orm_insert, " in digested(slower=alike).headline.replace(
        "orm_insert or copy", "copy or orm_insert"
    )


def test_nothing_beats_is_said_only_where_the_intervals_leave_nothing_that_might():
    lanes = ("core", "orm_insert", "add_all")
    assert "nothing beats core" in digested(lanes).headline
    assert "nothing decidedly beats core" in digested(lanes, noise=0.15).headline


def test_where_nothing_is_decided_the_run_cannot_tell():
    found = digested(("core", "orm_insert"), noise=0.5)
    told = "PostgreSQL, asyncpg: this run cannot tell the strategies apart"
    assert found.headline == f"insert_rows on {told}"
    assert found.answer == (f"{told}.",)


def test_a_run_of_one_number_of_rows_is_told_as_any_other():
    found = digested(batches=(100,))
    assert found.headline.startswith("add_all takes 3.7")
    assert not any(one.question in QUESTIONS for one in found.cards)


def test_rows_have_thousands_set_off():
    assert (rows_text(1), rows_text(10_000)) == ("1 row", "10,000 rows")


# Cards


def test_the_card_stands_first_and_takes_the_place_of_one_that_was_not_measured(usual):
    assert len(usual.cards) == 5
    first = usual.cards[0]
    assert first.question == "WHICH INSERT?"
    assert first.measured
    assert first.verdict.startswith("From 1,000 rows copy, 2.1")
    assert first.detail == "up to 100 rows nothing beats core; for insert_rows on asyncpg"
    ((product, says),) = first.others
    assert product == "MySQL"
    assert says.startswith("aiomysql: up to 100 rows nothing beats core; from 1,000 rows copy")


def test_the_question_is_that_of_the_scenario():
    assert card(digested(scenario="update_rows")).question == "WHICH UPDATE?"
    assert card(digested(scenario="my_own")).question == "WHICH STRATEGY?"


# Ladders and what was not varied


def test_strategies_are_no_rungs_of_a_ladder():
    lanes = ("core", "raw", "raw_held")
    assert digested(lanes).ladders == ()
    plain = fabricate(scenarios=("get_by_id",), lanes=lanes, histograms=False)
    assert digest(plain, "x").ladders != ()


def test_the_run_does_not_speak_of_other_numbers_of_rows(usual):
    assert "other numbers of rows an operation than 1, 10, 100, 1,000" in usual.does_not_say


# The terminal


@pytest.mark.parametrize("plain", [True, False])
def test_twenty_strategies_stay_inside_the_block(crowded, plain):
    lines = terminal.render(crowded, plain=plain).splitlines()
    assert len(lines) <= 24
    assert max(len(line) for line in lines) <= 80


def test_the_table_shows_one_number_of_rows_and_names_it(crowded):
    assert table_batch(first_grid(crowded)) == 1_000
    lines = terminal.render(crowded, plain=False).splitlines()
    (head,) = [place for place, line in enumerate(lines) if line.startswith(" 1,000 rows ")]
    names = [line.split()[0] for line in lines[head + 1 : head + 7]]
    assert {"core", "copy", "add_all"} <= set(names)
    assert "batch=" not in "\n".join(lines)
    assert " 96 more cells: see the report" in lines


def test_the_answer_has_more_lines_than_others(usual):
    text = terminal.render(usual, plain=False)
    answer = text[text.index(" ANSWER ") : text.index(" 1,000 rows   per op")].rstrip().splitlines()
    assert len(answer) == 7
    assert answer[-1].endswith("1,002.")


def test_the_full_text_has_every_number_and_the_reasons_below(crowded):
    text = terminal.render(crowded, full=True)
    assert (
        "insert_rows, asyncpg: rows per second; time vs core; round trips of one operation" in text
    )
    assert "load_data 1 row to 10,000 rows  UNSUPPORTED: asyncpg has no LOAD DATA" in text
    assert re.search(r"copy +[\d,]+/s  2\.9\d+x \[[\d., ]+\]  3  ", text)


# Tables


def test_the_table_has_a_row_a_strategy_and_a_column_a_number_of_rows(usual):
    first, second = batch_tables(usual)
    assert first.batches == ("1 row", "10 rows", "100 rows", "1,000 rows")
    assert [one.lane for one in first.rows] == list(batch_runs.LANES)
    assert row(first, "core").cells[3].ratio.text == "reference"
    copy = row(first, "copy").cells[3]
    assert copy.ratio.verdict == "faster"
    assert copy.ratio.text.startswith("0.47")
    assert copy.trips == "3"
    assert float(copy.rate.replace(",", "")) == pytest.approx(204_000, rel=0.03)
    assert second.says.startswith("Up to 100 rows nothing beats core; from 1,000 rows copy")


def test_a_reason_stands_once_over_all_columns_that_it_is_for(crowded):
    first = batch_tables(crowded)[0]
    (cell,) = row(first, "load_data").cells
    assert (cell.missing, cell.span) == ("UNSUPPORTED: asyncpg has no LOAD DATA", 5)
    assert row(first, "add_all").cells[-1].missing == "SKIPPED: an operation would take 40 s"


def test_what_nobody_asked_for_says_so():
    found = digested(left_out=(left("load_data", 10, "UNSUPPORTED: none"),))
    texts = [one.missing for one in row(batch_tables(found)[0], "load_data").cells]
    assert texts == [NOT_ASKED, "UNSUPPORTED: none", NOT_ASKED]


def test_rates_have_three_digits():
    assert [rate_of(one) for one in (203_776.2, 3_233.8, 85.21)] == ["204,000", "3,230", "85.2"]


def test_the_comment_has_the_ratios_on_top_and_all_numbers_folded_away(crowded):
    text = markdown.render(crowded)
    top, _, folded = text.partition("<details>")
    assert len(text) <= markdown.LIMIT
    assert "| strategy | 1 row | 10 rows | 100 rows | 1,000 rows | 10,000 rows |" in top
    assert re.search(r"\| `copy` \| ▲ 2\.9\d+x \[[\d., ]+\] \|", top)
    assert "trips 3" not in top
    assert "Rows per second of each strategy" in folded
    assert re.search(r"\| `copy` \| [\d,]+/s, ▲ 2\.9\d+x \[[\d., ]+\], trips 3 \|", folded)
    assert "DataError: a \\| of its own" in folded


def test_the_page_has_the_tables_under_the_chart(usual):
    chart = Drawing("batches", "title", "note", "<svg></svg>", "<svg></svg>", "", "", b"")
    text = html.render(usual, (chart,))
    section = text[text.index('<div id="charts">') : text.index('<section id="cells">')]
    assert section.count('<table class="strategies">') == 2
    assert section.count("<details><summary>insert_rows, MySQL aiomysql") == 1
    assert "rows per second" not in html.render(usual, ()).partition('<section id="cells">')[2]


def test_the_chart_of_strategies_stands_before_all_others_where_the_answer_is_about_it(usual):
    charts = [Drawing(name, name, "", "", "", "", "", b"") for name in ("forest", "batches")]
    text = html.render(usual, charts)
    assert text.index("<h2>batches</h2>") < text.index("<h2>forest</h2>")
    text = html.render(sample(), charts[::-1])
    assert text.index("<h2>forest</h2>") < text.index("<h2>batches</h2>")


# The caption


def test_the_caption_says_what_the_rows_per_second_rest_on_and_what_is_missing(crowded):
    text = note(crowded, grids_of(crowded), 1)
    assert text.startswith(batch_runs.STORY)
    assert "Rows per second: those of core as measured, others by their ratio to it." in text
    assert "99 % intervals over 8 blocks" in text
    assert "Gaps: add_all (asyncpg, 10,000 rows): SKIPPED: an operation would take 40 s" in text
    assert "; 1 more: see the tables." in text
    assert "load_data" not in text  # it has no line
    assert len(text.split()) <= 80
    assert text.endswith("1 of 2 grids drawn; the tables have all.")


def test_the_lane_of_a_session_is_known_by_its_name(usual):
    assert usual_of(first_grid(usual)) == "add_all"
    assert usual_of(first_grid(digested(("core", "copy")))) == ""
