"""What servers count on a connection, how it is read, and what the wire promises of it."""

from contextlib import contextmanager, suppress
from dataclasses import asdict

import psycopg
import pytest
from ledgers import Stand
from real_targets import required

from ormbench.cell import Cell
from ormbench.loader import shipped
from ormbench.run.context import Site
from ormbench.targets.target import NO_TARGET, TARGETS
from ormbench.truth.counters import (
    Difference,
    difference,
    disagreement,
    promised,
    rollbacks,
    written,
)
from ormbench.truth.tables import Tables
from ormbench.wire.tally import Tally

SHIPPED = shipped()
SERVERS = pytest.mark.servers
READ = Tally(questions=3, statements={"SELECT": 1, "COMMIT": 1, "ROLLBACK": 1})
AGREED = {"Questions": 3_600, "Com_select": 1_200, "Com_commit": 1_200, "Com_rollback": 1_200}


def test_postgresql_promises_transactions_and_the_others_each_command():
    assert promised("PostgreSQL", Tally(transactions=2, prepared=4)) == {
        "transactions": 2,
        "executions": 4,
    }
    found = promised("MariaDB", READ)
    assert {name: value for name, value in found.items() if value} == {
        "Questions": 3,
        "Com_select": 1,
        "Com_commit": 1,
        "Com_rollback": 1,
    }


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"Com_commit": 1_203},
            "the server counted 1,203 Com_commit, its count pass promises 1,200 (1 an operation)",
        ),
        (
            {"Questions": 3_601},
            "the server counted 3,601 Questions, its count pass promises 3,600 (3 an operation)",
        ),
        (  # a ROLLBACK for a COMMIT: what is missing is told
            {"Com_commit": 1_199, "Com_rollback": 1_201},
            "the server counted 1,199 Com_commit, its count pass promises 1,200 (1 an operation)",
        ),
        (
            {"Com_insert": 4, "Questions": 3_604},
            "the server counted 4 Com_insert, its count pass promises 0 (0 an operation)",
        ),
    ],
)
def test_a_disagreement_names_the_counter(changed, words):
    assert disagreement("MySQL", [READ] * 5, 1_200, AGREED) is None
    assert disagreement("MySQL", [READ] * 5, 1_200, AGREED | changed) == words


def test_commands_beyond_all_questions_are_told_apart_from_those_that_were_sent():
    """So are a trigger's statements, and on MariaDB the rows of a bulk execute."""
    for changed, unsent in (
        ({"Com_insert": 4}, True),
        ({"Com_insert": 4, "Questions": 3_604}, False),
        ({"Com_insert": 1_200, "Com_commit": 0}, False),
    ):
        found = difference("MySQL", [READ] * 5, 1_200, AGREED | changed)
        assert found.unsent == unsent


def test_where_operations_differ_a_counter_lies_between_the_least_and_the_most():
    operations = [Tally(transactions=1), Tally(transactions=3)]
    for count in (100, 250, 300):
        assert disagreement("PostgreSQL", operations, 100, {"transactions": count}) is None
    assert difference("PostgreSQL", operations, 100, {"transactions": 99}) == Difference(
        "transactions", 99, 100, 300, "1 to 3 an operation"
    )
    assert disagreement("PostgreSQL", operations, 100, {"transactions": 1_301}) == (
        "the server counted 1,301 transactions, "
        "its count pass promises 100 to 300 (1 to 3 an operation)"
    )


def test_commands_that_one_word_may_move_count_as_one():
    operations = [Tally(questions=2, statements={"INSERT": 1, "ROLLBACK": 1})]
    counted = {
        "Questions": 20,
        "Com_insert": 4,
        "Com_insert_select": 6,
        "Com_rollback": 3,
        "Com_rollback_to_savepoint": 7,
    }
    assert disagreement("MySQL", operations, 10, counted) is None
    assert "11 Com_insert" in str(
        disagreement("MySQL", operations, 10, counted | {"Com_insert_select": 7})
    )


