"""Whether the charts of pools and levels have room for their words, and which words they are."""

import textwrap
from dataclasses import replace

import pytest
from isolation_runs import HOT_ROW, SERIAL
from isolation_runs import digested as isolated
from pool_runs import cell_id, digested
from sample_findings import estimate, sample

from ormbench.report import quiet_matplotlib

quiet_matplotlib.prepare()

import matplotlib as mpl  # noqa: E402 - prepared above
from matplotlib.figure import Figure  # noqa: E402 - prepared above

from ormbench.cell import Cell  # noqa: E402 - prepared above
from ormbench.report import (  # noqa: E402 - prepared above
    chart_cells,
    chart_forest,
    chart_ladder,
    chart_pools,
)
from ormbench.report.chart_sheet import (  # noqa: E402 - prepared above
    _STYLE,
    LIGHT,
    NARROW,
    Sheet,
)
from ormbench.report.findings import Ladder  # noqa: E402 - prepared above
from ormbench.report.row_names import own_names, row_names  # noqa: E402 - prepared above

TARGET = "postgresql+asyncpg"
LONG = ("5+0", "driver:size=15", "2+0:timeout=0.05", "64+0")
WIDTHS = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


@pytest.fixture(scope="module")
def pools():
    """Pools with long names, all of whose operations with 2+0 at 64 clients fail."""
    return digested(LONG, (4, 64), failing={cell_id("2+0:timeout=0.05", 64): 1.0})


@pytest.fixture(scope="module")
def levels():
    """Lanes at several levels with eight clients, against serializable; one on other cores."""
    ordered = dict(sorted(HOT_ROW.items(), key=lambda one: one[0][1] != SERIAL))
    found = isolated(ordered, reference=f"isolation={SERIAL}")
    elsewhere = next(one for one in found.cells if one.cell.lane == "core_atomic")
    moved = replace(elsewhere, cell=replace(elsewhere.cell, placement="split"))
    return replace(found, cells=tuple(moved if one is elsewhere else one for one in found.cells))


def painted(sketch, *, narrow):
    """(words, box in inches) of all that is written on a sheet, and the sheet's size."""
    width, height = NARROW if narrow else sketch.width, sketch.height(narrow)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), dpi=100)
        sketch.paint(Sheet(figure, LIGHT, width, height, 0.0, narrow))
        figure.draw_without_rendering()
        texts = list(figure.texts)
        for axes in figure.axes:
            if axes.axison:
                texts += [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label]
            texts += axes.texts
        found = [(one.get_text(), one.get_window_extent()) for one in texts if one.get_text()]
    return [(words, box.transformed(mpl.transforms.Affine2D().scale(0.01))) for words, box in found]


def assert_all_inside(sketch, *, narrow):
    width, height = NARROW if narrow else sketch.width, sketch.height(narrow)
    shown = painted(sketch, narrow=narrow)
    assert len(shown) > 5
    for words, box in shown:
        assert box.x0 >= 0, words
        assert box.x1 <= width, words
        assert box.y0 >= 0, words
        assert box.y1 <= height, words
        assert "…" not in words
    return shown


def overlapping(shown):
    """Pairs of words that stand on each other."""
    return [
        (one, other)
        for place, (one, box) in enumerate(shown)
        for other, beside in shown[place + 1 :]
        if min(box.x1, beside.x1) - max(box.x0, beside.x0) > 0.01
        and min(box.y1, beside.y1) - max(box.y0, beside.y0) > 0.02
    ]


@pytest.fixture(scope="module")
def distances():
    """Cells whose names hold a driver and two axes."""
    found = sample()
    cells = (
        replace(one, cell=replace(one.cell, clients=16 * (1 + n % 2), rtt=float(n % 3)))
        for n, one in enumerate(found.cells)
    )
    return replace(found, cells=tuple(cells), ladders=(), comparisons=())


@WIDTHS
@pytest.mark.parametrize("chart", [chart_cells.throughput, chart_cells.service_times])
def test_no_word_of_a_chart_of_cells_is_cut_or_written_over(
    pools, levels, distances, chart, narrow
):
    for findings in (pools, levels, distances):
        assert overlapping(assert_all_inside(chart(findings), narrow=narrow)) == []


def test_a_name_that_is_too_long_for_a_phone_takes_two_lines_that_end_at_the_axis(distances):
    shown = painted(chart_cells.throughput(distances), narrow=True)
    assert not any("\n" in words for words, _ in shown)
    names = [(words, box) for words, box in shown if words.startswith(("core", "clients=", "rtt="))]
    assert any("core" in words and "rtt=" not in words for words, _ in names)
    assert len({round(box.x1, 2) for _, box in names}) == 1


