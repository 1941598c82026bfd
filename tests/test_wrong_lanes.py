"""Deliberately wrong lanes, in real blocks: each is found out, and what was wrong is named.

The lanes are in tests/wrong_lanes, beside right ones that have to come out right. What is not
found out is expected to fail, strictly: whoever mends it is told.
"""

from collections import Counter

import pytest
import real_targets
from wrong_blocks import (
    AT_ONCE,
    COMMITS,
    COUNTED,
    LATER,
    LOOKED_AT,
    MYSQL_FAMILY,
    POSTGRESQL,
    SELECTS,
    SIZE,
    assert_incorrect,
    assert_proven,
    in_fours,
    measure,
    names,
    on,
    together,
)

from ormbench.targets.target import TARGETS

IN_MAKE_TEST = ("postgresql+asyncpg",)  # a block of a target takes 20 seconds
WAITING = {"changing/saves_up_writes", "connecting/keeps"}  # these are in test_broken_proof.py
BESIDE_RIGHT = ["looking/remembers", "looking/saves_up", "looking/rolls_back"]
RIGHT = [
    "reading/right",
    "writing/written",
    "unended/ended",
    "looking/right",
    "looking/right_raw",
    "alone/right_alone",
    "connecting/connected",
    "changing/changed",
]


def marked(names):
    """Targets as parameters, all but one of them with the tests that .ci/run runs."""
    return real_targets.marked(sorted(names), quick=IN_MAKE_TEST)


@pytest.fixture(scope="module")
def measured():
    """Target -> the trials of its block, measured once."""
    return {}


@pytest.fixture
def trials(request, measured):
    """Target -> the trials of all lanes, and of each pair that shares a group."""

    def find(target):
        if target not in measured:
            later = [together(name, target=target) for name in names(LATER) if name not in WAITING]
            pairs = [together(name, "looking/right", target=target) for name in BESIDE_RIGHT]
            groups = in_fours(names(AT_ONCE), target) + later
            found = measure(request, groups + pairs)
            every = {name: trial for group in found[: len(groups)] for name, trial in group.items()}
            measured[target] = every, dict(zip(BESIDE_RIGHT, found[len(groups) :], strict=True))
        return measured[target]

    return find


@pytest.fixture
def trial(trials):
    """Target and ``scenario/lane`` -> its trial."""
    return lambda target, name: trials(target)[0][name]


@pytest.fixture
def pair(trials):
    """Target and ``scenario/lane`` -> its trial, and that of a right lane in the same group."""

    def find(target, name):
        group = trials(target)[1][name]
        return group[name], group["looking/right"]

    return find


@pytest.mark.parametrize("target", marked(LOOKED_AT))
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_lane_among_wrong_ones_is_ok_and_the_server_agrees(trial, name, target):
    assert_proven(trial(target, name))


@pytest.mark.parametrize("target", marked(LOOKED_AT))
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("reading/wrong_order", "the same rows in another order"),
        ("reading/missing_row", "9 rows, expected 10"),
        ("reading/half_a_row", r"row 0 is \("),
        ("reading/stale", "turn "),
        ("reading/stale_answer", "turn "),
        ("reading/nothing_asked", "sent nothing to the server"),
        ("reading/nothing_asked_raw", "sent nothing to the server"),
        ("reading/rolled_back", "sent no COMMIT"),
        ("asking/in_fives", r"sent unequal numbers of COMMIT: \[0, 1, 0, 0, 0\]"),
        ("writing/never_committed", "state: row "),
        ("writing/left_open", "state: row "),
        ("unended/begun", "state: row "),
        ("writing/nothing_sent", "state: row "),
        ("writing/other_row", "state: row "),
        ("writing/replayed", r"'the same'\), expected \("),
    ],
)
def test_a_lane_that_is_wrong_at_once_has_no_time(trial, name, words, target):
    assert_incorrect(trial(target, name), words)


REFUSALS = {"PostgreSQL": "value too long for type character varying(20)"}


@pytest.mark.parametrize("target", marked(LOOKED_AT))
def test_a_lane_that_the_server_refuses_ends_with_the_server_s_words(trial, target):
    refused = trial(target, "writing/fails")
    assert refused.status == "ERROR"
    words = REFUSALS.get(TARGETS[target].server, "Data too long for column 'text'")
    assert words in refused.reason
    assert "\n" not in refused.reason


