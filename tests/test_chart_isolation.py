"""The chart of isolation levels, its table, and what the other renderings make of the same."""

import re

import pytest
from drawn_charts import drawn as drawn_of
from drawn_charts import is_filed, misplaced, not_the_pages_own, painted, sketched, words
from isolation_runs import (
    AIOMYSQL,
    ASYNCPG,
    DISJOINT,
    HOT_ROW,
    MARIADB,
    ON_CALL,
    RC,
    RR,
    SERIAL,
    Fate,
    digested,
)

from ormbench.policy import POLICY
from ormbench.report import chart_isolation
from ormbench.report.chart_sheet import LIGHT
from ormbench.report.digest_isolation import panels
from ormbench.report.html import render as page_of
from ormbench.report.isolation_labels import across, room_for
from ormbench.report.isolation_points import LIMIT, MOST_WAYS, drawn, points
from ormbench.report.isolation_table import isolation_tables
from ormbench.report.markdown import render as comment_of

CROWDED = {
    ("orm", RC): Fate(1_500, lost=500),
    ("orm", RR): Fate(1_490, lost=480),
    ("orm", SERIAL): Fate(20, aborts=2_400, failed=12),
    ("orm", f"{SERIAL}:connection"): Fate(16, aborts=2_500),
    ("core", RC): Fate(1_700, lost=520),
    ("core", RR): Fate(1_800, lost=12),
    ("core", SERIAL): Fate(1, status="ERROR", reason="the server went away"),
    ("core_atomic", RR): Fate(1_400),
}


@pytest.fixture(scope="module")
def usual():
    return digested(others=[("disjoint_rows", ASYNCPG, DISJOINT), ("on_call", ASYNCPG, ON_CALL)])


@pytest.fixture(scope="module")
def crowded():
    return digested(CROWDED, target=AIOMYSQL, others=[("hot_row", MARIADB, DISJOINT)])


@pytest.fixture(scope="module")
def chart(usual):
    return drawn_of(usual, "isolation")


def test_the_chart_is_drawn_with_all_others_and_its_title_is_the_answer():
    usual = digested({("orm", RC): Fate(900, lost=90), ("orm", RR): Fate(500)})
    names = list(sketched(usual))
    assert names.index("isolation") == names.index("forest") + 1
    chart = drawn_of(usual, "isolation")
    assert chart.title == usual.headline
    page = page_of(usual, (chart,))
    assert page.index(f"<h2>{usual.headline}</h2>") < page.index("hot_row, asyncpg, 8 clients;")


def test_each_width_has_every_level_the_ground_of_wrong_data_and_the_direction(chart):
    for svg in (chart.wide, chart.narrow):
        shown = words(svg)
        for needed in ("orm repeatable-read", "orm serializable", "core_atomic read-committed"):
            assert needed in shown
        assert shown.count("wrong data: lost or broken, per 1,000") == 2
        assert shown.count("wrong data: none seen") == 1
        assert shown.count("goodput, op/s: higher is better") == 3
        for needed in ("best level of a lane", "aborted per 1,000:", "1,000 or more"):
            assert needed in shown
        assert "read-committed breaks 210" in shown


def test_the_caption_states_the_retry_policy_and_what_none_seen_excludes(chart):
    assert f"Goodput includes retries. Made again {POLICY.words}." in chart.note
    assert "in 12,800 operations or more" in chart.note
    assert "at 95 % fewer than 0.234 per 1,000" in chart.note
    assert "over 8 blocks" in chart.note


def test_a_run_without_aborted_attempts_claims_no_retries():
    findings = digested({("orm", RC): Fate(900), ("orm", RR): Fate(950)})
    assert "retries" not in chart_isolation.sketch(findings).note


def test_ids_and_colours_are_the_pages_own(chart):
    assert not_the_pages_own(chart) == []
    assert is_filed(chart)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("which", ["usual", "crowded"])
def test_no_word_of_the_chart_stands_on_another_or_off_the_sheet(which, narrow, request):
    sketch = chart_isolation.sketch(request.getfixturevalue(which))
    figure = painted(sketch, narrow=narrow)
    assert misplaced(figure, across=2, down=4, ticks=False) == []


def test_no_number_of_an_axis_stands_on_another(usual):
    assert misplaced(painted(chart_isolation.sketch(usual), narrow=True), across=2, down=4) == []


