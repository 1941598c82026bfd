"""The words of a run: headline, answer, cards, scope. Each follows from a rule."""

import pytest
from fabricate import FIRST, LANES, Noise, Oddities, fabricate

from ormbench.report.digest import digest

QUIET = Noise(block=0.002, round=0.02, slice=0.002)
ONE = {"scenarios": ("get_by_id",), "targets": (FIRST,)}


def digested(at_rate=200.0, **wishes):
    record = fabricate(**{"histograms": False, "noise": QUIET, **wishes})
    return digest(record, "x", at_rate=at_rate)


def effect(ratio):
    return {"orm": ratio / LANES["orm"]}


def card(findings, question):
    return next(one for one in findings.cards if one.question == question)


def test_the_headline_is_one_line_about_the_largest_difference_of_the_focus():
    found = digested(effects=effect(1.42), lanes=("core", "orm_columns", "orm"), **ONE)
    assert found.headline.startswith("ORM takes 1.42")
    assert "x as long as Core for get_by_id: +12" in found.headline
    assert found.headline.endswith(" µs per operation")


def test_the_headline_speaks_of_orm_against_core_even_where_another_lane_differs_more():
    headline = digested(effects=effect(1.1), **ONE).headline
    assert headline.startswith("ORM takes 1.")
    assert headline.endswith("for get_by_id: +30 µs per operation")


def test_a_headline_without_a_difference_says_so():
    same = digested(effects=effect(1.01), lanes=("core", "orm"), **ONE)
    assert same.headline == "All lanes of get_by_id take the same time within 5 %"
    noisy = digested(
        effects=effect(1.0), lanes=("core", "orm"), noise=Noise(block=0.09), seed=2, **ONE
    )
    assert noisy.headline == "This run cannot tell the lanes of get_by_id apart"
    assert noisy.answer[0].startswith("This run cannot tell ORM from Core [")


def test_the_answer_opens_with_orm_over_core_its_interval_and_its_cost():
    first = digested(effects=effect(1.42), **ONE).answer[0]
    assert first.startswith("ORM takes 1.4")
    assert "x as long as Core [1.4" in first
    assert "]: +126 µs [12" in first
    assert "] per operation, client CPU +1.7" in first
    assert first.endswith("of a core at 200/s.")


def test_the_share_of_a_core_is_from_cpu_time_and_at_the_readers_rate():
    first = digested(effects=effect(2.0), lanes=("core", "orm"), at_rate=1_000, **ONE).answer[0]
    share = float(first.partition("client CPU +")[2].partition(" %")[0])
    assert share == pytest.approx(100 * 0.7 * 300e-6 * 1_000, rel=0.05)
    assert "at 1,000/s" in first


def test_the_answer_names_the_largest_step_of_the_ladder():
    answer = digested(effects=effect(1.2), **ONE).answer
    assert answer[1].startswith("The largest step up from the bare driver is Core: +1")


def test_the_answer_ends_with_the_other_scenarios():
    answer = digested(effects={"bulk_create/orm": 4.0}, targets=(FIRST,)).answer
    assert len(answer) == 3
    assert answer[2].startswith("ORM over Core elsewhere: find_by_specialty 1.2")
    assert "bulk_create 5.0" in answer[2] or "bulk_create 4.9" in answer[2]


def test_lanes_that_take_the_same_time_are_not_given_a_ratio():
    same = digested(effects=effect(1.01), lanes=("core", "orm"), **ONE).answer[0]
    assert same.startswith("ORM takes the same time as Core within 5 % [")
    assert "x as long" not in same


def test_a_difference_that_cannot_be_told_has_no_sign():
    record = fabricate(effect(1.0), histograms=False, noise=Noise(block=0.08, slice=0.1),
                       lanes=("core", "orm"), seed=3, **ONE)  # fmt: skip
    found = digest(record, "x")
    assert found.comparisons[0].verdict == "cannot tell"
    text = " ".join((*found.answer, found.cards[0].verdict))
    assert "+" not in text


