"""How an operation ends its transaction is read off what it sent."""

import pytest

from ormbench.truth.transactions import unequal_end
from ormbench.wire.tally import Tally

WHOLE = Tally(requests=3, statements={"BEGIN": 1, "SELECT": 1, "COMMIT": 1})
OPEN = Tally(requests=1, statements={"SELECT": 1})
BATCH = Tally(requests=9, statements={"INSERT": 3, "COMMIT": 3})
NOTHING = Tally()


def test_operations_that_all_commit_alike_are_equal():
    assert unequal_end("per-operation", [WHOLE] * 5) is None
    assert unequal_end("per-operation", [BATCH] * 5) is None


def test_no_count_proves_nothing():
    assert unequal_end("per-operation", []) is None


def test_an_operation_without_a_commit_is_told_by_its_number():
    assert (
        unequal_end("per-operation", [WHOLE, WHOLE, OPEN])
        == "operation 3 of its count pass sent no COMMIT"
    )


def test_in_autocommit_nobody_has_to_commit():
    assert unequal_end("autocommit", [OPEN] * 5) is None


@pytest.mark.parametrize("transaction", ["per-operation", "autocommit"])
def test_an_operation_that_sends_nothing_did_no_work(transaction):
    assert "operation 2 of its count pass sent nothing" in unequal_end(
        transaction, [WHOLE, NOTHING]
    )


@pytest.mark.parametrize("transaction", ["per-operation", "autocommit"])
def test_commits_are_not_saved_up_for_a_later_operation(transaction):
    saved = Tally(requests=4, statements={"SELECT": 3, "COMMIT": 1})
    wrong = unequal_end(transaction, [saved, OPEN, OPEN, saved])
    if transaction == "autocommit":
        assert "unequal numbers of COMMIT: [1, 0, 0, 1]" in wrong
    else:
        assert wrong == "operation 2 of its count pass sent no COMMIT"


def test_an_operation_that_begins_by_hand_has_to_end_it():
    begun = Tally(requests=2, statements={"BEGIN": 1, "SELECT": 1})
    ended = Tally(requests=2, statements={"SELECT": 1, "COMMIT": 1})
    for operations, numbers in (([begun, WHOLE], "[0, 1]"), ([OPEN, ended], "[0, 1]")):
        assert numbers in unequal_end("autocommit", operations)


def test_an_operation_may_commit_more_often_than_others_where_each_ends_what_it_began():
    assert unequal_end("per-operation", [WHOLE, BATCH, WHOLE]) is None  # a retry, say
    assert unequal_end("autocommit", [OPEN, WHOLE, OPEN, WHOLE]) is None


@pytest.mark.parametrize("ends", [{"BEGIN": 1, "COMMIT": 1}, {"COMMIT": 1, "ROLLBACK": 1}])
@pytest.mark.parametrize("transaction", ["per-operation", "autocommit"])
def test_a_transaction_with_nothing_in_it_is_no_work_either(transaction, ends):
    empty = Tally(requests=2, statements=ends)
    wrong = unequal_end(transaction, [WHOLE, empty])
    assert wrong.endswith(f"sent nothing to the server but {' and '.join(ends)}")


def test_a_statement_that_fails_has_no_name_and_is_work_all_the_same():
    refused = Tally(requests=3, statements={"BEGIN": 1, "COMMIT": 1})
    assert unequal_end("per-operation", [refused] * 5) is None


def test_a_lane_that_owns_its_units_may_end_them_as_it_likes():
    undone = Tally(requests=3, statements={"BEGIN": 1, "SELECT": 1, "ROLLBACK": 1})
    for transaction in ("per-operation", "autocommit"):
        assert unequal_end(transaction, [WHOLE, undone, BATCH], owns_units=True) is None
    assert unequal_end("per-operation", [WHOLE, undone]) is not None


def test_and_yet_it_has_to_ask_something():
    for nothing in (NOTHING, Tally(requests=2, statements={"BEGIN": 1, "ROLLBACK": 1})):
        wrong = unequal_end("per-operation", [WHOLE, nothing], owns_units=True)
        assert "operation 2 of its count pass sent nothing" in wrong
