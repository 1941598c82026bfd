"""The server's own counters equal what the wire promises; whoever breaks the promise is named."""

import os
from dataclasses import replace
from pathlib import Path

import odd_turns
import psycopg
import pytest
from ledgers import Stand
from real_targets import marked, required

from ormbench.cell import Cell
from ormbench.loader import load, shipped
from ormbench.results.count import Count
from ormbench.run.arm import EndedError
from ormbench.run.context import Site
from ormbench.servers.url import UrlServer
from ormbench.targets.target import TARGETS
from ormbench.truth.tables import Tables
from ormbench.wire.relay import Relay

TABLE_ROWS = 500
OURS = f"ledger{os.getpid()}"  # a server may be shared
LOADED = shipped() | {one.name: one for one in load(Path(odd_turns.__file__))}
ODD = 10_000  # the first turn in which lanes may break their promises
FOUR_ARMS = (("update_email", "orm"), ("bulk_create", "core"), ("get_by_id", "raw"))
ASYNCPG = "postgresql+asyncpg"
IN_MAKE_TEST = (ASYNCPG,)
BOTH_WAYS = marked(  # of each server a driver that waits and one that blocks
    [
        "postgresql+asyncpg",
        "postgresql+psycopg_sync",
        "mysql+aiomysql",
        "mysql+pymysql",
        "mariadb+asyncmy",
        "mariadb+mysqldb",
    ],
    IN_MAKE_TEST,
)


@pytest.fixture(scope="module")
def grounds(request):
    """Product -> its site and a route that reads; made once."""
    made = {}
    with Relay() as relay:

        def find(product):
            if product not in made:
                name = "server" if product == "PostgreSQL" else f"{product.lower()}_server"
                server = request.getfixturevalue(name)
                tables = Tables(server.address, TABLE_ROWS, OURS)
                made[product] = Site(server, tables), relay.route(server.address, reads=True)
                tables.prepare(
                    one for name, one in LOADED.items() if name != "wide" or product == "PostgreSQL"
                )
            return made[product]

        yield find
        for site, _ in made.values():
            site.tables.close()


@pytest.fixture
def stand(grounds):
    """Target -> a stand on its server; closed at the end."""
    stands = []

    def make(target, server=None):
        site, route = grounds(required(target).server)
        if server is not None:
            site = replace(site, server=server)
        stands.append(Stand(site, LOADED, route, TABLE_ROWS))
        return stands[-1]

    yield make
    for one in stands:
        one.__exit__()


def timed(stand, cells, operations=200, slices=1, between=lambda: None, first=ODD):
    """The arms of these cells, counted and then timed between two readings."""
    arms = [stand.arm(cell, number) for number, cell in enumerate(cells)]
    for arm in arms:
        stand.count(arm)
    stand.turn = first
    stand.ledger.open(arms)
    for _ in range(slices):
        for arm in arms:
            stand.run(arm, operations)
    between()
    stand.ledger.close(arms, stand.counts)
    return arms


@pytest.mark.servers
@pytest.mark.parametrize("target", marked(TARGETS, IN_MAKE_TEST))
@pytest.mark.parametrize("transaction", ["per-operation", "autocommit"])
def test_the_server_counts_what_the_wire_promises_once_for_each_operation(
    target, transaction, stand
):
    kinds = [*FOUR_ARMS, ("get_by_id", "raw_held" if "raw_held" in LOADED else "core")]
    if not TARGETS[target].driver.is_async:
        kinds[-1] = ("get_by_id", "orm_on_loop")
    elif "raw_pool" not in TARGETS[target].unsupported:
        kinds[-1] = ("get_by_id", "raw_pool")
    cells = [
        Cell(scenario=scenario, lane=lane, target=target, transaction=transaction, clients=clients)
        for (scenario, lane), clients in zip(kinds, (1, 4, 4, 4), strict=True)
    ]
    here = stand(target)
    arms = timed(here, cells, operations=40, slices=2)
    for arm in arms:
        tally = here.counts[arm.cell.id].operations[0]
        assert (arm.ended, arm.unverified, arm.turns) == (None, "", 80)
        if TARGETS[target].server == "PostgreSQL":
            assert arm.counters["transactions"] == 80 * tally.transactions > 0
        else:
            assert arm.counters["Questions"] == 80 * tally.questions > 0
            assert arm.counters["Com_select"] == 80 * tally.statements.get("SELECT", 0)
    if TARGETS[target].server == "PostgreSQL":
        assert [arm.counters.get("rows") for arm in arms] == [80, 8000, None, None]
        assert [book.opening.strangers for book in here.ledger._books] == [False]


