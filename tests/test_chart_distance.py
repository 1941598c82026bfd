"""The chart of distance, its tables, and what the other renderings make of the same findings."""

import pytest
from distances import RTTS, digested, ended, judged, line
from drawn_charts import (
    drawn,
    is_filed,
    misplaced,
    not_the_pages_own,
    painted,
    shown_words,
    sketched,
    words,
)
from matplotlib.figure import Figure

from ormbench.report.chart_distance import (
    paint_line,
    place_of,
    placed_words,
)
from ormbench.report.chart_sheet import LIGHT
from ormbench.report.distance_table import distance_tables
from ormbench.report.html import render as page_of
from ormbench.report.markdown import render as comment_of
from ormbench.report.spread import spread
from ormbench.report.terminal import render as terminal_of


@pytest.fixture(scope="module")
def usual():
    """Three lanes with as many round trips each, at four distances."""
    return digested()


@pytest.fixture(scope="module")
def gap():
    """The same, but for the ORM at 1 ms."""
    return digested(oddities=ended("get_by_id", "orm", 1.0))


@pytest.fixture(scope="module")
def chart(usual):
    return drawn(usual, "distance")


def test_the_chart_follows_the_forest_and_its_title_is_the_answer(chart, usual):
    others = sketched(usual)
    names = list(others)
    assert names.index("distance") == names.index("forest") + 1
    assert chart.title == usual.headline
    assert usual.headline not in others["ladder"].title


def test_each_width_has_the_lanes_with_their_trips_and_the_distances(chart):
    for svg in (chart.wide, chart.narrow):
        shown = words(svg)
        for needed in ("core, 3 trips", "orm, 3 trips", "raw, 3 trips", "+0", "+0.5", "+1", "+5"):
            assert needed in shown
        for needed in ("same host", "same zone", "other zone", "round-trip time added, ms"):
            assert needed in shown
        assert "time vs core (log): lower is better" in shown


@pytest.mark.parametrize("narrow", [False, True])
def test_no_word_of_the_chart_stands_on_another_or_off_the_sheet(usual, narrow):
    assert misplaced(painted(sketched(usual)["distance"], narrow=narrow)) == []


def test_ids_and_colours_are_the_pages_own(chart):
    assert not_the_pages_own(chart) == []
    assert is_filed(chart)


def test_the_note_says_what_was_asked_for_and_what_the_relay_added(chart):
    assert "asked for 0 ms and added 0.06, 0.5 ms and added 0.56," in chart.note


def test_the_note_says_why_a_line_has_a_gap(gap):
    note = sketched(gap)["distance"].note
    assert "No ratio: orm at +1 ms for get_by_id, asyncpg: TIMEOUT: no answer within 60 s." in note


def drawn_line(found):
    axes = Figure().add_subplot()
    paint_line(axes, found, {"color": LIGHT.accent, "marker": "o", "ls": "-"}, LIGHT)
    return axes


def test_what_is_drawn_has_a_gap_where_a_point_is_missing_and_none_elsewhere(gap, usual):
    """A line or a ribbon through x = 2 would be one across the missing point at 1 ms."""
    axes = drawn_line(line(gap, "orm"))
    spans = [(min(one.get_xdata()), max(one.get_xdata())) for one in axes.lines]
    assert not any(low < 2 < high or 2 in (low, high) for low, high in spans)
    ribbons = [one.get_paths()[0].get_extents() for one in axes.collections]
    assert all(one.x1 < 2 or one.x0 > 2 for one in ribbons)
    whole = drawn_line(line(usual, "orm"))
    assert any(min(one.get_xdata()) == 0 and max(one.get_xdata()) == 3 for one in whole.lines)


def test_one_distance_alone_has_no_chart():
    assert "distance" not in sketched(digested(rtts=(None, 0.0)))


def test_a_run_without_intervals_is_drawn_without_ribbons():
    found = digested(blocks=2)
    assert not drawn_line(line(found, "orm")).collections
    chart = drawn(found, "distance")
    assert chart.title.startswith("This run cannot tell ORM from Core for get_by_id")


def test_a_lane_that_cannot_be_told_apart_is_hollow():
    axes = drawn_line(judged(("slower", "cannot tell", "same", "same")))
    inside = {
        one.get_xdata()[0]: one.get_markerfacecolor()
        for one in axes.lines
        if one.get_ls() == "None"
    }
    assert inside == {0: LIGHT.accent, 1: LIGHT.surface, 2: LIGHT.accent, 3: LIGHT.accent}


def test_a_hundred_round_trips_more_fit_on_the_axis_too():
    found = digested(rtts=(0.0, 1.0), trips={"orm": 102})
    shown = shown_words(painted(sketched(found)["distance"]))
    assert {"10x", "orm, 102 trips"} <= set(shown)


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ([0.5, 0.5, 0.5], [0.3, 0.5, 0.7]),
        ([1.0, 0.1], [1.0, 0.1]),
        ([0.0, 0.1], [0.0, 0.2]),
        ([1.0, 1.0], [0.8, 1.0]),
        ([], []),
    ],
)
def test_names_at_the_ends_move_only_as_far_as_they_must(heights, expected):
    assert spread(heights, 0.2, 1.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        ([0.1, 0.9, 1.7], [(0, True), (0, True), (0, True)]),
        ([0.1, 0.5, 1.0], [(0, True), (1, True), (0, True)]),
        ([0.1, 1.0, 2.3], [(0, True), (0, True), (0, False)]),
        ([0.1, 0.2, 0.3], [(0, True), (1, True), None]),
    ],
)
def test_words_for_orientation_are_never_written_over_each_other(starts, expected):
    assert placed_words(starts, 2.4) == expected


def test_a_distance_between_two_stands_between_them():
    assert place_of(0.5, RTTS) == 1
    assert place_of(3.0, RTTS) == 2.5
    assert place_of(0.5, (None, 0.0, 1.0)) == 1.5
    assert place_of(2.0, (0.0, 1.0)) is None


def test_the_table_has_every_number_of_the_chart_and_the_reason_of_each_gap(gap):
    (table,) = distance_tables(gap)
    assert table.caption == "get_by_id, asyncpg: time vs core"
    assert table.distances == ("+0 ms", "+0.5 ms", "+1 ms", "+5 ms")
    rows = {row.name: row for row in table.rows}
    assert [one.text for one in rows["core"].shown] == ["reference"] * 4
    assert rows["orm"].shown[2].text == "TIMEOUT: no answer within 60 s"
    assert rows["orm"].shown[0].verdict == "slower"
    assert {row.trips for row in table.rows} == {"3"}


def test_page_comment_and_terminal_say_the_same(usual, chart):
    page = page_of(usual, (chart,))
    assert page.index(f"<h2>{usual.headline}</h2>") < page.index(
        "get_by_id, asyncpg: time vs core;"
    )
    comment = comment_of(usual)
    assert "Time at each distance from the server" in comment
    assert "| lane | trips | +0 ms | +0.5 ms | +1 ms | +5 ms |" in comment
    terminal = terminal_of(usual)
    assert len(terminal.splitlines()) <= 24
    for needed in ("At +5 ms ORM takes the same time as Core", "orm rtt=0 ", "orm rtt=5 "):
        assert needed in terminal
    assert "orm rtt=1 " not in terminal


def test_ratios_elsewhere_are_those_of_the_same_distance():
    found = digested(rtts=(0.0, 1.0), scenarios=("get_by_id", "bulk_create"))
    told = next(one for one in found.cards if one.question == "ORM OR CORE?").detail
    assert told.count("bulk_create") == 1
    assert "at +0 ms" in told
