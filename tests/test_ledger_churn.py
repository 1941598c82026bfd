"""Where pools open connections while they are timed, the server's totals tell what was done."""

from dataclasses import replace

import psycopg
import pytest
from pooled_stand import cell, grounds, stands, timed
from real_targets import marked

from ormbench.cell import Cell
from ormbench.run.churn import Grown, Whole
from ormbench.servers.url import UrlServer
from ormbench.targets.target import TARGETS
from ormbench.truth.churn import OPENS, PROVEN, may_open

ASYNCPG = "postgresql+asyncpg"
SERVERS = pytest.mark.servers
EACH = marked(
    [
        ASYNCPG,
        "postgresql+psycopg",
        "mysql+asyncmy",
        "mariadb+mysqldb",
    ],
    quick=(ASYNCPG,),
)
OF_EACH_PRODUCT = marked([ASYNCPG, "mysql+asyncmy", "mariadb+pymysql"])


@pytest.fixture(scope="module")
def ground(request):
    """Product -> its tables and a relay."""
    with grounds(request) as find:
        yield find


@pytest.fixture
def stand(ground):
    """Target -> a stand on its server, closed at the end: connections are not to be left over."""
    with stands(ground) as make:
        yield make


def on(target, on_postgresql, on_mysql):
    return on_postgresql if TARGETS[target].server == "PostgreSQL" else on_mysql


@pytest.mark.parametrize("target", EACH)
@pytest.mark.parametrize("transaction", ["per-operation", "autocommit"])
@pytest.mark.parametrize(
    "pool", ["2+10", *(pytest.param(one, marks=SERVERS) for one in ("nullpool", "2+10:ping"))]
)
def test_an_arm_whose_connections_come_and_go_is_proven_by_what_the_others_leave(
    pool, transaction, target, stand
):
    axes = {"transaction": transaction, "target": target}
    cells = [cell("plain", pool=pool, **axes), cell("plain", **axes)]
    churning, settled = timed(stand(target), cells, operations=40, slices=2)
    assert (churning.ended, churning.unverified) == (None, "")
    assert (settled.ended, settled.unverified) == (None, "")
    opened = churning.counters[on(target, "sessions", "Connections")]
    assert opened == 80 if pool == "nullpool" else opened > 0
    counted = churning.counters[on(target, "transactions", "Com_select")]
    assert counted >= 80


@pytest.mark.servers
@pytest.mark.parametrize("target", OF_EACH_PRODUCT)
def test_several_such_arms_are_proven_together_and_say_so(target, stand):
    cells = [cell("plain", target, pool=pool) for pool in ("nullpool", "2+10", "2+10:reset=none")]
    arms = timed(stand(target), [*cells, cell("plain", target)], operations=40)
    told = on(target, "sessions, transactions", "Connections, Questions, Com_commit")
    assert [arm.ended for arm in arms] == [None] * 4
    assert [arm.unverified for arm in arms] == [*[f"{PROVEN} ({told})"] * 3, ""]


@pytest.mark.parametrize("target", EACH)
def test_a_pool_of_which_each_checkout_fits_has_counters_of_its_own(target, stand):
    arms = timed(stand(target), [cell("plain", target, pool="4+10")], operations=40)
    assert (arms[0].ended, arms[0].unverified) == (None, "")
    assert arms[0].counters[on(target, "transactions", "Com_commit")] == 40
    assert "sessions" not in arms[0].counters


@pytest.mark.parametrize("target", OF_EACH_PRODUCT)
@pytest.mark.parametrize("pool", ["nullpool", pytest.param("2+10", marks=SERVERS)])
def test_a_connection_behind_the_pool_s_back_is_told(pool, target, stand):
    [arm] = timed(stand(target), [cell("beside", target, pool=pool)])
    words = on(target, "sessions", "Connections")
    assert arm.ended is not None, arm
    assert arm.ended.status == "INCORRECT"
    assert f"{words}, the clients of this group opened " in str(arm.ended)