@pytest.mark.parametrize("target", BOTH_WAYS)
@pytest.mark.parametrize("clients", [1, 4])
@pytest.mark.parametrize(
    ("lane", "transaction", "on_postgresql", "on_mysql"),
    [
        ("reading/asks_twice", "autocommit", "202 transactions", "202 Com_select"),
        ("reading/remembers", "per-operation", "198 transactions", "198 Com_select"),
        ("reading/rolls_back", "per-operation", "xact_commit", "198 Com_commit"),
        ("reading/ends_by_itself", "autocommit", "198 transactions", "398 Com_commit"),
        ("writing/keeps", "per-operation", "198 rows in n_tup_ins", "198 Com_update"),
    ],
)
def test_a_lane_that_breaks_its_promise_each_hundredth_time_is_incorrect_by_name(
    lane, transaction, on_postgresql, on_mysql, target, clients, stand
):
    scenario, lane = lane.split("/")
    words = on_postgresql if TARGETS[target].server == "PostgreSQL" else on_mysql
    if "psycopg" in target and lane == "ends_by_itself":
        lane = "remembers"  # where a COMMIT is missing, psycopg's own commit() sends it
    if "psycopg" in target and lane == "rolls_back":
        words = "202 transactions"  # its prepared statements go with a ROLLBACK: DEALLOCATE ALL
    if target == ASYNCPG and lane == "keeps":
        words = "398 executions"  # which the connection itself knows, before its tables do
    [arm] = timed(
        stand(target),
        [
            Cell(
                scenario=scenario,
                lane=lane,
                target=target,
                transaction=transaction,
                clients=clients,
            )
        ],
    )
    assert arm.ended is not None, arm
    assert arm.ended.status == "INCORRECT"
    assert words in arm.ended.reason
    assert arm.ended.reason.startswith("the server counted ")


@pytest.mark.parametrize(
    ("target", "lane", "words"),
    [
        ("postgresql+asyncpg", "asks_twice", "202 executions, its count pass promises 200"),
        ("postgresql+asyncpg", "asks_less", "398 executions, its count pass promises 400"),
        ("postgresql+psycopg", "asks_twice", "202 executions, its count pass promises 200"),
        ("postgresql+psycopg_sync", "asks_twice", "202 executions, its count pass promises 200"),
    ],
)
def test_a_statement_more_or_less_inside_a_transaction_is_seen_on_postgresql(
    target, lane, words, stand
):
    cell = Cell(scenario="reading", lane=lane, target=target, clients=4 if target == ASYNCPG else 1)
    [arm] = timed(stand(target), [cell])
    assert (arm.ended.status, words in arm.ended.reason) == ("INCORRECT", True), arm.ended


@pytest.mark.parametrize("target", BOTH_WAYS)
@pytest.mark.parametrize("lane", ["reading/plain", "writing/written"])
def test_beside_them_a_lane_that_keeps_it_agrees(lane, target, stand):
    scenario, lane = lane.split("/")
    [arm] = timed(stand(target), [Cell(scenario=scenario, lane=lane, target=target, clients=4)])
    assert (arm.ended, arm.unverified) == (None, "")


def test_workers_of_parallel_queries_are_nobody_s_fault(stand):
    cell = Cell(scenario="reading", lane="in_parallel", target=ASYNCPG)
    [arm] = timed(stand(ASYNCPG), [cell], operations=50, first=1_000)
    assert (arm.ended, arm.unverified) == (None, "")


@pytest.mark.servers
def test_workers_of_parallel_queries_hide_no_rollback(stand):
    cell = Cell(scenario="reading", lane="in_parallel", target=ASYNCPG)
    [arm] = timed(stand(ASYNCPG), [cell])
    assert "2 xact_rollback, the count passes of this group promise 0" in str(arm.ended)


