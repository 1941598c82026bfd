"""Distance as an axis: which comparisons form a line, and what is said of it."""

import re
from dataclasses import replace

import distances
import pytest
from distances import (
    AIOMYSQL,
    ASYNCPG,
    RELAY_NS,
    RTTS,
    card,
    digested,
    ended,
    judged,
    line,
    panels_of,
    swept,
)
from fabricate import LANES, Oddities

from ormbench.cell import Cell
from ormbench.cli import main
from ormbench.report.cards import ORM_OR_CORE
from ormbench.report.digest import digest
from ormbench.report.digest_distance import achieved, fades_from, panels
from ormbench.report.distance_table import distance_tables
from ormbench.report.distance_words import verdict_of
from ormbench.results.folder import RunWriter, read


@pytest.fixture(scope="module")
def usual():
    """Three lanes with as many round trips each, at four distances."""
    return digested()


@pytest.fixture(scope="module")
def gap():
    """The same, but for the ORM at 1 ms."""
    return digested(oddities=ended("get_by_id", "orm", 1.0))


# Lines and panels


def test_each_lane_is_a_line_from_the_nearest_to_the_farthest(usual):
    (panel,) = panels_of(usual)
    assert panel.reference == Cell(scenario="get_by_id", lane="core", target=ASYNCPG)
    assert panel.rtts == RTTS
    assert {one.candidate.lane for one in panel.lines} == {"orm", "raw"}
    for one in panel.lines:
        assert [point.rtt for point in one.points] == list(RTTS)
        for point in one.points:
            assert point.found.candidate.rtt == point.found.reference.rtt == point.rtt


def test_a_constant_difference_fades_with_distance_and_one_of_trips_does_not():
    alike = line(digested(), "orm")
    ratios = [point.found.ratio.value for point in alike.points]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] == pytest.approx(1.25, rel=0.02)
    assert ratios[-1] < 1.02
    more = line(digested(trips={"orm": 4}), "orm")
    assert more.points[-1].found.ratio.value == pytest.approx(4 / 3, rel=0.02)


def test_lines_of_two_products_never_share_a_panel():
    found = panels_of(digested(rtts=(0.0, 1.0), targets=(ASYNCPG, AIOMYSQL)))
    assert [panel.reference.target for panel in found] == [ASYNCPG, AIOMYSQL]
    for panel in found:
        assert {one.candidate.target for one in panel.lines} == {panel.reference.target}


def test_a_panel_bears_four_lines_and_further_ones_have_another():
    found = panels_of(digested(rtts=(0.0, 1.0), lanes=tuple(LANES)))
    assert [len(panel.lines) for panel in found] == [4, 1]
    assert found[0].reference == found[1].reference


def test_the_trips_are_those_of_the_count_pass(usual):
    (panel,) = panels_of(usual)
    assert {one.count.span("round_trips") for one in [panel, *panel.lines]} == {(3, 3)}
    assert line(digested(rtts=(0.0, 1.0), trips={"orm": 102}), "orm").count.span("round_trips") == (
        102,
        102,
    )


def test_a_cell_without_a_number_is_a_missing_point_with_its_reason(gap):
    orm = line(gap, "orm")
    assert [bool(one.found) for one in orm.points] == [True, True, False, True]
    assert orm.points[2].missing == "TIMEOUT: no answer within 60 s"
    assert all(one.found for one in line(gap, "raw").points)


def test_no_stretch_of_a_line_goes_across_a_missing_point(gap):
    stretches = line(gap, "orm").stretches
    assert [[one.rtt for one in stretch] for stretch in stretches] == [[0.0, 0.5], [5.0]]


def test_a_reference_without_a_number_is_named_in_the_reason_of_every_line():
    found = digested(oddities=ended("get_by_id", "core", 5.0, "INCORRECT", "row 3 is missing"))
    for lane in ("orm", "raw"):
        assert line(found, lane).points[-1].missing == "core INCORRECT: row 3 is missing"


