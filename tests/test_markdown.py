import dataclasses
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

from ormbench.report import markdown

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


def test_the_command_can_be_copied_as_it_stands():
    command = "ormbench ab @main '@. pool=20+0' ```"
    text = markdown.render(dataclasses.replace(sample(), reproduce=command))
    assert f"````console\n{command}\n````\n" in text
