"""A level or lane that loses updates or breaks an invariant wins nowhere, however fast it is."""

import csv
import io
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from distances import digested as at_distances
from distances import panels_of
from isolation_runs import ASYNCPG, RC, RR, SERIAL, Fate, digested, isolated

from ormbench.report import quiet_matplotlib
from ormbench.report.comparison_words import short_ratio, wrong_words

quiet_matplotlib.prepare()

from ormbench.report import chart_cells, chart_forest, questions  # noqa: E402 - prepared above
from ormbench.report.cards import DRIVER, ORM_OR_CORE, cards  # noqa: E402 - prepared above
from ormbench.report.chart_sheet import LIGHT, draw  # noqa: E402 - prepared above
from ormbench.report.digest import digest  # noqa: E402 - prepared above
from ormbench.report.focus import Focus  # noqa: E402 - prepared above
from ormbench.report.html import render as page_of  # noqa: E402 - prepared above
from ormbench.report.markdown import render as comment_of  # noqa: E402 - prepared above
from ormbench.report.method import method_lines  # noqa: E402 - prepared above
from ormbench.report.reading_order import in_reading_order  # noqa: E402 - prepared above
from ormbench.report.rows import cell_rows, comparison_rows  # noqa: E402 - prepared above
from ormbench.report.sentences import answer, headline  # noqa: E402 - prepared above
from ormbench.report.table import render as csv_of  # noqa: E402 - prepared above
from ormbench.report.terminal import render as terminal_of  # noqa: E402 - prepared above

SVG = "{http://www.w3.org/2000/svg}"
RATIO = re.compile(r"\d+\.\d+x")
FAST = 50_000  # operations per second: nothing else comes near
CHEATS = {
    ("orm", SERIAL): Fate(400, aborts=300),
    ("orm", RR): Fate(500, aborts=200),
    ("orm", RC): Fate(FAST, lost=10),
    ("core", SERIAL): Fate(600, aborts=300),
    ("core", RC): Fate(FAST, broken=10),
}
LANES = {
    ("core", None): Fate(1_000),
    ("raw", None): Fate(1_500),
    ("orm", None): Fate(FAST, lost=10),
}


@pytest.fixture(scope="module")
def found():
    """READ COMMITTED is a hundred times as fast, and loses or breaks 10 of 1,000."""
    return digested(CHEATS, reference=f"isolation={SERIAL}")


@pytest.fixture(scope="module")
def lanes():
    """Only the ORM loses updates, at the server's default, and it is the fastest of three."""
    return digested(LANES, reference="lane=core", others=[("transfer", ASYNCPG, LANES)])


def wrong(findings):
    return [one for one in findings.cells if one.wrong]


def texts(svg):
    return [one.text or "" for one in ET.fromstring(svg).iter(f"{SVG}text")]


def compared(findings, candidate, reference):
    return next(
        one
        for one in findings.comparisons
        if (one.candidate.isolation, one.reference.isolation) == (candidate, reference)
        and one.candidate.lane == one.reference.lane == "orm"
    )


def test_a_comparison_with_lost_updates_has_its_own_verdict_and_no_ratio(found):
    one = compared(found, RC, SERIAL)
    assert one.verdict == "wrong data"
    assert [(w.cell, w.lost, w.broken) for w in one.wrong] == [(one.candidate, 128, 0)]
    for estimate in (one.ratio, one.total_ratio, one.difference, one.cpu_difference):
        assert math.isnan(estimate.value)
        assert (estimate.low, estimate.high) == (-math.inf, math.inf)
    assert one.block_ratios == ()


def test_a_reference_that_loses_updates_gives_no_ratio_either():
    findings = digested({("orm", RC): Fate(FAST, lost=1), ("orm", SERIAL): Fate(400)})
    one = compared(findings, SERIAL, RC)
    assert (one.verdict, [w.cell.isolation for w in one.wrong]) == ("wrong data", [RC])
    assert short_ratio(one) == "against wrong data"


def test_a_broken_invariant_is_wrong_data_as_a_lost_update_is(found):
    broken = next(one for one in found.comparisons if one.wrong and one.wrong[0].broken)
    assert broken.verdict == "wrong data"
    assert wrong_words(broken).endswith("breaks the invariant 10 times per 1,000 operations")


def test_comparisons_of_right_data_keep_their_ratio(found):
    one = compared(found, RR, SERIAL)
    assert one.verdict == "faster"
    assert one.wrong == ()


