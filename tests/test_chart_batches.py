"""The chart of rows an operation, and what the other charts leave to it."""

import math
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from browser import Visit, launched
from charted_grids import ASYNCPG, BATCHES, COSTS, MARIADB, MYSQL, PSYCOPG, gridded
from drawn_charts import (
    is_filed,
    misplaced,
    not_the_pages_own,
    painted,
    shown_words,
    words,
)
from pool_runs import digested as pools_run
from sample_findings import sample

from ormbench.report import chart_batches, chart_cells, chart_forest
from ormbench.report.batch_labels import crossing_words
from ormbench.report.batch_looks import looks
from ormbench.report.batch_panels import (
    ACCENTED,
    NAMED,
    by_scenario,
    lines,
    named_crossings,
)
from ormbench.report.batches import Crossing
from ormbench.report.chart_axis import log_ticks
from ormbench.report.chart_sheet import LIGHT, draw
from ormbench.report.charts import draw_all
from ormbench.report.html import render as page_of

BROKEN = {("core", MYSQL, 100): ("ERROR", "lost"), ("add_all", ASYNCPG, 10): ("ERROR", "lost")}
FEW = ("core", "add_all", "copy")


@pytest.fixture(scope="module")
def usual():
    """Three servers, eighteen strategies, and two holes in lines that stand out."""
    return gridded((ASYNCPG, MYSQL, MARIADB), odd=BROKEN)


@pytest.fixture(scope="module")
def small():
    return gridded(lanes=FEW, batches=(1, 2, 3, 5, 10, 20))


@pytest.fixture(scope="module")
def crowded():
    """More grids than panels, and more scenarios than one."""
    targets = (ASYNCPG, PSYCOPG, MYSQL, MARIADB)
    lanes = ("core", "add_all", "raw_held", "copy", "load_data", "each_commit", "text")
    return gridded(targets, scenarios=("insert_rows", "delete_rows"), caches=(None, 0), lanes=lanes)


def sketched(findings):
    return list(chart_batches.sketches(findings))


@pytest.fixture(scope="module")
def figure(usual):
    """The usual run's chart at its wide width, to be read and not changed."""
    return painted(sketched(usual)[0])


@pytest.fixture(scope="module")
def drawings(usual):
    return draw_all(usual)


@pytest.fixture(scope="module")
def chart(drawings):
    return drawings[0]


def plots(figure):
    """The plots of rows per second: every second of the axes that have a logarithmic y."""
    return [axes for axes in figure.axes if axes.get_yscale() == "log"][::2]


def strips(figure):
    return [axes for axes in figure.axes if axes.get_yscale() == "log"][1::2]


def drawn_lines(axes):
    """What goes from point to point in an axes' own units: (rows, values), named or grey."""
    plain = [one for one in axes.lines if one.get_transform() == axes.transData]
    known = [(list(one.get_xdata()), list(one.get_ydata())) for one in plain]
    return [(xs, ys) for xs, ys in known if len(set(xs)) > 1]


def test_each_scenario_with_a_grid_has_a_chart_whose_title_holds_for_all_its_panels(crowded):
    found = sketched(crowded)
    assert [one.name for one in found] == ["batches", "batches-delete_rows"]
    for one, scenario in zip(found, ("insert_rows", "delete_rows"), strict=True):
        best = "copy on asyncpg, psycopg; load_data on MySQL, MariaDB"
        assert one.title == f"{scenario}: with the most rows {best}"
        for grid in by_scenario(crowded)[scenario]:
            shown = "load_data" if grid.key.target in (MYSQL, MARIADB) else "copy"
            assert grid.tiers[-1].fastest == shown


def test_a_run_without_a_grid_has_no_such_chart():
    assert sketched(gridded(lanes=("core",))) == []
    assert sketched(gridded(lanes=FEW, batches=(10,))) == []


def test_each_server_has_its_own_panel_and_none_is_called_mysql_for_another(chart):
    for svg in (chart.wide, chart.narrow):
        shown = words(svg)
        for name in ("PostgreSQL, asyncpg", "MySQL, asyncmy", "MariaDB, asyncmy"):
            assert shown.count(name) == 1
        assert shown.count("rows per second (log): higher is better") == 3
        assert shown.count("round trips an operation (log): lower is better") == 3
        assert shown.count("rows an operation (log)") == 3


