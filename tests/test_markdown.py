import dataclasses
import re

import batch_runs
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
from ormbench.report.findings import Doubt

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
    assert text.count("<details>") == text.count("</details>") == 9


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
        assert text.count("<details>") == text.count("</details>") > 3
        assert re.search(r"[\d,]+ more rows?: see the report\.\n\n</details>", text)


def test_what_has_no_room_is_named_and_what_trust_needs_has_room_first():
    text = markdown.render(dataclasses.replace(sample(), cells=sample().cells * 60))
    folds = re.findall(r"<details><summary>(.*?)</summary>\n\n(.*?)\n\n</details>", text, re.DOTALL)
    assert [title for title, _ in folds] == [
        f"{len(sample().trust.doubts)} warnings",
        "How many cells, and how they ended",
        "Environment",
        "Method",
        "What each lane does",
        f"{len(sample().comparisons)} comparisons",
        "All 1500 cells",
    ]
    assert all(re.search(r"^(- |\| `)", body, re.MULTILINE) for _, body in folds)
    *_, last = text.splitlines()
    assert last.startswith("**Left out** for the length of a comment: Counts of one operation (")
    assert "; SQL of each cell (1,500 rows). See report.html" in last


def test_a_command_that_is_too_long_is_not_cut_in_its_middle():
    text = markdown.render(dataclasses.replace(sample(), reproduce="ormbench run x " * 9_000))
    assert "The command that makes this run again is too long for here" in text
    assert "ormbench run x" not in text
    assert len(text) < 60_000


def test_each_card_says_its_verdict_and_the_other_products_below():
    card = dataclasses.replace(
        sample().cards[1], verdict="A takes 2x", detail="4 of 4", others=(("MySQL", "B takes 3x"),)
    )
    unmeasured = dataclasses.replace(card, measured=False, others=())
    text = markdown.render(dataclasses.replace(sample(), cards=(card, unmeasured)))
    question = card.question
    assert f"- **{question}** A takes 2x; 4 of 4\n- {question} **MySQL**: B takes 3x\n" in text
    assert text.count(f"- **{question}**") == 1


def test_the_name_of_each_lane_is_explained_once():
    text = markdown.render(sample())
    start = text.index("<summary>What each lane does")
    key = text[start : text.index("</details>", start)].splitlines()[2:]
    said = [line for line in key if line.startswith("- `get_by_id` `orm`: ")]
    (cell, *_) = [one for one in sample().cells if one.cell.lane == "orm"]
    assert len(said) == 1
    assert cell.label in said[0]
    assert said[0].endswith(f"<{cell.docs}>")


def test_a_number_that_nobody_asked_for_is_a_dash_and_no_cell_is_blank():
    lanes, batches = batch_runs.LANES, batch_runs.BATCHES
    wanted = [(lane, batch) for lane in lanes for batch in batches if lane != "copy" or batch == 10]
    broken = {batch_runs.cell_id("add_all", 100): ("SKIPPED", "slow")}
    broken[batch_runs.cell_id("add_all", 1_000)] = ("SKIPPED", "slow")
    found = batch_runs.digested(status=broken)
    cells = [one for one in found.cells if (one.cell.lane, one.cell.batch) in wanted]
    text = markdown.render(dataclasses.replace(found, cells=tuple(cells)))
    rows = [
        line for line in text.splitlines() if line.startswith(("| `copy` | ", "| `add_all` | "))
    ]
    assert rows
    assert not [row for row in rows if "|  |" in row or "not asked for" in row]
    (copy, *_) = [row for row in rows if row.startswith("| `copy` | ")]
    assert copy.startswith("| `copy` | \u2013 | ")
    assert copy.endswith(" | \u2013 | \u2013 |")
    assert "\n\n\u2013: not in this plan.\n" in text
    assert any(row.endswith("| SKIPPED: slow | as left |") for row in rows)


def test_the_largest_doubt_stands_beside_the_trust_line():
    few = Doubt("few-samples", "a/b", "8 operations", "c", "r", cells=("a/b",))
    drift = Doubt("drift", "run", "9 cells differ by 160 %", "c", "r", cells=tuple("abcdefghi"))
    whole = Doubt("foreign-load", "run", "others used 20 %", "c", "r")

    def told(*doubts):
        trust = dataclasses.replace(sample().trust, doubts=doubts)
        return markdown.render(dataclasses.replace(sample(), trust=trust))

    assert "**Largest doubt** drift: 9 cells differ by 160 %\n" in told(few, drift)
    assert "**Largest doubt** foreign-load: others used 20 %\n" in told(few, drift, whole)
    assert "**Largest doubt** few-samples in a/b: 8 operations\n" in told(few)
    assert "Largest doubt" not in told()
    assert "Largest doubt" not in markdown.render(unusable())


def test_no_name_or_text_breaks_out_of_its_place():
    text = markdown.render(with_strings(sample(), lambda text: text + HOSTILE))
    text = re.sub(r"^(```+)console.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"[@#](?=\w)", text)
    outside = re.sub(r"(?<!\\)`[^`\n]*`", "", text)
    assert "<img" not in outside
    assert outside.count("<details>") == outside.count("</details>") == 9
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
