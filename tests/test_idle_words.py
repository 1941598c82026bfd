"""What the report says of the errors that users meet after an idle close."""

from pool_runs import cell_id, digested

from ormbench.report import markdown

ERROR = "InterfaceError: connection is closed"
ANSWERED = {"answered": 5}


def of(word):
    return cell_id(word, 1).replace("pool_pressure", "after_idle")


def test_the_headline_counts_the_operations_that_fail_and_the_answer_names_the_error():
    idle = {
        of(None): {ERROR: 1, "answered": 4},
        of("1+0:ping"): ANSWERED,
    }
    found = digested((None, "1+0:ping"), (1,), scenario="after_idle", idle=idle)
    assert found.headline == (
        "after_idle, right after the server closed idle connections: "
        "core pool=fitted fails 8 of 40 operations; core pool=1+0:ping fails 0 of 40 operations"
    )
    assert found.answer[1] == f"core pool=fitted: 8 x {ERROR}."
    assert "fails 8 of 40" in markdown.render(found)


def test_a_run_in_which_nothing_was_closed_says_nothing_of_it():
    assert "closed idle" not in " ".join(digested((None, "5+0"), (4,)).answer)