@pytest.mark.parametrize(
    ("tally", "expected"),
    [
        (Tally(transactions=1, statements={"BEGIN": 1, "SELECT": 1, "COMMIT": 1}), 0),
        (Tally(transactions=1, statements={"BEGIN": 1, "SELECT": 1, "ROLLBACK": 1}), 1),
        (Tally(transactions=1, statements={"SAVEPOINT": 1, "ROLLBACK": 1, "COMMIT": 1}), None),
        (Tally(transactions=2, statements={"SELECT": 1}), None),  # one may have failed
    ],
)
def test_rollbacks_are_promised_where_the_wire_tells_them(tally, expected):
    assert rollbacks(tally) == expected


def test_rows_are_promised_where_the_wire_tells_them():
    told = {"SELECT": 9, "INSERT": 4, "UPDATE": 2, "DELETE": 1}
    assert written(Tally(statements=dict.fromkeys(told, 1), rows=told)) == 7
    assert written(Tally(statements={"COPY": 1}, rows={"COPY": 100})) is None
    assert written(Tally(statements={"INSERT": 1, "ROLLBACK": 1}, rows={"INSERT": 1})) is None


@pytest.fixture(scope="module")
def site(request):
    """Product -> a site, made once."""
    made = {}

    def find(product):
        if product not in made:
            name = "server" if product == "PostgreSQL" else f"{product.lower()}_server"
            server = request.getfixturevalue(name)
            tables = Tables(server.address, 500, "counters")
            made[product] = Site(server, tables)
            tables.prepare([SHIPPED["get_by_id"]])
        return made[product]

    yield find
    for one in made.values():
        one.tables.close()


LANES = [  # that each target has
    pytest.param(target.name, lane, marks=() if target.server == "PostgreSQL" else SERVERS)
    for target in TARGETS.values()
    for lane in ("orm", "orm_on_loop", "raw_held", "raw", "raw_pool")
    if lane not in target.unsupported and not (lane == "orm_on_loop" and target.driver.is_async)
]
LEFT_OPEN = {
    "PostgreSQL": "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL "
    "AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
    "MySQL": "SELECT count(*) FROM information_schema.innodb_trx",
    "MariaDB": "SELECT count(*) FROM information_schema.innodb_trx",
}
PREPARED = ["SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'developers'"]


@pytest.mark.parametrize(("target", "lane"), LANES)
@pytest.mark.parametrize("transaction", ["per-operation", "autocommit"])
def test_a_reading_asks_each_connection_and_leaves_it_as_it_was(lane, transaction, target, site):
    known = required(target)
    cell = Cell(scenario="get_by_id", lane=lane, target=target, transaction=transaction, clients=4)
    with Stand(site(known.server), SHIPPED, None, 500) as stand:
        stand.arm(cell)
        ask = stand.worker.arms[0].bound.ask
        on_postgresql = known.server == "PostgreSQL"
        before = stand.runner.run(ask(PREPARED)) if on_postgresql else None
        first, second, third = stand.ask("counters", arm=0, times=3, flush=True)["readings"]
        assert first.keys() == second.keys() == third.keys()
        assert len(first) == 4
        assert costs(second, first) == costs(third, second)
        assert all(any(one.values()) for one in costs(third, second).values())
        after = stand.runner.run(ask(PREPARED)) if on_postgresql else None
        assert after == before
        tables = site(known.server).tables
        with tables.connected() as connection:
            assert connection.exec_driver_sql(LEFT_OPEN[known.server]).scalar() == 0
        stand.ask("turns", arm=0, first=stand.take(8)[0], count=8)


def costs(one, other):
    return {
        key: {name: value - other[key][name] for name, value in counters.items()}
        for key, counters in one.items()
    }


def test_a_lane_without_a_database_has_no_counters(site):
    with Stand(site("PostgreSQL"), SHIPPED, None, 500) as stand:
        cell = Cell(scenario="empty", lane="nothing", target=NO_TARGET)
        stand.ask("open", arm=0, cell=asdict(cell), schema="")
        assert stand.ask("counters", arm=0, times=2, flush=True) == {
            "readings": [{}, {}],
            "opened": 0,
        }