@pytest.mark.servers
def test_backends_that_catch_up_with_many_emptied_tables_are_unverified(stand):
    """While nobody uses them, so many tables are emptied that the server hurries them."""
    here = stand(ASYNCPG)
    lanes = ("writing", "written"), ("wide", "changes")
    cells = [Cell(scenario=scenario, lane=lane, target=ASYNCPG) for scenario, lane in lanes]
    arms = [here.arm(cell, number) for number, cell in enumerate(cells)]
    here.count(arms[0])
    here.count(arms[1])
    here.ledger.open(arms)
    here.run(arms[0], 5)
    for _ in range(8):
        arms[1].reset()
    here.run(arms[0], 5)
    here.run(arms[1], 5)
    here.ledger.close(arms, here.counts)
    assert [arm.ended for arm in arms] == [None, None]
    words = "backends catch up with tables that others empty or make: the server counted "
    assert arms[0].unverified.startswith(words)


@pytest.mark.parametrize("target", BOTH_WAYS)
def test_operations_that_differ_further_than_those_counted_are_unverified(target, stand):
    """Longer pages than any that was counted: nobody's fault, and no proof."""
    [arm] = timed(
        stand(target),
        [Cell(scenario="varying", lane="pages", target=target, transaction="autocommit")],
    )
    assert arm.ended is None
    words = "operations differ, and further than those that were counted: the server counted "
    assert arm.unverified.startswith(words)


@pytest.mark.servers
@pytest.mark.parametrize("transaction", ["per-operation", "autocommit"])
@pytest.mark.parametrize("target", ["postgresql+asyncpg", "postgresql+psycopg"])
@pytest.mark.parametrize("lane", ["lists", "many_lists"])
def test_whether_statements_are_prepared_or_cached_or_forgotten_changes_no_verdict(
    lane, target, transaction, stand
):
    cell = Cell(scenario="varying", lane=lane, target=target, transaction=transaction, clients=2)
    [arm] = timed(stand(target), [cell], operations=600)
    assert arm.ended is None
    words = {
        "postgresql+asyncpg": "its driver prepared or forgot statements meanwhile, or asked about",
        "postgresql+psycopg": "its driver may prepare statements that it had not when it was",
    }
    assert not arm.unverified or arm.unverified.startswith(words[target])


@pytest.mark.parametrize(("lane", "words"), [("commits", "DO"), ("listens", "LISTEN, NOTIFY")])
def test_transactions_that_the_server_begins_itself_are_nobody_s_fault(lane, words, stand):
    cell = Cell(scenario="by_itself", lane=lane, target=ASYNCPG, transaction="autocommit")
    [arm] = timed(stand(ASYNCPG), [cell], operations=20)
    assert arm.ended is None
    begins = f"the server begins transactions of its own ({words}): the server counted "
    assert arm.unverified.startswith(begins)


@pytest.mark.servers
def test_a_neighbour_that_makes_tables_is_no_fault_of_a_lane(stand):
    lanes = ("reading", "plain"), ("by_itself", "makes_tables")
    cells = [
        Cell(scenario=scenario, lane=lane, target=ASYNCPG, transaction="autocommit", clients=2)
        for scenario, lane in lanes
    ]
    arms = timed(stand(ASYNCPG), cells, operations=40, slices=2)
    assert [arm.ended for arm in arms] == [None, None]
    assert arms[0].unverified.startswith("backends catch up with tables that others empty or make")


@pytest.mark.parametrize("target", BOTH_WAYS)
def test_an_arm_whose_pool_reconnected_is_incorrect(target, stand):
    [arm] = timed(stand(target), [Cell(scenario="reading", lane="reconnects", target=target)])
    assert str(arm.ended) == "opened 1 connection while it was timed, its count pass none"


def test_where_the_count_pass_connects_too_new_connections_are_unverified(stand):
    here = stand(ASYNCPG)
    cell = Cell(scenario="reading", lane="reconnects", target=ASYNCPG, clients=4)
    arm = here.arm(cell)
    here.count(arm)
    count = here.counts[cell.id]
    tallies = tuple(replace(one, connections=1) for one in count.operations)
    here.turn = ODD
    here.ledger.open([arm])
    here.run(arm, 10)
    here.ledger.close([arm], {cell.id: replace(count, operations=tallies)})
    assert arm.ended is None
    assert arm.unverified == "connections came and went: 1 of 4 are new"


