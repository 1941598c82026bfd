import dataclasses
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from importlib import resources
from pathlib import Path
from shutil import copytree

import pytest
from drawn_charts import drawn, words
from sample_findings import (
    many_aa,
    nearly_empty,
    one_block,
    sample,
    unusable,
    with_strings,
)

from ormbench.report.chart_axis import round_step, unit_of
from ormbench.report.chart_sheet import DARK, LIGHT, SENTINELS
from ormbench.report.charts import draw_all
from ormbench.report.sparkline import sparkline
from ormbench.report.write import write


@pytest.fixture(scope="module")
def drawings():
    return {one.name: one for one in draw_all(sample())}


def of_focus(findings):
    """The part of one scenario and one ladder: fewer words to draw."""
    mine = findings.focus
    return dataclasses.replace(
        findings,
        ladders=findings.ladders[:1],
        cells=tuple(one for one in findings.cells if one.cell.scenario == mine),
        comparisons=tuple(one for one in findings.comparisons if one.candidate.scenario == mine),
    )


def test_the_charts_are_ladders_forest_throughput_and_service_times(drawings):
    assert list(drawings) == ["ladder", "ladder_2", "forest", "throughput", "service_times"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with the whole run's report, and how many seconds that took."""
    folder, start = tmp_path_factory.mktemp("report"), time.perf_counter()
    write(sample(), folder)
    return folder, time.perf_counter() - start


def test_two_renderings_are_the_same_bytes(drawings, written):
    folder, _ = written
    page = (folder / "report.html").read_text(encoding="utf-8")
    for name, one in drawings.items():
        assert one.wide in page
        assert one.narrow in page
        for ending, told in ((".svg", one.standalone), ("-dark.svg", one.dark)):
            assert (folder / f"charts/{name}{ending}").read_bytes() == told.encode()
        assert (folder / f"charts/{name}.png").read_bytes() == one.png


def test_the_title_is_the_answer(drawings):
    assert drawings["ladder"].title == sample().headline
    assert drawings["forest"].title.startswith("Against the reference: 12 slower, 11 faster")
    assert "orm 455 µs [447, 463]" in drawings["service_times"].title


def test_ids_are_told_apart_by_chart_and_width(drawings):
    found = []
    for one in drawings.values():
        for svg in (one.wide, one.narrow):
            own = re.findall(r'\sid="([^"]+)"', svg)
            assert len(own) == len(set(own))
            links = re.findall(r'xlink:href="#([^"]+)"|url\(#([^)]+)\)', svg)
            assert {first or second for first, second in links} <= set(own)
            found += own
    assert len(found) == len(set(found))


def test_inline_charts_take_their_colours_from_the_page(drawings):
    for one in drawings.values():
        for svg in (one.wide, one.narrow):
            assert "var(--ink)" in svg
            assert not re.search(r"#[0-9a-fA-F]{6}\b", svg)
            assert "<metadata" not in svg
            assert "<style" not in svg


def test_files_have_real_colours_and_say_when_and_where_they_were_measured(drawings):
    for one in drawings.values():
        assert "var(" not in one.standalone
        assert SENTINELS.ink not in one.standalone
        shown = " ".join(words(one.standalone))
        for needed in ("2026-11-22", "SQLAlchemy 2.1.9", "share one core", "quick"):
            assert needed in shown
        assert one.title.split()[0] in shown
        assert one.png.startswith(b"\x89PNG")


def test_each_axis_says_which_direction_is_better(drawings):
    for name, direction in (
        ("ladder", "lower is better"),
        ("forest", "lower is better"),
        ("throughput", "higher is better"),
        ("service_times", "lower is better"),
    ):
        for svg in (drawings[name].wide, drawings[name].narrow):
            assert any(direction in text for text in words(svg))


def test_throughput_says_who_shares_a_core(drawings):
    assert any(
        "client and server share one core" in one for one in words(drawings["throughput"].wide)
    )
    assert "lient and server share one core" in drawings["throughput"].note


def test_an_undecided_rung_is_hollow_and_others_are_not(drawings):
    assert drawings["ladder"].wide.count("stroke-dasharray") == 1
    shown = words(drawings["ladder"].wide)
    assert sum("cannot tell" in text for text in shown) == 1
    assert "+24 µs [16, 32]" in shown


def test_the_forest_names_its_band_in_words(drawings):
    assert "what two identical lanes differ by here" in words(drawings["forest"].wide)
    assert "Grey: what two identical lanes differ by here" in drawings["forest"].note


def test_nothing_is_drawn_of_a_run_that_is_not_usable():
    assert draw_all(unusable()) == ()
    assert draw_all(nearly_empty()) == ()


def test_a_run_without_intervals_is_still_drawn():
    drawings = {one.name: one for one in draw_all(of_focus(one_block()))}
    assert list(drawings) == ["ladder", "forest", "throughput", "service_times"]
    shown = words(drawings["forest"].wide)
    assert "cannot tell (1 block)" in shown
    assert "what two identical lanes differ by here" not in shown


def test_names_are_text_not_markup_nor_mathematics():
    hostile = with_strings(of_focus(sample()), lambda text: f'{text}$x^2$<b>&"\x07\u6f22')
    for one in draw_all(hostile):
        shown = "".join(text or "" for text in words(one.standalone))
        assert "<b>" in shown
        assert "$x^2$" in shown
        assert "\x07" not in one.standalone
        assert "<b>" not in one.wide
        ET.fromstring(one.wide.replace(" xlink:", " xlink_"))


def test_a_whole_run_is_written_within_seconds(written):
    folder, seconds = written
    assert seconds < 20  # 3 s on an idle machine
    names = {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}
    assert {"report.html", "report.md", "cells.csv", "charts/forest.svg"} <= names


def test_stale_charts_go(tmp_path, written):
    folder, _ = written
    copytree(folder, tmp_path, dirs_exist_ok=True)
    assert {one.suffix for one in (tmp_path / "charts").iterdir()} == {".svg", ".png"}
    write(unusable(), tmp_path)
    assert list((tmp_path / "charts").iterdir()) == []


def test_many_aa_comparisons_alone_are_drawn():
    findings = many_aa()
    only = tuple(one for one in findings.comparisons if one.kind == "aa")
    forest = drawn(dataclasses.replace(findings, comparisons=only), "forest")
    assert forest.title == "Against the reference: 1 same"


def test_matplotlib_gets_a_cache_of_its_own_where_the_home_cannot_be_written(tmp_path):
    """A file as home folder: even root cannot make a folder in it."""
    home = tmp_path / "home"
    home.write_text("")
    code = (
        "from ormbench.report import quiet_matplotlib as q; q.prepare(); import os;"
        "print(os.environ.get('MPLCONFIGDIR', ''))"
    )
    known = {key: value for key, value in os.environ.items() if not key.startswith(("XDG", "MPL"))}
    outcome = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**known, "HOME": str(home), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(outcome.stdout.strip())
    assert folder.parent == tmp_path
    assert folder.is_dir()
    assert outcome.stderr == ""


def test_a_sparkline_keeps_the_order_of_the_blocks_and_small_noise_small():
    svg = str(sparkline([100e3, 101e3, 100e3, 99e3]))
    heights = [float(y) for _, y in re.findall(r"([\d.]+),([\d.]+)[ \"]", svg)]
    assert heights[1] < heights[0] < heights[3]
    assert max(heights) - min(heights) < 8
    assert "99.0 µs to 101 µs in 4 blocks" in svg
    assert sparkline([1.0]) == ""


def test_axis_steps_are_round():
    assert [round_step(value) for value in (0.9, 1.0, 1.2, 23, 60)] == [1.0, 1.0, 2.0, 50.0, 100.0]
    assert unit_of(2_500_000) == (1e6, "ms")


def test_the_dark_file_is_the_light_one_in_other_colours(drawings):
    for one in drawings.values():
        assert one.dark != one.standalone
        for field in dataclasses.fields(LIGHT):
            assert getattr(LIGHT, field.name) not in one.dark
        assert words(one.dark) == words(one.standalone)


def test_the_dark_file_has_the_colours_of_the_dark_page():
    css = resources.files("ormbench.report").joinpath("templates/report.css").read_text()
    dark = css.partition("prefers-color-scheme: dark")[2].partition("}\n}")[0]
    for field in dataclasses.fields(DARK):
        assert f"--{field.name}: {getattr(DARK, field.name)};" in dark