def test_scenarios_without_orm_have_an_answer_about_what_they_have():
    answer = digested(lanes=("core", "raw"), **ONE).answer
    assert answer[0].startswith("The driver's pool takes 0.499x as long as Core [")


def test_a_single_lane_has_no_comparison_and_says_so():
    found = digested(lanes=("core",), **ONE)
    assert found.trust.usable
    assert found.headline == "get_by_id on asyncpg: no two lanes were compared"
    assert found.answer == (found.headline + ".",)


def test_five_cards_stand_whether_measured_or_not():
    found = digested(lanes=("core",), **ONE)
    questions = ["ORM OR CORE?", "WHICH DRIVER?", "DOES IT MATTER ON MY NETWORK?"]
    questions += ["WHICH POOL?", "IS ASYNC WORTH IT?"]
    assert [one.question for one in found.cards] == questions
    assert {one.verdict for one in found.cards} == {
        "not measured by this plan",
        "not measured: ormbench run rtt",
        "not measured: ormbench run pools",
    }
    assert not any(one.measured for one in found.cards)


def test_the_driver_card_is_a_mean_over_lanes_with_its_count():
    found = digested(effects={"postgresql+psycopg": 1.24 / 1.2}, scenarios=("get_by_id",))
    driver = card(found, "WHICH DRIVER?")
    assert driver.measured
    assert driver.verdict.startswith("psycopg takes 1.2")
    assert "as long as asyncpg [1.2" in driver.verdict
    assert driver.detail.startswith("6 of 6 lanes of get_by_id")


def test_the_driver_card_counts_the_lanes_that_go_another_way():
    found = digested(effects={"get_by_id/orm/postgresql+psycopg": 0.5}, scenarios=("get_by_id",))
    assert card(found, "WHICH DRIVER?").detail.startswith("5 of 6 lanes")


def test_no_card_answers_where_the_run_is_not_usable():
    found = digested(oddities=Oddities(aa_shift=0.1), scenarios=("get_by_id",))
    assert [one.verdict for one in found.cards[:2]] == ["no answer", "no answer"]
    assert found.cards[0].detail == found.trust.cause


def test_the_scope_names_the_place_and_what_is_shared():
    found = digested(**ONE)
    assert found.scope == "unix socket, one machine, client and server share one core"
    assert found.servers == (("PostgreSQL", "18.4 embedded"),)
    free = digested(axes={"placement": "free"}, **ONE)
    assert free.scope.endswith("client and server share 2 cores")


def test_what_was_not_varied_is_not_spoken_of():
    said = digested(**ONE).does_not_say
    assert "your network: unix socket only" in said
    assert "tables of other sizes than 10,000 rows" in said
    assert "concurrency: one client" in said
    assert "other drivers than asyncpg" in said
    assert "MySQL and MariaDB: only PostgreSQL was measured" in said
    assert "commits that wait for the disk: durability relaxed" in said


def test_what_was_varied_or_differs_is_not_disclaimed():
    said = digested(
        axes={"clients": 4, "rate": 500.0},
        server={"kind": "url", "durability": "durable", "transport": "TCP"},
        scenarios=("get_by_id",),
    ).does_not_say
    text = " ".join(said)
    assert "loopback" not in text
    assert "durability" not in text
    assert "one client" not in text
    assert "closed loop" not in text
    assert "other drivers" not in text
    assert "other numbers of clients than 4" in said


def test_a_run_of_identical_lanes_answers_with_how_many_were_called_different():
    findings = digested(lanes=("core",), aa_pairs=20, **ONE)
    assert findings.aa_count.comparisons == 20
    different = findings.aa_count.different
    assert findings.answer[0].startswith(f"{different} of 20 comparisons of identical lanes w")
    assert findings.headline in findings.answer[0]
    assert "about 0.2 would" in findings.answer[1]