def test_identical_lanes_that_both_lose_updates_still_measure_the_noise():
    record = isolated({("orm", RC): Fate(900, lost=500), ("orm", SERIAL): Fate(400)})
    group = record.manifest.groups[0]
    losing = group.cells[0]
    pair = replace(
        group,
        name="twins",
        cells=(losing, losing),
        contrasts=(replace(group.contrasts[0], kind="aa"),),
    )
    blocks = tuple(
        replace(
            block,
            trials=(
                *block.trials,
                *(replace(block.trials[-2], group="twins", arm=arm) for arm in (0, 1)),
            ),
        )
        for block in record.blocks
    )
    manifest = replace(record.manifest, groups=(*record.manifest.groups, pair))
    findings = digest(replace(record, manifest=manifest, blocks=blocks), "x")
    twins = next(one for one in findings.comparisons if one.group == "twins")
    assert twins.wrong
    assert twins.verdict == "same"
    assert twins.ratio.value == 1


def test_a_cell_with_wrong_data_has_no_time_in_any_rendering(found):
    assert {one.cell.isolation for one in wrong(found)} == {RC}
    for one in wrong(found):
        assert one.status == "WRONG DATA"
        assert (one.service, one.throughput, one.client_cpu) == (None, None, None)
        assert one.percentiles == one.block_means == ()
        assert one.goodput is not None
    assert "loses 10 updates per 1,000 operations" in {one.reason for one in wrong(found)}


def test_the_forest_writes_wrong_data_and_marks_only_the_others(found, monkeypatch):
    marked, real = [], chart_forest.mark

    def mark(verdict, palette):
        marked.append(verdict)
        return real(verdict, palette)

    monkeypatch.setattr(chart_forest, "mark", mark)
    drawing = draw(chart_forest.sketch(in_reading_order(found)), "")
    assert drawing.title == "Against the reference: 2 faster, 2 wrong data"
    legend = ["slower", "faster", "same", "cannot tell"]
    assert marked == [*legend, "faster", "faster"] * 3  # in each of its three forms
    shown = texts(drawing.wide)
    assert "wrong data: loses 10 per 1,000" in shown
    assert "wrong data: breaks 10 per 1,000" in shown
    assert sum(bool(RATIO.search(one)) and "[" in one for one in shown) == 2


def test_a_mark_for_wrong_data_does_not_exist():
    with pytest.raises(KeyError):
        chart_forest.mark("wrong data", LIGHT)


def test_a_forest_of_nothing_but_wrong_data_can_be_drawn():
    findings = digested({("orm", RC): Fate(FAST, lost=10), ("orm", SERIAL): Fate(400)})
    drawing = draw(chart_forest.sketch(findings), "")
    assert drawing.title == "Against the reference: 1 wrong data"
    assert "wrong data: reference loses 10 per 1,000" in texts(drawing.wide)


def test_no_chart_of_times_has_a_cell_with_wrong_data(found):
    for sketch in (chart_cells.throughput(found), chart_cells.service_times(found)):
        shown = texts(draw(sketch, "").wide)
        assert not any(RC in one for one in shown)
        assert any(SERIAL in one for one in shown)


def test_the_headline_and_the_answer_speak_of_what_was_lost_and_of_no_time(lanes):
    assert "ORM" not in lanes.headline
    assert lanes.headline.startswith("The driver's pool takes 0.67x as long as Core for hot_row")
    assert "ORM loses 10 updates per 1,000 operations and is no choice." in lanes.answer
    assert not any("ORM takes" in one or "ORM over" in one for one in lanes.answer)


def test_where_nothing_else_was_compared_the_headline_is_what_was_lost():
    two = {way: fate for way, fate in LANES.items() if way[0] != "raw"}
    findings = digested(two, reference="lane=core")
    assert findings.headline == "ORM loses 10 updates per 1,000 operations for hot_row"
    assert findings.answer == (f"{findings.headline}.",)


def test_no_card_has_a_cost_of_wrong_data():
    two = {way: fate for way, fate in LANES.items() if way[0] != "raw"}
    findings = digested(two, reference="lane=core")
    card = next(one for one in findings.cards if one.question == ORM_OR_CORE)
    assert (card.verdict, card.measured) == ("wrong data", True)
    assert card.detail.startswith("ORM loses 10 updates per 1,000 operations for hot_row")
    assert not any(RATIO.search(one.verdict + one.detail) for one in findings.cards)


def test_no_mean_over_lanes_is_made_of_wrong_data(lanes):
    psycopg = "postgresql+psycopg"
    one = next(one for one in lanes.comparisons if one.wrong)
    cell = replace(one.candidate, target=psycopg)
    told = replace(one.wrong[0], cell=cell)
    pairs = [replace(one, kind="target", candidate=cell, wrong=(told,))]
    focus = Focus("hot_row", ASYNCPG)
    card = next(one for one in cards(pairs, focus, lanes.trust) if one.question == DRIVER)
    assert card.verdict == "wrong data"
    assert not RATIO.search(card.detail)