def test_what_went_past_the_relay_stands_first_and_is_joined_to_nothing():
    orm = line(digested(rtts=(0.0, None, 1.0)), "orm")
    assert [one.rtt for one in orm.points] == [None, 0.0, 1.0]
    assert [[one.rtt for one in stretch] for stretch in orm.stretches] == [[0.0, 1.0]]


@pytest.mark.parametrize("rtts", [(None,), (1.0,), (None, 0.0)])
def test_fewer_than_two_distances_make_no_chart_and_break_nothing(rtts):
    found = digested(rtts=rtts)
    assert panels_of(found) == ()
    assert distance_tables(found) == ()
    assert "ormbench run rtt" in card(found).verdict
    assert "+1 ms" not in " ".join(found.answer)


def test_a_line_of_which_one_distance_is_left_is_none():
    odd = Oddities(
        status={f"get_by_id/orm/{ASYNCPG}/rtt={rtt:g}": ("ERROR", "x") for rtt in (0.5, 1, 5)}
    )
    (panel,) = panels_of(digested(oddities=odd))
    assert [one.candidate.lane for one in panel.lines] == ["raw"]


def test_cells_compared_across_the_distance_itself_are_no_line(usual):
    turned = [
        replace(one, kind="axis", reference=replace(one.candidate, rtt=0.0))
        for one in usual.comparisons
        if one.candidate.rtt
    ]
    assert panels(turned, usual.cells) == ()


def test_what_the_relay_added_is_given_for_each_distance(usual):
    assert achieved(usual.cells) == {
        rtt: (rtt * 1e6 + RELAY_NS, rtt * 1e6 + RELAY_NS) for rtt in RTTS
    }


# Words


CORE = "ORM takes the same time as Core within 5 %"
SAYS = {
    ("slower", "slower"): "at +5 ms ORM takes 1.42x as long as Core, 1.42x at +0 ms",
    ("slower", "same"): f"at +5 ms {CORE}; at +0 ms ORM takes 1.42x as long",
    ("slower", "cannot tell"): (
        "at +5 ms this run cannot tell ORM from Core; at +0 ms ORM takes 1.42x as long"
    ),
    ("same", "slower"): (
        "at +5 ms ORM takes 1.42x as long as Core; at +0 ms they take the same time within 5 %"
    ),
    ("same", "same"): f"{CORE}, at +0 ms and at +5 ms",
    ("same", "cannot tell"): (
        "at +5 ms this run cannot tell ORM from Core; at +0 ms they take the same time within 5 %"
    ),
    ("cannot tell", "faster"): (
        "at +5 ms ORM takes 0.80x as long as Core; at +0 ms this run cannot tell"
    ),
    ("cannot tell", "same"): f"at +5 ms {CORE}; at +0 ms this run cannot tell",
    ("cannot tell", "cannot tell"): "this run cannot tell ORM from Core, at +0 ms and at +5 ms",
}


@pytest.mark.parametrize(("verdicts", "says"), SAYS.items())
def test_the_title_says_what_the_intervals_decide_at_both_ends_and_no_more(verdicts, says):
    near, far = verdicts
    assert verdict_of(judged((near, near, far, far))) == says


def test_a_far_end_without_a_number_gives_its_place_to_the_farthest_that_has_one():
    assert verdict_of(judged(("slower", "same", "same", None))).startswith("at +1 ms ORM")
    assert "at +0.5 ms ORM takes 1.42x as long" in verdict_of(
        judged((None, "slower", "same", "same"))
    )


def test_bounds_stand_beside_both_ends_in_the_answer():
    told = verdict_of(judged(("slower", "slower", "same", "same")), bounds=True)
    assert told == f"at +5 ms {CORE} [0.99, 1.03]; at +0 ms ORM takes 1.42x as long [1.40, 1.44]"


@pytest.mark.parametrize(
    ("verdicts", "rtt"),
    [
        (("slower", "slower", "same", "same"), 1.0),
        (("slower", "slower", "slower", "same"), 5.0),
        (("same", "same", "same", "same"), None),
        (("slower", "same", "slower", "same"), 5.0),
        (("slower", "same", "slower", "slower"), None),
        (("slower", "same", "same", "cannot tell"), None),
        (("slower", None, "same", "same"), None),
        (("slower", "same", None, "same"), None),
    ],
)
def test_a_difference_fades_from_where_all_that_is_farther_is_the_same(verdicts, rtt):
    assert fades_from(judged(verdicts)) == rtt