ROLLBACKS = (
    COUNTED.format("transactions|xact_commit|xact_rollback"),  # psycopg deallocates after one
    COUNTED.format("Com_commit|Com_rollback"),
)
UPDATES = (
    COUNTED.format("executions|rows in n_tup_ins, n_tup_upd"),
    COUNTED.format("Questions|Com_update"),
)
STATE = "state: row ", "state: row "
OPENED = ("opened 1 connection while it was timed, its count pass none",) * 2


@pytest.mark.parametrize("target", marked(LOOKED_AT))
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("looking/remembers", SELECTS),
        ("looking/knows", SELECTS),
        ("looking/saves_up", COMMITS),
        ("looking/rolls_back", ROLLBACKS),
        ("alone/asks_again_alone", SELECTS),
        ("alone/saves_up_alone", COMMITS),
        ("connecting/reconnects", OPENED),
        ("connecting/elsewhere", SELECTS),
        ("changing/sends_nothing", STATE),
        ("changing/sent_nothing", UPDATES),
        ("changing/took_back", ROLLBACKS),
    ],
)
def test_a_lane_that_is_wrong_only_while_it_is_timed_has_no_time_either(trial, name, words, target):
    assert_incorrect(trial(target, name), on(target, words))


@pytest.mark.parametrize("target", marked(LOOKED_AT))
def test_a_raw_lane_that_no_longer_asks_has_no_time(trial, target):
    assert_incorrect(trial(target, "looking/knows_raw"), on(target, SELECTS))


@pytest.mark.parametrize(
    "target", marked([one for one in LOOKED_AT if one != "postgresql+psycopg2"])
)
def test_one_statement_more_in_a_hundred_operations_is_counted(trial, target):
    assert_incorrect(trial(target, "looking/asks_again"), on(target, SELECTS))


@pytest.mark.parametrize("target", marked(POSTGRESQL))
def test_a_connection_that_an_author_opens_besides_is_counted(trial, target):
    assert_incorrect(trial(target, "connecting/beside"), COUNTED.format("sessions"))


@pytest.mark.parametrize("target", marked(LOOKED_AT))
def test_a_lane_that_connects_from_the_first_turn_on_has_its_connections_counted(trial, target):
    connects = trial(target, "connecting/connects")
    assert connects.status == "OK"
    assert connects.new_connections == SIZE.operations * SIZE.rounds
    assert connects.unverified == "connections came and went: 1 of 1 are new"


@pytest.mark.parametrize("target", marked(LOOKED_AT))
def test_no_lane_takes_another_one_down(trials, target):
    every, _ = trials(target)
    assert Counter(one.status for one in every.values())["ERROR"] == 1
    assert len(every) == len(names(AT_ONCE | LATER)) - len(WAITING)


@pytest.mark.parametrize("target", marked(LOOKED_AT))
def test_a_right_lane_is_ok_in_one_group_with_a_wrong_one(pair, target):
    wrong, right = pair(target, "looking/remembers")
    assert_incorrect(wrong, on(target, SELECTS))
    assert_proven(right)


@pytest.mark.parametrize("target", marked(MYSQL_FAMILY))
@pytest.mark.parametrize("name", ["looking/saves_up", "looking/rolls_back"])
def test_where_counters_are_a_connection_s_own_nobody_else_is_blamed(pair, name, target):
    wrong, right = pair(target, name)
    assert_incorrect(wrong, on(target, COMMITS))
    assert_proven(right)


@pytest.mark.parametrize("target", marked(["postgresql+asyncpg", "postgresql+psycopg2"]))
def test_postgresql_has_no_name_for_who_rolled_back_and_the_whole_group_is_told(pair, target):
    for one in pair(target, "looking/rolls_back"):
        assert_incorrect(one, COUNTED.format("xact_commit|xact_rollback"))


# What is not found out


@pytest.mark.servers
@pytest.mark.xfail(strict=True, reason="psycopg2 prepares nothing, and nothing else is counted")
def test_one_statement_more_in_a_transaction_of_psycopg2_is_counted(trial):
    assert_incorrect(trial("postgresql+psycopg2", "looking/asks_again"), COUNTED.format(".*"))


@pytest.mark.xfail(strict=True, reason="no counter of the whole server is read there")
@pytest.mark.parametrize("target", marked(MYSQL_FAMILY))
def test_mysql_counts_a_connection_that_an_author_opens_besides(trial, target):
    assert_incorrect(trial(target, "connecting/beside"), COUNTED.format(".*"))


@pytest.mark.parametrize("target", marked(POSTGRESQL))
def test_a_lane_is_not_blamed_for_a_neighbour_whose_own_counters_tell(pair, target):
    wrong, right = pair(target, "looking/saves_up")
    assert_incorrect(wrong, on(target, COMMITS))
    assert_proven(right)