def test_all_axes_are_logarithmic_and_hold_every_number(usual, figure):
    grids = by_scenario(usual)["insert_rows"]
    for axes, strip, grid in zip(plots(figure), strips(figure), grids, strict=True):
        for one in (axes, strip):
            assert (one.get_xscale(), one.get_yscale()) == ("log", "log")
            assert one.get_xlim()[0] < BATCHES[0] < BATCHES[-1] < one.get_xlim()[1]
        low, high = axes.get_ylim()
        rates = [one.rows_per_second for one in grid.points if one.rows_per_second]
        assert low < min(rates) < max(rates) < high
        low, high = strip.get_ylim()
        trips = [one.trips for one in grid.points if one.trips]
        assert low < min(trips) < max(trips) < high


def test_the_plot_holds_the_intervals_of_the_named_lines():
    """Each ratio is known to 60 % only."""
    sketch = sketched(gridded(lanes=FEW, share=0.6))[0]
    (axes,) = plots(painted(sketch))
    low, high = axes.get_ylim()
    upright = [one.get_ydata() for one in axes.lines if len(set(one.get_xdata())) == 1]
    intervals = [ys for ys in upright if len(ys) == 2 and tuple(ys) != (0, 1)]
    assert len(intervals) == len(FEW) * len(BATCHES)
    assert all(low < ys[0] <= ys[1] < high for ys in intervals)
    assert max(ys[1] / ys[0] for ys in intervals) == pytest.approx(1.6 / 0.4)


def test_the_strip_names_the_least_and_the_most_round_trips_as_they_are(figure):
    texts = [one.get_text() for one in strips(figure)[0].get_yticklabels()]
    assert (texts[0], texts[-1]) == ("3", "3,000")


def test_no_line_goes_across_a_missing_point(usual, figure):
    grids = by_scenario(usual)["insert_rows"]
    for axes, value in (
        *((one, "rows_per_second") for one in plots(figure)),
        *((one, "trips") for one in strips(figure)),
    ):
        grid = grids[(plots(figure) if value == "rows_per_second" else strips(figure)).index(axes)]
        known = {
            (one.batch, round(getattr(one, value), 6)) for one in grid.points if getattr(one, value)
        }
        for xs, ys in drawn_lines(axes):
            places = [grid.batches.index(x) for x in xs]
            assert places == list(range(places[0], places[0] + len(xs)))  # neighbours alone
            assert {(x, round(y, 6)) for x, y in zip(xs, ys, strict=True)} <= known


def test_a_hole_parts_a_line_in_two():
    grid = by_scenario(gridded(odd={("core", 100): ("ERROR", "lost")}))["insert_rows"][0]
    core = next(one for one in lines(grid) if one.strategy.lane == "core")
    assert [[point.batch for point in one] for one in core.stretches] == [[1, 10], [1_000, 10_000]]
    first = by_scenario(gridded(odd={("core", 10): ("ERROR", "lost")}))["insert_rows"][0]
    core = next(one for one in lines(first) if one.strategy.lane == "core")
    assert [[point.batch for point in one] for one in core.stretches] == [[1], [100, 1_000, 10_000]]


def test_at_most_five_lines_stand_out_and_each_has_a_name_a_shape_and_a_colour(usual, figure):
    for axes, grid in zip(plots(figure), by_scenario(usual)["insert_rows"], strict=True):
        named = [one for one in lines(grid) if one.role]
        assert 1 < len(named) <= ACCENTED < len(lines(grid))
        shown = [text.get_text().partition(" to ")[0] for text in axes.texts]
        ends = [one for one in axes.lines if len(one.get_xdata()) == 1]
        seen = {(one.get_marker(), one.get_color()) for one in ends}
        shapes = set()
        for line, look in zip(lines(grid), looks(lines(grid), LIGHT), strict=True):
            assert (line.strategy.lane in shown) == (look is not None)
            if look is not None:
                shapes.add(look["marker"])
                assert (look["marker"], look["color"]) in seen
        assert len(shapes) == len(named)


