"""The terminal's answer about strategies: of each target a line or two, whatever else is there."""

import re
from dataclasses import replace

import pytest
from batch_runs import AIOMYSQL, ASYNCPG, cell_id, digested

from ormbench.report.batch_phases import GAIN
from ormbench.report.terminal import render
from ormbench.report.terminal_answer import answer, spoken_targets

MARIADB = "mariadb+aiomysql"
THREE = (ASYNCPG, AIOMYSQL, MARIADB)
BATCHES = (1, 10, 100, 1_000, 10_000)
WINNERS = tuple(f"a_strategy_of_its_own_{batch}" for batch in BATCHES)


def answer_of(findings, width=80):
    """The lines of the answer, of which a label or the blanks in its place stand in front."""
    lines = render(findings, width, plain=True).splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith(" ANSWER "))
    told = [lines[first]]
    for line in lines[first + 1 :]:
        if not line.startswith(" " * 9):
            break
        told.append(line)
    return told


def paragraphs(lines):
    """Of the lines of an answer those of each target."""
    found, product = {}, ""
    for line in (one[9:] for one in lines):
        opens = re.match(r"(PostgreSQL|MySQL|MariaDB), ", line)
        product = opens.group(1) if opens else product
        found.setdefault(product, []).append(line)
    return {product: " ".join(own) for product, own in found.items()}


@pytest.fixture(scope="module")
def three():
    """Three products, and seven cells that ended in three ways: it is full."""
    skipped = "predicted 4.4 s an operation: 0.44 s at 100 rows, and so on"
    ends = {cell_id("add_all", 1_000, target): ("SKIPPED", skipped) for target in THREE}
    ends |= {cell_id("copy", 1, target): ("ERROR", "TypeError: no") for target in THREE}
    ends[cell_id("orm_insert", 1)] = ("TIMEOUT", "no answer in 60 s")
    return digested(targets=THREE, status=ends)


@pytest.fixture(scope="module")
def turning():
    """With each number of rows another strategy is the fastest, on either product."""
    best = dict(zip(WINNERS, BATCHES, strict=True))
    factors = {
        cell_id(lane, batch, target): (0.1 if best[lane] == batch else 2.0)
        for lane in WINNERS
        for batch in BATCHES
        for target in (ASYNCPG, AIOMYSQL)
    }
    return digested(("core", *WINNERS), BATCHES, targets=(ASYNCPG, AIOMYSQL), slower=factors)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_each_target_has_its_answer_where_the_screen_is_full(three, width):
    told = paragraphs(answer_of(three, width))
    assert list(told) == ["PostgreSQL", "MySQL", "MariaDB"]
    for words in told.values():
        assert "up to 100 rows nothing beats core; from 1,000 rows copy, 2.1" in words
    lines = render(three, width, plain=True).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= width
    assert lines[-2].startswith(" report ")
    assert lines[-1].startswith(" next ")


def test_the_first_gain_says_of_what_and_the_others_are_short(three):
    told = paragraphs(answer_of(three))
    assert f"x {GAIN} core [" in told["PostgreSQL"]
    for product, unit in (("MySQL", "core's rows/s"), ("MariaDB", "core's")):
        assert GAIN not in told[product]
        assert re.search(rf"copy, 2\.1\d*x {unit} \[2\.\d+, 2\.\d+\]\.$", told[product])


def test_what_has_no_room_is_counted_and_its_place_is_named(turning):
    lines = answer_of(turning)
    for words in paragraphs(lines).values():
        assert "with 1 row a_strategy_of_its_own_1" in words
        assert re.search(r"; \d more steps: see the report", words)
    assert len(lines) == 6


def test_where_a_step_would_be_left_out_a_target_has_a_third_line_if_there_is_room(turning):
    targets = spoken_targets(turning)

    def told(most):
        lines = answer(turning, targets, 80, most)
        return len(lines), [
            " ".join(lines).count(f"a_strategy_of_its_own_{n}") for n in (1, 2, 3, 4)
        ]

    (roomy, with_room), (tight, without) = told(6), told(4)
    assert (roomy, tight) == (6, 4)
    assert sum(with_room) > sum(without)


def test_the_counted_steps_and_the_told_ones_are_all_there_are(turning):
    words = paragraphs(answer_of(turning, 100))["MySQL"]
    told = len(re.findall(r"(?:with|from) [\d,]+ rows? a_", words))
    (more,) = re.findall(r"(\d) more steps?: see the report", words)
    assert told + int(more) == len(BATCHES)


def test_targets_without_lines_of_their_own_are_counted(three):
    targets = spoken_targets(three)
    lines = answer(three, (*targets, *targets), 80, 8)
    assert lines[-1].strip() == "3 more targets: see the report"
    assert len(lines) == 7


def test_an_answer_about_one_target_stays_sentences():
    alone = digested()
    assert spoken_targets(alone) == ()
    assert " ".join(alone.answer) in " ".join(" ".join(answer_of(alone)).split())


def test_a_run_that_is_not_usable_says_nothing_of_any_target(three):
    trust = replace(three.trust, usable=False, cause="two identical lanes came out different")
    text = render(replace(three, trust=trust, answer=()), plain=True)
    assert "nothing beats" not in text
    assert "copy, " not in text


def test_products_of_which_nothing_else_is_said_share_a_line(three):
    lines = render(three, plain=True).splitlines()
    assert [one for one in lines if "9.7.4 docker" in one] == [
        one for one in lines if one.startswith(" MySQL ") and "   MariaDB " in one
    ]