@pytest.mark.servers
@pytest.mark.parametrize("product", ["MySQL", "MariaDB"])
def test_a_trigger_s_statement_is_a_command_and_no_question(product, site):
    status = "SHOW SESSION STATUS WHERE Variable_name IN ('Questions', 'Com_insert')"
    with site(product).tables.connected() as connection:

        def counted():
            return {name: int(value) for name, value in connection.exec_driver_sql(status)}

        for statement in (
            "CREATE DATABASE counters_trigger",
            "USE counters_trigger",
            "CREATE TABLE here (n INT)",
            "CREATE TABLE there (n INT)",
            "CREATE TRIGGER copies AFTER INSERT ON here FOR EACH ROW INSERT INTO there VALUES (1)",
        ):
            connection.exec_driver_sql(statement)
        try:
            before = counted()
            connection.exec_driver_sql("INSERT INTO here VALUES (1), (2), (3)")
            after = counted()
        finally:
            connection.exec_driver_sql("DROP DATABASE counters_trigger")
        connection.invalidate()
    assert after["Questions"] - before["Questions"] == 2  # with the reading
    assert after["Com_insert"] - before["Com_insert"] == 4


# What `load.counters` and `run.published` say of PostgreSQL.

NUMBER = """
SELECT split_part(virtualtransaction, '/', 2)::bigint, pg_stat_force_next_flush()::text {}
FROM pg_locks WHERE locktype = 'virtualxid' AND pid = pg_backend_pid()
"""
TOUCHED = NUMBER.format(", (SELECT count(*) FROM pg_catalog.pg_am)")


@contextmanager
def connected(address, database):
    with psycopg.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password or None,
        dbname=database,
        autocommit=True,
    ) as connection:
        yield connection


@pytest.fixture
def counted(server):
    """A connection to the run's database, and a function: its totals, from another one."""
    address = server.address
    with connected(address, address.database) as one, connected(address, "postgres") as control:
        query = "SELECT xact_commit, xact_rollback FROM pg_stat_database WHERE datname = %s"
        yield one, lambda: control.execute(query, (address.database,)).fetchone()


def number(connection, query=TOUCHED):
    return connection.execute(query).fetchone()[0]


def test_a_forced_flush_publishes_commits_only_where_a_table_was_touched(counted):
    one, totals = counted
    untouched = NUMBER.format("")
    number(one)
    for _ in range(3):  # what a first call looks up in the catalog is a touch, too
        number(one, untouched)
    start, before = number(one, untouched), totals()
    for _ in range(50):
        one.execute("SELECT 1", prepare=False)
    assert number(one, untouched) - start == 51
    assert totals() == before
    number(one)
    assert totals()[0] - before[0] >= 51


def test_each_transaction_that_a_backend_numbers_is_in_the_totals(counted):
    one, totals = counted
    one.execute("CREATE TEMP TABLE odd AS SELECT generate_series(1, 20000) AS n")
    number(one)
    start, before = number(one), totals()
    for _ in range(10):
        one.execute("SELECT 1", prepare=True)
    for wrong in ("SELECT 1 / 0", "nonsense", "SELECT * FROM nowhere"):
        with suppress(psycopg.Error):
            one.execute(wrong)
    for statement in (
        "ROLLBACK",
        ";",
        "BEGIN",
        "SAVEPOINT here",
        "ROLLBACK TO here",
        "ROLLBACK",
        "LISTEN odd",
        "NOTIFY odd",
        "RESET ALL",
    ):
        one.execute(statement)
    began, (commits, rolled_back) = number(one) - start, totals()
    assert began == commits - before[0] + rolled_back - before[1]
    assert rolled_back - before[1] == 5  # three that failed, two that were said so


def test_a_worker_of_a_parallel_query_adds_two_commits_that_no_backend_numbers(counted):
    one, totals = counted
    one.execute("SET debug_parallel_query = on")
    number(one)
    start, before = number(one), totals()
    for _ in range(5):
        one.execute("SELECT count(*) FROM pg_class", prepare=False)
    began, (commits, rolled_back) = number(one) - start, totals()
    assert (commits - before[0], rolled_back - before[1]) == (began + 10, 0)


def test_the_control_connection_is_not_in_the_totals_that_it_reads(counted, server):
    _, totals = counted
    before = totals()
    with connected(server.address, "postgres") as connection:
        connection.execute(TOUCHED)
    assert totals() == before