def test_the_reference_the_sessions_own_way_the_fastest_and_the_slowest_are_named(usual):
    grid = by_scenario(usual)["insert_rows"][0]
    roles = {one.role: one.strategy.lane for one in lines(grid) if one.role}
    assert roles == {
        "reference": "core",
        "usual": "add_all",
        "many": "copy_binary",
        "few": "raw_held",
        "behind": "each_commit",
    }


def test_a_line_that_ends_early_says_so_and_is_not_led_to_the_edge(chart):
    for svg in (chart.wide, chart.narrow):
        assert "each_commit to 1,000" in words(svg)
        assert "each_commit to 100" in words(svg)


@pytest.mark.parametrize(
    ("which", "narrow"),
    [("usual", False), ("usual", True), ("small", False), ("small", True), ("crowded", False)],
)
def test_no_word_of_the_chart_stands_on_another_or_off_the_sheet(which, narrow, request):
    figure = painted(sketched(request.getfixturevalue(which))[0], narrow=narrow)
    assert misplaced(figure) == []


def test_strategies_that_end_at_the_same_height_have_names_apart():
    """Six lanes that cost the same: their lines are one."""
    findings = gridded(lanes=("core", "text", "raw", "raw_held", "bulk_mappings"))
    figure = painted(sketched(findings)[0], narrow=True)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in plots(figure)[0].texts]
    middles = sorted(box.y0 for box in boxes if box.x0 > 200)
    assert len(middles) == 5
    assert all(high - low > 12 for low, high in pairwise(middles))


def test_crossings_are_numbered_marked_and_named(usual, figure):
    shown = shown_words(figure)
    for axes, grid in zip(plots(figure), by_scenario(usual)["insert_rows"], strict=True):
        named = named_crossings(grid, lines(grid))
        assert 0 < len(named) <= NAMED
        assert [one.at for one in named] == sorted(one.at for one in named)
        numbers = [one.get_text() for one in axes.texts if one.get_text().isdigit()]
        assert numbers == [str(place) for place in range(1, len(named) + 1)]
        for number, one in enumerate(named, 1):
            assert f"{number}: {crossing_words(one)}" in shown
            rings = [
                ring for ring in axes.lines
                if ring.get_markerfacecolor() == "none" and list(ring.get_xdata()) == [one.at]
            ]  # fmt: skip
            assert len(rings) == 1
    assert any("passes core at ~" in text for text in shown)


def test_a_crossing_has_no_more_digits_than_an_interpolation():
    def told(at):
        return crossing_words(Crossing("core", "add_all", 1, 10, at))

    assert told(3.4) == "core passes add_all at ~3 rows"
    assert told(1.2) == "core passes add_all at ~1 row"
    assert told(57.3) == "core passes add_all at ~57 rows"
    assert told(1_234.5) == "core passes add_all at ~1,200 rows"


def test_the_caption_has_the_commit_the_blocks_and_the_reasons_of_gaps(usual):
    note = sketched(usual)[0].note
    assert "One commit per operation" in note
    assert "over 8 blocks" in note
    assert "1,200 operations a cell" in note
    assert "SKIPPED: predicted" in note
    assert len(note.split()) <= 80


def test_an_autocommit_run_does_not_claim_one_commit_per_operation(usual):
    def autocommit(cell):
        return replace(cell, transaction="autocommit")

    cells = tuple(replace(one, cell=autocommit(one.cell)) for one in usual.cells)
    note = sketched(replace(usual, cells=cells, comparisons=(), left_out=()))[0].note
    assert "One commit per operation" not in note
    assert "each statement commits itself" in note


def test_six_panels_are_drawn_a_product_each_before_caches_and_the_caption_says_so(crowded):
    found = by_scenario(crowded)["insert_rows"]
    assert [grid.place for grid in found[:4]] == [
        "PostgreSQL, asyncpg",
        "MySQL, asyncmy",
        "MariaDB, asyncmy",
        "PostgreSQL, psycopg",
    ]
    sketch = sketched(crowded)[0]
    assert len(plots(painted(sketch))) == 6
    assert "6 of 8 grids drawn" in sketch.note