def test_a_cell_that_was_not_counted_has_counters_that_prove_nothing(stand):
    here = stand(ASYNCPG)
    arm = here.arm(Cell(scenario="reading", lane="plain", target=ASYNCPG))
    for counts, words in (
        ({}, "there is no count pass to compare with"),
        (
            {arm.cell.id: Count(arm.cell.id, 0, (), (), "the connection is encrypted")},
            "there is no count pass to compare with: the connection is encrypted",
        ),
    ):
        arm.unverified, arm.turns = "", 0
        here.ledger.open([arm])
        here.run(arm, 7)
        here.ledger.close([arm], counts)
        assert (arm.ended, arm.unverified) == (None, words)
        assert arm.counters == {"transactions": 7}


def test_an_arm_that_has_ended_is_left_alone(stand):
    here = stand(ASYNCPG)
    cells = [
        Cell(scenario="reading", lane=lane, target=ASYNCPG) for lane in ("plain", "rolls_back")
    ]
    arms = [here.arm(cell, number) for number, cell in enumerate(cells)]
    for arm in arms:
        here.count(arm)
    here.turn = ODD
    here.ledger.open(arms)
    for arm in arms:
        here.run(arm, 100)
    ended = arms[1].ended = EndedError("TIMEOUT", "not done after 60 s")
    here.ledger.close([arms[0]], here.counts)
    assert (arms[0].ended, arms[0].unverified) == (None, "")
    assert arms[1].ended is ended
    assert arms[1].counters == {}


def test_what_the_wire_does_not_show_is_incorrect_on_our_server_and_unverified_on_yours(
    stand, server
):
    address = server.address

    def visit():
        with psycopg.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password or None,
            dbname=address.database,
        ) as connection:
            connection.execute("SELECT 1")

    cell = Cell(scenario="reading", lane="plain", target=ASYNCPG)
    [arm] = timed(stand(ASYNCPG), [cell], between=visit)
    words = "the server counted 1 sessions, the connections of this group opened 0"
    assert (arm.ended.status, arm.ended.reason) == ("INCORRECT", words)
    [arm] = timed(stand(ASYNCPG, yours(server)), [cell], between=visit)
    assert arm.ended is None
    assert arm.unverified == f"others use this server: {words}"


def test_too_little_is_incorrect_on_your_server_too(stand, server):
    cell = Cell(scenario="reading", lane="rolls_back", target=ASYNCPG)
    [arm] = timed(stand(ASYNCPG, yours(server)), [cell])
    assert "xact_commit, the count passes of this group promise" in str(arm.ended)


def test_behind_a_pooler_nothing_is_read(stand, server):
    pooled = yours(server, pooled=True)
    [arm] = timed(
        stand(ASYNCPG, pooled), [Cell(scenario="reading", lane="rolls_back", target=ASYNCPG)]
    )
    assert (arm.ended, arm.counters) == (None, {})
    assert arm.unverified == "a pooler before the server hands its sessions around"


def yours(server, *, pooled=False):
    """The same server, as if it were another's."""
    return UrlServer(server.address, server.version, 50, {}, pooled=pooled)


@pytest.mark.servers
def test_a_server_too_old_to_publish_on_demand_still_counts_transactions(stand, server):
    old = yours(server)
    old.version = "PostgreSQL 14.9"
    here = stand(ASYNCPG, old)
    [agreed] = timed(here, [Cell(scenario="reading", lane="rolls_back", target=ASYNCPG)])
    assert (agreed.ended, agreed.unverified) == (None, "")
    assert agreed.counters == {"transactions": 200}
    [arm] = timed(stand(ASYNCPG, old), [Cell(scenario="reading", lane="remembers", target=ASYNCPG)])
    assert "198 transactions" in str(arm.ended)


def test_counters_that_cannot_be_read_prove_nothing_and_end_nothing(stand):
    here = stand(ASYNCPG)
    arm = here.arm(Cell(scenario="reading", lane="plain", target=ASYNCPG))
    here.count(arm)
    here.ledger.open([arm])
    here.run(arm, 5)
    with psycopg.connect(**place(arm.site.server.address), autocommit=True) as connection:
        process = int(next(iter(here.ledger._entries[0].opening)))
        connection.execute("SELECT pg_terminate_backend(%s, 1000)", (process,))
    here.ledger.close([arm], here.counts)
    assert arm.ended is None
    assert arm.unverified.startswith("its counters cannot be read: ")


def place(address):
    return {
        "host": address.host,
        "port": address.port,
        "user": address.user,
        "password": address.password or None,
        "dbname": address.database,
    }
