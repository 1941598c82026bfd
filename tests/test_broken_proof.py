"""The proof, broken on purpose: a right lane's trial then says so, and never counts as proven.

And lanes that stand in its way: they keep a connection, or a lock.
"""

from dataclasses import replace

import pytest
from real_targets import marked
from wrong_blocks import (
    OF_EACH_PRODUCT,
    SELECTS,
    assert_incorrect,
    assert_proven,
    measure,
    on,
    together,
)

from ormbench.run.count import CountPass
from ormbench.run.ledger import Ledger
from ormbench.run.proof import SQL_LINES, folded_sql

RIGHT = "looking/right"
TARGETS = marked(OF_EACH_PRODUCT)


def measure_right(request, target):
    """The trial of a right lane."""
    [group] = measure(request, [together(RIGHT, target=target)])
    return group[RIGHT]


def without_select(tally):
    """The tally of a relay that has not understood the SELECT."""
    statements = {word: times for word, times in tally.statements.items() if word != "SELECT"}
    fewer = {"transactions": tally.transactions - 1, "questions": tally.questions - 1}
    return replace(tally, statements={**statements, "SHOW": 1}, **fewer)


@pytest.mark.parametrize("target", TARGETS)
def test_a_count_pass_that_misses_a_statement_does_not_agree_with_the_server(
    request, target, monkeypatch
):
    counted = CountPass._counted

    def missing_one(*given):
        count = counted(*given)
        return replace(count, operations=tuple(map(without_select, count.operations)))

    monkeypatch.setattr(CountPass, "_counted", missing_one)
    assert_incorrect(measure_right(request, target), on(target, SELECTS))


@pytest.mark.parametrize("target", TARGETS)
def test_without_a_count_pass_the_server_s_counters_prove_nothing(request, target, monkeypatch):
    counted = CountPass._counted

    def lost(*given):
        return replace(counted(*given), operations=(), transcript=(), reason="lost")

    monkeypatch.setattr(CountPass, "_counted", lost)
    trial = measure_right(request, target)
    assert trial.status == "OK"
    assert trial.unverified == "there is no count pass to compare with: lost"


@pytest.mark.parametrize("target", TARGETS)
def test_a_ledger_that_reads_nothing_proves_nothing(request, target, monkeypatch):
    monkeypatch.setattr(Ledger, "_read", lambda *_: {})
    trial = measure_right(request, target)
    assert trial.status == "OK"
    assert trial.unverified


@pytest.mark.parametrize("target", TARGETS)
def test_a_ledger_that_is_never_opened_proves_nothing(request, target, monkeypatch):
    monkeypatch.setattr(Ledger, "open", lambda *_: None)
    trial = measure_right(request, target)
    assert (trial.status, trial.counters) == ("OK", {})
    assert trial.unverified


@pytest.mark.servers  # for its seconds
@pytest.mark.parametrize("target", TARGETS)
def test_a_lane_that_keeps_the_connection_is_never_proven(request, target):
    name = "connecting/keeps"
    [group] = measure(request, [together(name, target=target)], timeout=3.0)
    assert group[name].unverified == "its counters cannot be read: not done after 3 s"
    assert group[name].counters == {}


@pytest.mark.servers  # for its seconds
@pytest.mark.parametrize("target", TARGETS)
def test_a_lane_whose_locks_keep_its_tables_from_a_reset_ends_alone(request, target):
    wrong, right = "changing/saves_up_writes", "changing/changed"
    groups = measure(request, [together(wrong, target=target), together(right, target=target)])
    assert groups[0][wrong].status in {"INCORRECT", "ERROR"}
    assert_proven(groups[1][right])


def test_of_statements_alike_in_a_row_a_proof_keeps_one():
    assert folded_sql(["A", "B", "B", "B", "A"]) == ("A", "B … x3", "A")


def test_a_proof_keeps_no_more_than_so_many_statements():
    found = folded_sql([str(number) for number in range(1_000)])
    assert found[:2] == ("0", "1")
    assert (len(found), found[-1]) == (SQL_LINES + 1, f"… ({1_000 - SQL_LINES} more)")
