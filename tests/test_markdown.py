import csv
import dataclasses
import io
import re

import pytest
from sample_findings import (
    many_aa,
    nearly_empty,
    one_block,
    sample,
    unusable,
    with_strings,
)

from ormbench.report import markdown, table
from ormbench.report.markdown import code, plain

HOSTILE = "`@team|#1 </details><img src=x>\n```\n| x | ~~~ [a](javascript:b) *b* =1"


def test_the_answer_comes_first_and_the_rest_is_folded():
    text = markdown.render(sample())
    lines = text.splitlines()
    assert lines[0] == f"### {sample().headline}"
    assert lines[2].startswith("ORM takes 1.10x as long as Core: +43 µs [38, 49] per operation")
    before, _, after = text.partition("<details>")
    assert "| `orm` | `asyncpg` | 455 µs [447, 463] |" in before
    assert "▲ 1.10x [1.08, 1.13]" in before
    assert "**Trust** usable" in before
    assert "find_by_specialty" not in before
    assert "find_by_specialty: orm" in after
    assert text.count("<details>") == text.count("</details>") == 8


def test_a_run_that_is_not_usable_shows_no_times():
    text = markdown.render(unusable())
    assert text.startswith("### No answer: this run is not evidence\n\ntwo identical lanes")
    assert "x [" not in text
    assert not re.search(r"\d (?:µs|ms|op/s)", text)


@pytest.mark.parametrize("make", [many_aa, one_block, nearly_empty])
def test_odd_runs_are_rendered_too(make):
    text = markdown.render(make())
    assert "**Trust**" in text
    assert (make is many_aa) == ("1 of 100 A/A comparisons" in text)


def test_a_large_run_stays_below_what_a_comment_may_hold():
    findings = sample()
    long = with_strings(findings, lambda text: text + " <&>" * 200)
    for one in (
        dataclasses.replace(findings, cells=findings.cells * 60),
        dataclasses.replace(long, cells=long.cells * 20, does_not_say=("x" * 900,) * 90),
    ):
        text = markdown.render(one)
        assert len(text) < 60_000
    assert "more lines: see the report." in markdown.render(
        dataclasses.replace(findings, cells=findings.cells * 60)
    )


def test_no_name_or_text_breaks_out_of_its_place():
    text = markdown.render(with_strings(sample(), lambda text: text + HOSTILE))
    text = re.sub(r"^(```+)console.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"[@#](?=\w)", text)
    outside = re.sub(r"(?<!\\)`[^`\n]*`", "", text)
    assert "<img" not in outside
    assert outside.count("<details>") == outside.count("</details>") == 8
    assert "~~~" not in outside
    assert not re.search(r"(?<!\\)\]\(", outside)
    width = 0
    for line in (line for line in text.splitlines() if line.startswith("| ")):
        pipes = len(re.findall(r"(?<!\\)\|", line))
        heads = line.startswith(("| lane", "| cell", "| comparison"))
        width = pipes if heads else width
        assert pipes == width, line
    assert width


def test_a_code_span_holds_no_backtick_pipe_mention_or_newline():
    assert code("a`b|c@d#1\ne") == "`a'b\u00a6c@\u200bd#\u200b1 e`"
    assert code("") == ""


def test_an_interval_needs_no_backslashes_and_a_link_gets_them():
    assert plain("1.10x [1.08, 1.13]") == "1.10x [1.08, 1.13]"
    assert plain("[x](y)") == r"\[x\](y)"
    assert plain("[1, 2](y)") == r"\[1, 2\](y)"


def test_the_command_can_be_copied_as_it_stands():
    command = "ormbench ab @main '@. pool=20+0' ```"
    text = markdown.render(dataclasses.replace(sample(), reproduce=command))
    assert f"````console\n{command}\n````\n" in text


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_csv_has_one_row_a_cell_with_units_in_its_columns_and_full_numbers():
    rows = read(table.render(sample()))
    assert len(rows) == 25
    orm = next(row for row in rows if row["cell"] == "get_by_id/orm/postgresql+asyncpg")
    found = next(one for one in sample().cells if one.cell.id == orm["cell"])
    assert float(orm["service_mean_ns_per_op"]) == found.service.value
    assert float(orm["throughput_op_per_s"]) == found.throughput.value
    assert int(orm["service_p99_ns"]) == found.percentiles[-1][1]
    assert orm["verdict"] == "slower"
    assert orm["reference"] == "get_by_id/core/postgresql+asyncpg"
    assert orm["run_usable"] == "yes"


def test_the_csv_leaves_empty_what_was_not_measured():
    wrong = next(row for row in read(table.render(sample())) if row["status"] == "INCORRECT")
    assert wrong["service_mean_ns_per_op"] == wrong["verdict"] == ""
    assert wrong["reason"].startswith("turn 3")
    for row in read(table.render(one_block())):
        assert row["service_mean_low_ns_per_op"] == ""


def test_the_csv_of_a_run_that_is_not_usable_says_so_and_has_no_verdicts():
    rows = read(table.render(unusable()))
    assert {row["run_usable"] for row in rows} == {"no"}
    assert {row["time_ratio_to_reference"] for row in rows} == {""}
    assert table.render(nearly_empty()) == "run\r\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\r="])
def test_no_cell_of_the_csv_is_a_formula(start):
    hostile = with_strings(sample(), lambda text: f'{start}cmd|"x",\n{text}')
    rows = read(table.render(hostile))
    assert len(rows) == 25
    for row in rows:
        for value in row.values():
            assert not value.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
