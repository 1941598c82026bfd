import dataclasses
import io
import sys

import pytest
from sample_findings import (
    many_aa,
    nearly_empty,
    one_block,
    sample,
    unusable,
    with_strings,
)

from ormbench.cell import Cell
from ormbench.report.terminal import render
from ormbench.report.terminal_lines import Block, fit
from ormbench.report.terminal_scale import Scale

RUNS = {
    "usable": sample,
    "unusable": unusable,
    "many A/A": many_aa,
    "one block": one_block,
    "empty": nearly_empty,
}


def crowded():
    """A focus of twenty lanes, a long answer, long names, many scenarios."""
    findings = sample()
    focus = [one for one in findings.cells if one.cell.scenario == findings.focus]
    more = tuple(
        dataclasses.replace(
            focus[0], cell=dataclasses.replace(focus[0].cell, lane=f"a_very_long_lane_name_{n}")
        )
        for n in range(20)
    )
    others = tuple(
        dataclasses.replace(
            findings.comparisons[4],
            candidate=Cell(scenario=f"scenario_{n}", lane="orm", target=findings.focus_target),
            reference=Cell(scenario=f"scenario_{n}", lane="core", target=findings.focus_target),
        )
        for n in range(12)
    )
    return dataclasses.replace(
        findings,
        cells=findings.cells + more,
        comparisons=findings.comparisons + others,
        answer=findings.answer * 5,
        path="results/local/" + "long" * 30,
        next_steps=findings.next_steps * 4,
    )


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("make", [*RUNS.values(), crowded], ids=[*RUNS, "crowded"])
def test_the_block_is_at_most_80_columns_and_24_lines(make, plain):
    lines = render(make(), plain=plain).splitlines()
    assert len(lines) <= 24
    assert max(len(line) for line in lines) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_the_answer_comes_before_the_table_and_the_path_last():
    text = render(sample(), plain=False)
    places = [
        text.index(word)
        for word in (" ANSWER ", " lane ", " driver ", " TRUST ", " SCOPE ", " report ", " next ")
    ]
    assert places == sorted(places)
    assert "results/local/2026-11-22-1410-quick/report.html" in text


def test_each_lane_has_its_time_a_dot_and_a_ratio_with_interval():
    line = next(one for one in render(sample()).splitlines() if one.startswith(" orm "))
    assert "455" in line
    assert "-o" in line
    assert "1.10x [1.08, 1.13]" in line


def test_the_reference_lane_says_so():
    line = next(one for one in render(sample()).splitlines() if one.startswith(" core "))
    assert "reference" in line
    assert "x [" not in line


def test_a_verdict_that_is_no_difference_stands_in_the_ratios_place():
    findings = sample()
    first = next(one for one in findings.comparisons if one.candidate.lane == "orm")
    near = dataclasses.replace(first.ratio, value=1.01, low=0.96, high=1.07)
    undecided = dataclasses.replace(first, ratio=near, verdict="cannot tell")
    text = render(dataclasses.replace(findings, comparisons=(undecided,)))
    line = next(one for one in text.splitlines() if one.startswith(" orm "))
    assert "cannot tell [0.96, 1.07]" in line
    assert "1.01x" not in line


def test_a_run_that_is_not_usable_has_no_answer_no_time_and_no_ratio():
    text = render(unusable(), plain=False)
    assert text.startswith(" TRUST   NOT USABLE: two identical lanes")
    assert "no answer: two identical lanes came out different" in " ".join(text.split())
    assert "ANSWER" not in text
    assert "remedy" in text
    table = text[text.index(" lane ") : text.index(" report ")]
    assert "µs" not in table
    assert "x [" not in text


def test_the_number_of_aa_comparisons_called_different_is_shown_where_there_are_many():
    count = "1 of 100 A/A comparisons called different at 99 %"
    assert count in render(many_aa())
    assert count not in render(sample())


def test_wrong_answers_stay_in_the_table_with_their_reason():
    findings = sample()
    cells = tuple(
        dataclasses.replace(one, status="INCORRECT", reason="99 rows, not 100", service=None)
        if one.cell.lane == "orm"
        else one
        for one in findings.cells
    )
    line = next(
        one
        for one in render(dataclasses.replace(findings, cells=cells)).splitlines()
        if one.startswith(" orm ")
    )
    assert "INCORRECT: 99 rows, not 100" in line


def test_plain_text_is_ascii_and_reads_the_same():
    text = render(sample(), plain=True)
    assert text.isascii()
    assert "+43 us [38, 49]" in text
    assert ">= 2 %" in text


def test_plain_is_chosen_by_what_standard_output_can_say(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert render(sample()).isascii()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert "µs" in render(sample())


def test_colour_only_repeats_the_words():
    plain, coloured = render(unusable()), render(unusable(), colour=True)
    assert "\x1b[" in coloured
    assert "\x1b[" not in plain
    assert coloured.replace("\x1b[1m", "").replace("\x1b[31m", "").replace("\x1b[0m", "") == plain


def test_full_puts_every_cell_comparison_and_warning_above_the_block():
    text = render(sample(), full=True)
    assert text.endswith(render(sample()))
    assert "raw_pool psycopg" in text
    assert "get_by_id: psycopg / asyncpg (orm)" in text
    assert "block 8 is 3 % slower" in text
    assert "INCORRECT: turn 3: the lane gave 99 rows" in text
    assert "aiomysql has no COPY" in text


def test_full_shows_no_ratio_of_a_run_that_is_not_usable():
    text = render(unusable(), full=True)
    assert "x [" not in text
    assert "op/s" not in text


def test_no_string_can_steer_the_terminal():
    hostile = with_strings(sample(), lambda text: f"{text}\x1b[2J\r\n\x9b1m\u202e")
    for text in (render(hostile, full=True), render(hostile, full=True, plain=True)):
        assert not set(text) & set("\x1b\r\x9b\u202e")


def test_the_scale_has_round_ticks_above_their_columns():
    scale = Scale.over(iter([203e3, 455e3]), 24)
    ticks = scale.ticks(plain=True)
    assert ticks.split("  ")[0] == "0"
    assert "200 us" in ticks
    assert scale.bar(455e3).index("o") == 23
    assert scale.bar(0.0).startswith("o")
    assert len(scale.bar(203e3)) == len(ticks) == 24


def test_gaps_give_way_before_lines_and_short_blocks_keep_their_least():
    blocks = [Block(("a",), 1), Block(("b", "c", "d"), 2), Block(("e",), 1)]
    assert fit(list(blocks), 7) == ["a", "", "b", "c", "d", "", "e"]
    assert fit(list(blocks), 5) == ["a", "", "b", "c ...", "e"]
    assert fit(list(blocks), 1) == ["a", "b", "c ...", "e"]