def test_wrong_data_stand_on_the_shaded_ground_and_all_others_in_the_strip(usual):
    figure = painted(chart_isolation.sketch(usual))
    grounds = figure.axes[1::2]
    strips = figure.axes[2::2]
    for panel, ground, strip in zip(
        drawn(panels(usual.cells), "hot_row"), grounds, strips, strict=True
    ):
        marks = {
            axes: [m for m in axes.lines if m.get_marker() not in ("None", None)]
            for axes in (ground, strip)
        }
        harmed = [one for one in points(panel) if one.level.found.wrong]
        assert len(marks[ground]) == len(harmed)
        assert len(marks[strip]) == len(points(panel)) - len(harmed)
        assert {m.get_marker() for m in marks[ground]} <= {"X"}
        assert {m.get_marker() for m in marks[strip]} <= {"o"}
        assert all(m.get_ydata()[0] > 0 for m in marks[ground])
        full = [m for m in marks[strip] if m.get_markerfacecolor() == LIGHT.accent]
        assert len(full) == sum(one.chosen for one in points(panel))


def test_a_point_grows_with_the_attempts_that_were_aborted_up_to_a_limit():
    assert across(0) < across(100) < across(1_000) == across(5_000)
    assert across(250) ** 2 - across(0) ** 2 == pytest.approx(
        (across(1_000) ** 2 - across(0) ** 2) / 4
    )


def test_right_of_all_whiskers_there_is_room_for_the_longest_name_or_most_of_the_plot(crowded):
    known = points(panels(crowded.cells)[0])
    longest = max(len(one.name) for one in known)
    assert room_for(known, 10.0) > 0.061 * longest
    assert room_for(known, 1.0) == pytest.approx(0.62)
    assert room_for([], 1.0) < 0.3


def test_a_panel_draws_at_most_four_lanes_those_of_other_kinds_first():
    fates = {**HOT_ROW, ("raw", RC): Fate(4_000, lost=700), ("raw", RR): Fate(900)}
    panel = panels(digested(fates).cells)[0]
    lanes = list(dict.fromkeys(one.level.found.cell.lane for one in points(panel)))
    assert len(panel.ways) > MOST_WAYS == len(lanes)
    assert lanes[:3] == ["orm", "core_locked", "core_atomic"]


def test_the_picture_has_the_focus_first_then_panels_where_something_went_wrong():
    others = [
        *((name, ASYNCPG, DISJOINT) for name in ("disjoint_rows", "read_mostly")),
        *(
            (name, where, ON_CALL)
            for name in ("on_call", "transfer")
            for where in (ASYNCPG, MARIADB)
        ),
        ("hot_row", AIOMYSQL, DISJOINT),
    ]
    found = panels(digested(others=others).cells)
    shown = drawn(found, "hot_row")
    assert (len(found), len(shown)) == (8, LIMIT)
    assert [one.place.scenario for one in shown] == ["hot_row"] * 2 + ["on_call"] * 2 + [
        "transfer"
    ] * 2
    assert "6 of 8 panels drawn" in chart_isolation.note(found, shown)


def test_a_level_without_a_number_has_a_row_and_a_reason(crowded):
    table = isolation_tables(crowded)[0]
    assert table.caption == "hot_row, MySQL aiomysql, 8 clients"
    (row,) = [one for one in table.rows if one.missing]
    assert (row.lane, row.level) == ("core", "SERIALIZABLE")
    assert row.missing == "ERROR: the server went away"
    assert "core/mysql+aiomysql" in chart_isolation.sketch(crowded).note


def test_the_table_has_every_number_of_the_chart(usual):
    rows = {(row.lane, row.level): row for row in isolation_tables(usual)[0].rows}
    assert len(rows) == len(HOT_ROW)
    wrong, best = rows["orm", "READ COMMITTED"], rows["orm", "REPEATABLE READ"]
    assert (wrong.standing.text, wrong.standing.verdict) == ("wrong data", "wrong data")
    assert (wrong.wrong, wrong.aborted) == ("lost 640", "0")
    assert best.standing.text == "best"
    assert best.wrong == "none seen in 12,800 operations (at 95 % below 0.234)"
    assert best.aborted == "290 (22 % of attempts)"
    assert best.reasons == "serialization failure 3,712"
    assert re.fullmatch(r"0\.79x \[0\.7\d, 0\.8\d\]", rows["orm", "SERIALIZABLE"].standing.text)


def test_nothing_is_bounded_where_nothing_went_wrong(usual):
    table = next(one for one in isolation_tables(usual) if one.caption.startswith("disjoint_rows"))
    assert {row.wrong for row in table.rows} == {"none seen in 12,800 operations"}


def test_the_comment_has_the_same_table(usual):
    comment = comment_of(usual)
    assert "Isolation levels: what they cost and protect from" in comment
    row = next(one for one in comment.splitlines() if one.startswith("| `orm` | READ COMMITTED |"))
    assert "✕ wrong data | lost 640 | 0 | 0 |" in row
    lines = [one for one in comment.splitlines() if one.startswith("| `orm` | ")]
    assert {one.count(" | ") for one in lines if "operations" in one} == {7}