def test_other_scenarios_are_listed_without_those_that_lose_updates():
    right = {way: Fate(1_000 if way[0] == "core" else 800) for way in LANES}
    findings = digested(
        right,
        scenario="disjoint_rows",
        reference="lane=core",
        others=[("hot_row", ASYNCPG, LANES), ("transfer", ASYNCPG, right)],
    )
    told = " ".join(findings.answer)
    assert "elsewhere: transfer 1.2" in told
    assert "hot_row" not in told
    assert [one.candidate.scenario for one in questions.elsewhere(findings)[1]] == ["transfer"]
    card = next(one for one in findings.cards if one.question == ORM_OR_CORE)
    assert "transfer" in card.detail
    assert "hot_row" not in card.detail


def test_no_ladder_has_a_rung_that_does_not_do_its_work(lanes):
    assert lanes.ladders == ()
    right = digested({way: replace(fate, lost=0) for way, fate in LANES.items()})
    assert right.ladders


def test_a_line_over_distance_has_a_gap_where_data_are_wrong():
    findings = at_distances(rtts=(0.0, 0.5, 1.0))
    changed = tuple(
        replace(one, verdict="wrong data")
        if (one.candidate.lane, one.candidate.rtt) == ("orm", 0.5)
        else one
        for one in findings.comparisons
    )
    line = next(
        line
        for line in panels_of(replace(findings, comparisons=changed))[0].lines
        if line.candidate.lane == "orm"
    )
    assert [one.found is None for one in line.points] == [False, True, False]


def test_the_terminal_shows_no_time_and_no_ratio_of_wrong_data(found):
    for full in (False, True):
        lines = terminal_of(found, full=full, width=120).splitlines()
        rows = [one for one in lines if f"isolation={RC}" in one or "isolation=read" in one]
        assert rows
        assert not any(RATIO.search(one) or " us" in one or " ms" in one for one in rows)
        assert any("WRONG DATA: loses 10 updates per 1,000 operations" in one for one in rows)
    assert len(terminal_of(found).splitlines()) <= 24


def test_the_comment_shows_no_time_and_no_ratio_of_wrong_data(found):
    rows = [one for one in comment_of(found).splitlines() if RC in one and one.startswith("|")]
    told = [one for one in rows if "WRONG DATA" in one or "wrong data" in one]
    assert len(told) >= len(wrong(found))
    assert not any(RATIO.search(one) for one in rows)
    assert not any(re.search(r"\d (µs|ms) \[", one) for one in rows)


def test_sorting_the_page_by_any_number_puts_wrong_data_last(found):
    rows = {row.finding.cell: row for row in cell_rows(found)}
    for one in wrong(found):
        row = rows[one.cell]
        assert not row.ok
        numbers = (row.mean, row.throughput, row.slowest, row.ratio)
        assert [shown.sort for shown in numbers] == [""] * 4
    page = page_of(found)
    assert "<strong>WRONG DATA</strong> loses 10 updates per 1,000 operations" in page


def test_the_table_of_comparisons_says_who_lost_how_many(found):
    told = [row for row in comparison_rows(found) if row.ratio.verdict == "wrong data"]
    assert len(told) == 2
    for row in told:
        assert row.ratio.mark == "✕"
        assert row.ratio.sort == ""
        assert (row.difference, row.cpu, row.total, row.stalls) == ("", "", "", "")
    assert any("loses 10 updates per 1,000 operations" in row.ratio.text for row in told)


def test_no_column_of_the_csv_can_be_sorted_so_that_wrong_data_come_first(found):
    rows = list(csv.DictReader(io.StringIO(csv_of(in_reading_order(found)), newline="")))
    wanted = re.compile(r"^(service|throughput|client_cpu|goodput(_low|_high)?_op|time_ratio)")
    columns = [name for name in rows[0] if wanted.match(name)]
    assert {"goodput_op_per_s", "throughput_op_per_s", "service_mean_ns_per_op"} <= {*columns}
    ours = [row for row in rows if row["isolation"] == RC]
    assert len(ours) == len(wrong(found))
    for row in ours:
        assert row["status"] == "WRONG DATA"
        assert [row[name] for name in columns] == [""] * len(columns)
        assert row["verdict"] == "wrong data"
        assert float(row["goodput_beside_wrong_data_op_per_s"]) > FAST / 2
    lost = sum(float(row["lost_updates_per_1000_op"]) for row in ours)
    assert lost == pytest.approx(10)


def test_the_method_says_where_verdicts_come_from(found):
    right = digested({("orm", RR): Fate(900), ("orm", SERIAL): Fate(400)})
    assert dict(method_lines(right))["Interval"].endswith("Verdicts come from the interval alone.")
    assert (
        "the verdict is wrong data, and there is no time." in dict(method_lines(found))["Interval"]
    )


def test_sentences_find_no_winner_even_if_asked_for_wrong_data_alone(lanes):
    only = [one for one in lanes.comparisons if one.candidate.lane == "orm" and one.wrong]
    focus = Focus("hot_row", ASYNCPG)
    for said in (headline(only, focus), *answer(only, (), focus, 200.0, lanes.cells)):
        assert not RATIO.search(said)
        assert "takes" not in said