@WIDTHS
def test_no_word_of_the_forest_is_cut_or_written_over(pools, levels, narrow):
    for findings in (pools, levels):
        shown = assert_all_inside(chart_forest.sketch(findings), narrow=narrow)
        assert overlapping(shown) == []


def test_the_forest_says_in_full_that_operations_failed(pools):
    shown = painted(chart_forest.sketch(pools), narrow=False)
    assert "cannot tell (operations failed)" in [words for words, _ in shown]


def test_a_long_name_of_the_narrow_forest_is_nearest_to_its_own_mark(levels):
    """Each wrong-data row has its words on the height of its mark."""
    shown = painted(chart_forest.sketch(levels), narrow=True)
    names = [box for words, box in shown if " / " in words]
    assert names
    marks = [box for words, box in shown if words.startswith("wrong data")]
    assert marks
    for mark in marks:
        above = min(one.y0 - mark.y1 for one in names if one.y0 > mark.y0)
        below = min((mark.y0 - one.y1 for one in names if one.y1 < mark.y1), default=1.0)
        assert above < below


def test_a_title_of_many_levels_says_what_they_share_once_and_takes_two_lines(levels):
    for chart in (chart_cells.throughput, chart_cells.service_times):
        title = chart(levels).title
        assert title.count("clients=8") == 1
        assert "isolation=" not in title
        assert len(textwrap.wrap(title, 76)) <= 2


def test_a_title_has_the_digits_of_its_row():
    found = sample()
    rough = tuple(
        replace(one, throughput=estimate(2_434.0, 0.2, "op/s")) if one.throughput else one
        for one in found.cells
    )
    assert "core 2,400 op/s" in chart_cells.throughput(replace(found, cells=rough)).title


def test_rows_do_not_repeat_what_all_of_them_share():
    same = {"scenario": "s", "lane": "orm", "target": TARGET}
    first = Cell(**same, isolation="serializable", clients=8)
    second = Cell(**same, isolation="repeatable-read", clients=8)
    title, names = row_names("s", [first, second])
    assert (title, names) == ("s, orm, clients=8", ["serializable", "repeatable-read"])
    assert row_names("s", [first]) == ("s, clients=8", ["orm serializable"])
    assert row_names("s", [Cell(**same), second]) == (
        "s, orm",
        ["default", "repeatable-read clients=8"],
    )


def test_what_only_begins_like_a_shared_word_stays():
    cells = [
        Cell(scenario="s", lane=lane, target=TARGET, clients=16, rate=rate)
        for lane, rate in (("core", 5.0), ("orm", 50.0))
    ]
    shared, names = own_names(cells)
    assert shared == ["clients=16"]
    assert list(names.values()) == ["core rate=5", "orm rate=50"]


def with_ladder(findings):
    """*findings* with a ladder in their focus."""
    rungs = tuple(
        replace(one, cell=replace(one.cell, scenario=findings.focus, pool="5+0"))
        for one in sample().ladders[0].rungs
    )
    return replace(findings, ladders=(Ladder(findings.focus, findings.focus_target, rungs),))


def test_a_ladder_leaves_the_headline_of_pools_or_levels_to_their_chart(pools, levels):
    for one in (pools, levels):
        findings = with_ladder(one)
        title = chart_ladder.sketch(findings, findings.ladders[0], "ladder").title
        assert title != findings.headline
        assert title.startswith(f"Where the time goes: {findings.focus}, asyncpg, pool=5+0")


@WIDTHS
def test_the_longest_value_of_a_ladder_is_inside(narrow):
    findings = sample()
    ladder = findings.ladders[0]
    *below, last = ladder.rungs
    wide = replace(last.adds, value=250_000.0, low=-1_000_000.0, high=1_200_000.0)
    odd = replace(ladder, rungs=(*below, replace(last, adds=wide)))
    assert_all_inside(chart_ladder.sketch(findings, odd, "ladder"), narrow=narrow)


def test_each_line_of_a_pools_name_is_a_text_that_ends_at_the_axis(pools):
    """A browser has another font than matplotlib: what it right-aligns itself ends alike."""
    shown = painted(chart_pools.sketch(pools), narrow=True)
    assert not any("\n" in words for words, _ in shown)
    ends = {round(box.x1, 2) for words, box in shown if words in ("2+0", "timeout=0.05", "64+0")}
    assert len(ends) == 1


def test_who_shares_cores_has_a_line_of_its_own_where_cells_differ_in_it(levels):
    shown = [words for words, _ in painted(chart_cells.throughput(levels), narrow=False)]
    (mixed,) = (one for one in shown if "on separate cores" in one)
    better, placed = mixed.splitlines()
    assert better == "op/s: higher is better;"
    assert len(placed.split("; ")) == 2