@pytest.mark.parametrize("target", OF_EACH_PRODUCT)
@pytest.mark.parametrize(
    ("lane", "pool", "on_postgresql", "on_mysql"),
    [
        ("rolls_back", "nullpool", "2 xact_rollback", "198 Com_commit"),
        ("remembers", "nullpool", "198 connections", "198 connections"),
        ("remembers", "2+10", "transactions, what its group did", "what its group did"),
        pytest.param("commits_twice", "nullpool", "transactions", "202 Com_", marks=SERVERS),
        pytest.param("rolls_back", "2+10", "2 xact_rollback", "Com_commit", marks=SERVERS),
    ],
)
def test_a_lane_that_breaks_its_promise_there_is_incorrect(
    lane, pool, on_postgresql, on_mysql, target, stand
):
    [arm] = timed(stand(target), [cell(lane, target, pool=pool)])
    assert arm.ended is not None, arm
    assert arm.ended.status == "INCORRECT"
    assert on(target, on_postgresql, on_mysql) in str(arm.ended)


@pytest.mark.servers
def test_a_settled_neighbour_is_not_blamed_for_it(stand):
    wrong, right = timed(
        stand(ASYNCPG), [cell("commits_twice", ASYNCPG, pool="nullpool"), cell("plain", ASYNCPG)]
    )
    assert "transactions, what its group did comes to" in str(wrong.ended)
    assert (right.ended, right.unverified) == (None, "")


@pytest.mark.servers
def test_rows_are_an_arm_s_own_however_its_connections_come_and_go(stand):
    cells = [
        cell(lane, ASYNCPG, "changing", pool="nullpool") for lane in ("changed", "changed_or_not")
    ]
    right, wrong = timed(stand(ASYNCPG), cells)
    assert right.ended is None
    assert right.counters["rows"] == 200
    assert "198 rows in n_tup_ins, n_tup_upd" in str(wrong.ended)


@pytest.mark.parametrize("target", OF_EACH_PRODUCT)
@pytest.mark.parametrize(
    "pool", ["10+0", *(pytest.param(one, marks=SERVERS) for one in (None, "fitted:lifo", "4+0"))]
)
def test_a_pool_that_promises_to_open_none_and_does_is_incorrect_as_ever(pool, target, stand):
    [arm] = timed(stand(target), [cell("throws_away", target, pool=pool)])
    assert arm.ended is not None
    assert str(arm.ended).endswith("while it was timed, its count pass none")


@pytest.mark.servers
@pytest.mark.parametrize("target", marked([ASYNCPG, "mysql+asyncmy", "mariadb+aiomysql"]))
@pytest.mark.parametrize(
    "pool", ["2+20", *(pytest.param(one, marks=SERVERS) for one in ("10+0", "nullpool"))]
)
def test_lanes_that_hold_several_sessions_at_once_are_proven(pool, target, stand):
    [arm] = timed(stand(target), [cell("gathered", target, pool=pool)], operations=40)
    assert (arm.ended, arm.unverified) == (None, "")
    assert arm.counters[on(target, "transactions", "Com_commit")] == 120


@pytest.mark.parametrize("target", OF_EACH_PRODUCT)
def test_lanes_that_make_their_engines_are_proven(target, stand):
    cells = [cell("own_engine", target, clients=1), cell("plain", target)]
    own, _ = timed(stand(target), cells, operations=20)
    assert (own.ended, own.unverified) == (None, "")
    assert own.counters[on(target, "sessions", "Connections")] == 20


@pytest.mark.parametrize("target", OF_EACH_PRODUCT)
def test_connections_that_are_replaced_at_each_checkout_are_proven(target, stand):
    [arm] = timed(stand(target), [cell("plain", target, pool="fitted:recycle=0")], operations=20)
    assert arm.ended is None
    assert not arm.unverified or arm.unverified.startswith(OPENS)


