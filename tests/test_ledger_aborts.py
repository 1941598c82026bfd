"""What operations that met, and were ended for it, may have moved a counter by, and no more."""

import pytest
from pooled_stand import cell, grounds, stands, timed
from real_targets import marked

from ormbench.targets.target import TARGETS
from ormbench.truth.counters import compared, difference
from ormbench.truth.early import ALL_WHOLE, Early
from ormbench.wire.tally import Tally

ASYNCPG = "postgresql+asyncpg"
SERVERS = pytest.mark.servers
EACH = marked(
    [
        ASYNCPG,
        "postgresql+psycopg",
        "mysql+asyncmy",
        "mysql+mysqldb",
        "mariadb+aiomysql",
    ],
    quick=(ASYNCPG,),
)
POSTGRESQL = marked([ASYNCPG, "postgresql+psycopg", "postgresql+psycopg2"], quick=(ASYNCPG,))


@pytest.fixture(scope="module")
def ground(request):
    """Product -> its tables and a relay."""
    with grounds(request) as find:
        yield find


@pytest.fixture
def stand(ground):
    """Target -> a stand on its server, closed at the end."""
    with stands(ground) as make:
        yield make


def meeting(lane, target, **axes):
    return cell(lane, target, "meeting", isolation="serializable", **axes)


@pytest.mark.parametrize("target", EACH)
@pytest.mark.parametrize("pool", [None, pytest.param("nullpool", marks=SERVERS)])
def test_attempts_that_the_server_ended_are_transactions_too(pool, target, stand):
    [arm] = timed(stand(target), [meeting("meets", target, pool=pool)], operations=60)
    assert arm.aborts.total() > 0, arm
    assert (arm.ended, arm.unverified) == (None, "")
    whole, ended = 60 - arm.failures.total(), arm.aborts.total()
    if TARGETS[target].server == "PostgreSQL":
        least = whole + ended
        most = least if target != "postgresql+psycopg" else least + ended  # it forgets statements
        assert least <= arm.counters["transactions"] <= most
    elif pool is None:
        assert arm.counters["Com_commit"] == whole
    else:  # the level that is set on a new connection is committed
        assert arm.counters["Com_commit"] == 2 * whole + ended


TELLING = [one for one in EACH if "postgresql+psycopg" not in getattr(one, "values", ())]


@pytest.mark.servers  # for its seconds
@pytest.mark.parametrize("target", TELLING)
def test_a_lane_that_commits_once_more_than_it_says_is_incorrect_among_them(target, stand):
    """Not with psycopg, which may begin as many transactions to forget what it had prepared."""
    [arm] = timed(stand(target), [meeting("meets_again", target)])
    assert arm.aborts.total() > 0
    assert arm.ended is not None, arm.unverified
    assert arm.ended.status == "INCORRECT"
    words = ("transactions", "xact_") if target.startswith("postgresql") else ("Com_commit",)
    assert any(word in str(arm.ended) for word in words)


@pytest.mark.parametrize("target", POSTGRESQL)
def test_a_lane_that_swallows_what_the_server_ended_is_incorrect(target, stand):
    """Its COMMIT is a ROLLBACK to PostgreSQL. MySQL counts the COMMIT: there an audit tells."""
    [arm] = timed(stand(target), [meeting("swallows", target)], operations=60)
    assert arm.aborts.total() == 0
    assert arm.ended is not None, arm.unverified
    assert arm.ended.status == "INCORRECT"


@pytest.mark.parametrize("target", EACH)
def test_an_operation_that_read_what_cannot_be_was_rolled_back(target, stand):
    [arm] = timed(stand(target), [meeting("finds_broken", target, clients=1)])
    assert (arm.broken, arm.aborts.total()) == (2, 0)
    assert (arm.ended, arm.unverified) == (None, "")
    if TARGETS[target].server != "PostgreSQL":
        assert arm.counters["Com_commit"] == 198
    elif target == ASYNCPG:
        assert arm.counters["transactions"] == 200


@pytest.mark.servers  # for its seconds
@pytest.mark.parametrize("target", EACH)
def test_an_operation_that_got_no_connection_sent_nothing(target, stand):
    one = cell("holds", target, pool="1+0:timeout=0.03", clients=6)
    [arm] = timed(stand(target), [one], operations=24)
    assert 0 < arm.failures["pool time-out"] < 24
    assert (arm.ended, arm.unverified) == (None, "")
    name = "transactions" if target.startswith("postgresql") else "Com_commit"
    assert arm.counters[name] == 24 - arm.failures["pool time-out"]


def test_what_an_attempt_has_not_come_to_is_no_span_where_an_operation_has_one_of_it():
    early = Early(attempts=7, operations=2)
    for name, least, most in (
        ("transactions", 105, 105),
        ("xact_rollback", 7, 7),
        ("Com_commit", 98, 98),
        ("Com_select", 98, 105),
    ):
        whole = 0 if name == "xact_rollback" else 1
        assert early.span(name, 100, whole, whole) == (least, most), name
    assert early.span("Questions", 100, 4, 4) == (98 * 4 + 7, 98 * 4 + 7 * 5)
    assert early.span("Com_commit", 100, 3, 3) == (98 * 3, 98 * 3 + 7 * 2)


def test_psycopg_may_forget_its_statements_after_each_rollback():
    assert Early(attempts=7, after_rollback=1).span("transactions", 10, 1, 1) == (17, 24)


def test_an_operation_of_several_sessions_that_got_no_connection_may_have_sent_a_part():
    assert Early(operations=2, partly=2).span("transactions", 10, 3, 3) == (24, 32)
    assert Early(operations=2).span("transactions", 10, 3, 3) == (24, 24)


def test_where_all_ran_to_their_end_the_span_is_that_of_the_operations():
    assert ALL_WHOLE.span("transactions", 10, 1, 2) == (10, 20)


def test_what_lies_outside_the_span_of_attempts_is_nobody_s_variation():
    early = Early(attempts=3, operations=1)
    operations = [Tally(transactions=2)] * 5
    wrong = difference("PostgreSQL", operations, 100, {"transactions": 300}, early)
    assert (wrong.least, wrong.most, wrong.varies) == (201, 204, False)
    assert str(wrong) == (
        "the server counted 300 transactions, its count pass promises 201 to 204 "
        "(2 an operation, 3 attempts rolled back)"
    )
    assert compared("transactions", 203, 100, [2], early) is None
    assert compared("transactions", 500, 100, [1, 2], early).varies