@pytest.mark.servers
def test_two_renderings_are_the_same_bytes_and_ids_and_colours_are_the_pages_own(chart, small):
    first, second = (draw(sketched(small)[0], "somewhere") for _ in range(2))
    assert first == second
    assert not_the_pages_own(chart) == []
    assert is_filed(chart)


def test_the_narrow_form_has_one_column(usual, figure):
    sketch = sketched(usual)[0]
    wide = {round(axes.get_position().x0, 3) for axes in plots(figure)}
    narrow = {round(axes.get_position().x0, 3) for axes in plots(painted(sketch, narrow=True))}
    assert (len(wide), len(narrow)) == (2, 1)


@pytest.mark.servers
def test_runs_of_many_strategies_leave_them_to_this_chart_and_the_tables(usual, drawings):
    assert [one.name for one in drawings] == ["batches"]
    assert len(usual.cells) > 150


def test_other_scenarios_of_such_a_run_stay_in_the_other_charts(usual):
    beside = sample()
    both = replace(
        usual,
        cells=(*usual.cells, *beside.cells),
        comparisons=(*usual.comparisons, *beside.comparisons),
    )
    for sketch in (
        chart_forest.sketch(both),
        chart_cells.throughput(both),
        chart_cells.service_times(both),
    ):
        assert "Strategies of insert_rows: see rows an operation, and the tables." in sketch.note
        shown = shown_words(painted(sketch))
        assert any("get_by_id" in text for text in shown)
        assert not any("each_flush" in text for text in shown)
        assert len(sketch.title) < 200


def test_the_forest_of_a_small_grid_is_drawn_with_the_rows_in_its_headings(small):
    shown = shown_words(painted(chart_forest.sketch(small)))
    assert "insert_rows, asyncpg, batch=10" in shown
    assert shown.count("add_all / core") == 6


@pytest.mark.servers
def test_a_run_of_pools_has_a_short_title_and_whole_names():
    findings = pools_run(lanes=("core", "orm"))
    sketch = chart_cells.throughput(findings)
    assert re.fullmatch(
        r"Throughput: pool_pressure, core [\d,]+ op/s to [\d,]+ op/s, "
        r"orm [\d,]+ op/s to [\d,]+ op/s",
        sketch.title,
    )
    for narrow in (False, True):
        shown = shown_words(painted(sketch, narrow=narrow))
        assert "core nullpool clients=64" in shown
        assert not any(text.endswith("…") for text in shown)


def test_logarithmic_ticks_are_round_and_few():
    assert log_ticks(1, 10_000, 5) == [1, 10, 100, 1_000, 10_000]
    assert log_ticks(1_800, 31_000, 5) == [2_000, 5_000, 10_000, 20_000]
    assert log_ticks(800, 120_000, 5) == [1_000, 3_000, 10_000, 30_000, 100_000]
    assert len(log_ticks(1, 1e9, 5)) == 5
    assert all(math.log10(one) % 1 == 0 for one in log_ticks(1, 1e9, 5))


def test_every_lane_of_the_model_is_drawn_in_one_panel_or_another(usual):
    lanes = {one.strategy.lane for grid in by_scenario(usual)["insert_rows"] for one in lines(grid)}
    assert lanes == set(COSTS)


@pytest.mark.servers
@pytest.mark.browser
def test_a_page_shows_the_form_that_fits_with_all_its_names_inside(usual, drawings, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(page_of(usual, drawings), encoding="utf-8")
    with launched() as browser:
        for width, form in ((1280, "w"), (400, "n")):
            with Visit(browser, path.as_uri(), width=width) as visit:
                picture = visit.page.locator(f'svg:has([id^="batches-{form}-"])')
                assert picture.is_visible()
                frame = picture.bounding_box()
                assert frame["x"] + frame["width"] <= width
                names = picture.locator("text", has_text="copy_binary").all()
                assert names
                for one in names:
                    box = one.bounding_box()
                    assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1
                assert visit.said == []