@pytest.mark.servers
def test_what_was_not_counted_is_proven_by_its_sessions_alone(stand):
    here = stand(ASYNCPG)
    arm = here.arm(cell("plain", ASYNCPG, pool="2+10"))
    here.count(arm)
    here.alike.clear()
    here.ledger.open([arm])
    here.run(arm, 40)
    here.ledger.close([arm], here.counts)
    words = f"{PROVEN} (sessions), its transactions not: nobody counted what a new connection costs"
    assert (arm.ended, arm.unverified) == (None, words)


@pytest.mark.servers
def test_where_workers_of_parallel_queries_are_not_counted_too_many_are_nobody_s_fault(stand):
    """As on PostgreSQL before 18; too few are the arm's all the same."""
    here = stand(ASYNCPG)
    [arm] = timed(here, [cell("plain", ASYNCPG, pool="nullpool")], operations=20)
    assert (arm.ended, arm.unverified) == (None, "")
    whole = Whole("PostgreSQL", here.ledger._entries, here.counts, here.alike)
    usual = Grown(sessions=20, counters={"transactions": 40}, surely=False)
    whole.check(usual)
    assert (arm.ended, arm.unverified) == (None, "")
    whole.check(replace(usual, counters={"transactions": 44}))
    words = f"{PROVEN} (sessions), its transactions not: the server counted 44 transactions"
    assert arm.ended is None
    assert arm.unverified.startswith(words)
    whole.check(replace(usual, counters={"transactions": 39}))
    assert "39 transactions, what its group did comes to 40" in str(arm.ended)


@pytest.mark.servers
def test_an_arm_that_ended_beside_it_leaves_nothing_proven(stand):
    here = stand(ASYNCPG)
    arms = [here.arm(cell("plain", ASYNCPG, pool="nullpool"), number) for number in (0, 1)]
    here.count(arms[0])
    here.ledger.open(arms)
    here.run(arms[0], 20)
    here.ledger.close(arms[:1], here.counts)
    assert arms[0].ended is None
    assert arms[0].unverified.startswith(f"{OPENS}, and nothing is proven of it: an arm beside it")


@pytest.mark.servers
def test_sessions_of_others_are_no_fault_on_a_server_of_yours(stand, server):
    address = server.address

    def visit():
        psycopg.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password or None,
            dbname=address.database,
        ).close()

    yours = UrlServer(address, server.version, 50, {}, pooled=False)
    one = cell("plain", ASYNCPG, pool="nullpool")
    [arm] = timed(stand(ASYNCPG, yours), [one], operations=20, between=visit)
    assert arm.ended is None
    assert arm.unverified.startswith("others use this server: the server counted 21 sessions")
    [arm] = timed(stand(ASYNCPG), [one], operations=20, between=visit)
    assert "21 sessions, the clients of this group opened 20" in str(arm.ended)


@pytest.mark.parametrize(
    ("pool", "receives", "clients", "expected"),
    [
        (None, "session", 8, False),
        ("fitted", "connection", 8, False),
        ("8+10", "connection", 8, False),
        ("20+0", "connection", 8, False),
        ("5+0", "connection", 8, False),
        ("static", "connection", 1, False),
        ("5+10", "connection", 8, True),
        ("fitted:recycle=1", "connection", 8, True),
        ("nullpool", "connection", 1, True),
        ("driver:size=5", "driver", 8, True),
        ("20+0", "sessions", 8, True),  # who knows when all twenty have been handed out?
        ("fitted", "sessions", 8, False),
        (None, "new_engine", 1, True),
    ],
)
def test_which_pools_may_open_connections(pool, receives, clients, expected):
    found = Cell(scenario="a", lane="b", target=ASYNCPG, pool=pool, clients=clients)
    assert may_open(found, receives) is expected


def test_clients_of_a_pool_are_those_of_its_process():
    shared = Cell(scenario="a", lane="b", target=ASYNCPG, pool="4+4", clients=8, processes=2)
    assert not may_open(shared, "connection")
