"""The chart of pools, its tables, and what the page, the comment and the terminal make of it."""

import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from drawn_charts import (
    contrast,
    is_filed,
    not_the_pages_own,
    painted,
    rgb,
    shown_words,
    sketched,
    words,
)
from drawn_charts import drawn as drawn_of
from matplotlib.figure import Figure
from pool_runs import CLIENTS, STORY, cell_id, digested, entry, left, maps_of, swept

from ormbench.cli import main
from ormbench.report.chart_pools import (
    LIMIT,
    marks_of,
    ms_text,
    sketch,
    stair,
)
from ormbench.report.chart_sheet import DARK, LIGHT, NARROW, WIDE, Sheet
from ormbench.report.html import render as page_of
from ormbench.report.markdown import render as comment_of
from ormbench.report.pool_legend import SHADES, shade
from ormbench.report.pool_rows import label, stairs
from ormbench.report.pool_table import pool_tables
from ormbench.report.table import render as csv_of
from ormbench.report.terminal import render as terminal_of
from ormbench.results.folder import RunWriter

TOO_MANY = "64 clients need more connections than the server's 400"


@pytest.fixture(scope="module")
def usual():
    """Seven pools with 1 to 64 clients, one that times out, and one that the server cannot hold."""
    return digested(failing={cell_id("5+0", 64): 0.12}, left_out=(left("200+200", 64, TOO_MANY),))


@pytest.fixture(scope="module")
def chart(usual):
    return drawn_of(usual, "pools")


@pytest.fixture(scope="module")
def without():
    """The same run, had it swept nothing."""
    return digested(words=(None,), clients=(4,), waits=False)


def drawn(findings):
    return drawn_of(findings, "pools")


def sized(svg):
    """(width, height) in points, and where each text starts, in points from the left."""
    root = ET.fromstring(svg)
    return [float(one) for one in root.get("viewBox").split()[2:]]


def test_the_title_is_the_answer(chart, usual):
    assert (
        chart.title
        == usual.headline
        == ("64 clients: smallest pool within 5 % of the best is 20+0")
    )


def test_both_widths_have_all_numbers_marks_pools_and_clients(chart, usual):
    for svg in (chart.wide, chart.narrow):
        shown = words(svg)
        for needed in ("S", "S C", "W", "S F", "goodput, % of the best for as many clients"):
            assert needed in shown
        for needed in ("5+10 = 15", "fitted = clients", "nullpool", "clients = size", "left out"):
            assert needed in shown
        assert shown.count("64") >= 2
        assert "checkout wait, ms (p99 where not said)" in shown
        assert shown.count("100") >= 15
    measured = [one for one in maps_of(usual)[0].entries if one.found]
    assert len(measured) == 7 * len(CLIENTS)


def test_the_narrow_form_has_its_second_panel_below(chart):
    wide, narrow = sized(chart.wide), sized(chart.narrow)
    assert wide[0] == pytest.approx(72 * WIDE)
    assert narrow[0] == pytest.approx(72 * NARROW)
    assert narrow[1] > 1.5 * wide[1]


def test_ids_and_colours_are_the_pages_own(chart):
    assert not_the_pages_own(chart) == []
    assert is_filed(chart)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("fill", "opacity"), [*(("accent", one) for _, one in SHADES), ("band", 0.15), ("band", 0.85)]
)
def test_numbers_can_be_read_on_every_fill(palette, fill, opacity):
    over = zip(rgb(getattr(palette, fill)), rgb(palette.surface), strict=True)
    ground = [opacity * one + (1 - opacity) * other for one, other in over]
    assert contrast(rgb(palette.ink), ground) >= 4.5


def test_a_higher_share_is_never_paler():
    shares = [0.0, 0.2, 0.49, 0.5, 0.79, 0.8, 0.94, 0.95, 1.0, 1.003]
    assert [shade(one) for one in shares] == sorted(shade(one) for one in shares)


def test_the_stair_divides_pools_with_fewer_connections_than_clients(usual):
    (found,) = maps_of(usual)
    assert found.words[:3] == ("200+200", None, "64+0")
    assert stairs(found) == [7, 7, 4, 3]
    axes = Figure().add_subplot()
    stair(axes, found, Sheet(Figure(), LIGHT, WIDE, 3.0, 0.0, narrow=False))
    (line,) = axes.lines
    assert list(line.get_ydata()) == [7, 7, 7, 7, 4, 4, 3, 3]


def test_the_stair_counts_the_connections_of_all_processes():
    (found,) = maps_of(digested(("64+0", "10+0"), (16, 64), processes=2))
    assert stairs(found) == [2, 1]


def test_an_undecided_cell_has_a_question_mark_and_a_failing_one_an_f(usual):
    assert marks_of(entry(usual, "5+0", 64)) == "S F"
    assert marks_of(replace(entry(usual, "20+0", 64), standing="cannot tell")) == "?"
    assert marks_of(entry(usual, "20+0", 64)) == ""


def test_a_row_has_its_connections_and_below_them_its_options():
    pools = (None, "5+10:ping:timeout=1", "20+0", "driver", "driver:size=20")
    (found,) = maps_of(digested(pools, (16,)))
    assert {word: label(found, word) for word in pools} == {
        None: ["fitted = clients"],
        "5+10:ping:timeout=1": ["5+10 = 15", "ping timeout=1"],
        "20+0": ["20+0"],
        "driver": ["driver = clients"],
        "driver:size=20": ["driver", "size=20"],
    }