def test_headline_answer_and_card_are_about_the_distance(usual):
    assert usual.headline.startswith("At +5 ms ORM takes the same time as Core within 5 %")
    first, fades, sent = usual.answer
    assert re.search(r"at \+0 ms ORM takes 1\.2\d+x as long \[1\.2", first)
    assert fades == "From +0.5 ms on they take the same time within 5 %."
    assert sent == "Both send 3 round trips."
    assert card(usual).measured
    assert card(usual).detail.endswith("both send 3 round trips; for get_by_id on asyncpg")


def test_lanes_of_unlike_trips_are_told_with_both_numbers():
    found = digested(rtts=(0.0, 5.0), trips={"orm": 4}, scenarios=("get_by_id", "bulk_create"))
    assert "ORM sends 4 round trips, Core 3." in found.answer
    assert any(
        one.startswith("ORM over Core elsewhere: bulk_create at +5 ms 1.3") for one in found.answer
    )


def test_each_other_product_has_its_own_words_on_the_card():
    found = digested(rtts=(0.0, 1.0), targets=(ASYNCPG, AIOMYSQL))
    ((product, told),) = card(found).others
    assert product == "MySQL"
    assert told.startswith("aiomysql: at +1 ms ORM takes ")


def test_orm_or_core_on_another_product_names_its_distance_too():
    found = digested(targets=(ASYNCPG, AIOMYSQL))
    ((_, told),) = next(one for one in found.cards if one.question == ORM_OR_CORE).others
    assert told.startswith("aiomysql: ORM takes ")
    assert told.endswith(" at +0 ms")


def test_a_run_that_is_no_evidence_says_nothing_of_distance():
    found = digested(oddities=Oddities(aa_shift=0.2))
    assert not found.trust.usable
    assert card(found).verdict == "no answer"
    assert "as long as" not in found.headline
    assert distance_tables(found) == ()


@pytest.mark.parametrize(
    ("cell", "rtts"),
    [
        ("get_by_id/orm", ["0", "0.5", "1", "5"]),
        (f"get_by_id/orm/{ASYNCPG}", ["0", "0.5", "1", "5"]),
        (f"get_by_id/orm/{ASYNCPG}/rtt=0", ["0"]),
        (f"get_by_id/orm/{ASYNCPG}/rtt=0.5", ["0.5"]),
        (f"get_by_id/orm/{ASYNCPG}/rtt=2", []),
    ],
)
def test_explain_finds_a_cell_at_its_distance_and_no_other(tmp_path, capsys, cell, rtts):
    record = swept(blocks=1)
    with RunWriter.create(tmp_path, record.manifest) as writer:
        for block in record.blocks:
            writer.append(block)
    assert main(["explain", cell, "--run", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert re.findall(rf"get_by_id/orm/{re.escape(ASYNCPG)}/rtt=([\d.]+): OK", out) == rtts


def test_a_folder_gives_back_the_distances_that_were_measured(tmp_path):
    record = swept(blocks=1)
    with RunWriter.create(tmp_path, record.manifest) as writer:
        for block in record.blocks:
            writer.append(block)
    again = read(tmp_path)
    assert again.manifest.groups == record.manifest.groups
    assert panels_of(digest(again, "x"))[0].rtts == RTTS


@pytest.mark.parametrize(("late", "doubted"), [(60_000, 0), (700_000, 1)])
def test_a_distance_that_came_out_far_from_what_was_asked_is_a_doubt(late, doubted, monkeypatch):
    monkeypatch.setattr(distances, "RELAY_NS", late)
    found = digest(swept(rtts=(0.0, 0.5)), "here")
    doubts = [one for one in found.trust.doubts if one.code == "distance"]
    assert len(doubts) == doubted
    assert not any(one.fatal for one in doubts)
    assert all("the relay added" in one.seen and one.cells for one in doubts)