def test_waits_have_two_significant_digits():
    assert [ms_text(one) for one in (21_400, 3_140_000, 312e6, 2_340e6)] == [
        "0.021",
        "3.1",
        "310",
        "2,300",
    ]


def test_the_caption_says_how_to_read_it_and_what_is_missing(chart):
    assert chart.note.startswith(STORY)
    for needed in (
        "Each column has its own 100 %",
        "S starves:",
        "W wastes:",
        "C churns: opens more than 10 connections per 1,000 operations",
        "F fails:",
        "99 % intervals over 8 blocks; 20,480 operations a cell.",
        f"Hatched: 200+200 for 64: {TOO_MANY}.",
    ):
        assert needed in chart.note


def test_a_caption_without_failures_does_not_explain_them():
    only = sketch(digested(clients=(4,)))
    assert "F fails" not in only.note
    assert "Hatched" not in only.note


def test_without_waits_there_is_no_second_panel():
    only = drawn(digested(clients=(4,), waits=False))
    assert not any("checkout wait" in one for one in words(only.wide))
    assert sized(only.narrow)[1] < 1.2 * sized(only.wide)[1]


def test_four_maps_are_drawn_and_the_tables_have_all():
    found = digested(("5+0", "20+0"), (16,), lanes=("core", "orm", "raw", "orm_columns", "x"))
    only = sketch(found)
    assert f"{LIMIT} of 5 maps drawn; the tables have all." in only.note
    assert len(pool_tables(found)) == 5


def test_pools_that_were_not_compared_are_drawn_without_a_claim():
    only = sketch(digested(compared=False))
    assert only.title == "Pools: goodput for as many clients"
    shown = shown_words(painted(only))
    assert (shown.count("S"), shown.count("W")) == (1, 1)  # in the legend
    assert {one for one in shown if one.endswith("?")} == {"?", "C ?"}


def test_hostile_names_stay_words():
    hostile = "<script>alert(1)</script>|`x`"
    found = digested(("5+0", "20+0"), (16,), lanes=(hostile,))
    assert "<script>alert" not in page_of(found, [drawn(found)])
    assert "|`x`" not in comment_of(found)


# What the other renderings make of it


def test_the_page_has_the_chart_and_the_same_numbers_below(usual, chart):
    page = page_of(usual, [chart])
    at = page.index('id="pools-w-')
    table = page[at:]
    assert "goodput as % of the best of as many clients" in table
    assert re.search(r"<td>smallest within 5 %</td>", table)
    assert "<td>starves, churns</td>" in table
    assert TOO_MANY.replace("'", "&#39;") in table
    assert ">120</td>" in table


def test_the_comment_has_a_row_for_each_pool_and_number_of_clients(usual):
    text = comment_of(usual)
    fold = text[text.index("Pools, for each number of clients") :].partition("</details>")[0]
    rows = [line for line in fold.splitlines() if re.match(r"\| \d", line)]
    assert len(rows) == 7 * len(CLIENTS) + 1
    assert any("`20+0` | 20 |" in row and "smallest within 5 %" in row for row in rows)


def test_the_terminal_answers_in_words_and_shows_the_pools_of_that_column(usual):
    text = terminal_of(usual, plain=True)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 24
    assert "ANSWER  64 clients: smallest pool within 5 % of the best is 20+0." in text
    assert any(line.startswith(" 64 clients ") and "vs fitted" in line for line in lines)
    assert [line.split()[1] for line in lines if line.startswith(" core pool=")] == [
        *("pool=fitted", "pool=5+0", "pool=5+10", "pool=15+0"),
        *("pool=20+0", "pool=64+0", "pool=nullpool"),
    ]


def test_the_table_of_cells_has_pools_waits_and_goodput(usual, without):
    rows = list(csv.DictReader(io.StringIO(csv_of(usual))))
    row = next(one for one in rows if one["pool"] == "5+0" and one["clients"] == "64")
    assert (row["connections_most"], row["processes"], row["failed_op"]) == ("5", "1", "2464")
    assert row["goodput_op_per_s"] == row["throughput_op_per_s"]  # of those that succeed
    assert int(row["checkout_p99_ns"]) > int(row["checkout_p50_ns"]) > 0
    plain = next(csv.DictReader(io.StringIO(csv_of(without))))
    assert not {"pool", "processes", "checkout_p99_ns", "goodput_op_per_s"} & {*plain}


def test_a_run_without_pools_shows_nothing_of_it(without):
    assert "pools" not in sketched(without)
    for text in (page_of(without), comment_of(without), terminal_of(without)):
        assert "checkout wait" not in text
        assert "pool=" not in text
        assert "connections at most" not in text


def test_explain_tells_waits_and_failures(tmp_path, capsys):
    cell = cell_id("5+0", 64)
    record = swept(("20+0", "5+0"), (64,), failing={cell: 0.12})
    with RunWriter.create(tmp_path, record.manifest) as writer:
        for block in record.blocks:
            writer.append(block)
    assert main(["explain", cell, "--run", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "checkout wait p99: " in told
    assert "connections at most: 5" in told
    assert re.search(r"failed: 2,464, 120 per 1,000 operations: pool time-out", told)
