"""Round trips of one transaction, on each driver and product: docs/round-trips.md is right."""

from contextlib import closing
from pathlib import Path

import pytest
from real_targets import marked, required, server_address
from round_trips import Counter

from ormbench.targets.target import TARGETS
from ormbench.wire.relay import Relay

DOCUMENT = Path(__file__).parents[1] / "docs" / "round-trips.md"
COLUMNS = {
    "asyncpg": 0,
    "psycopg": 1,
    "psycopg_sync": 1,
    "psycopg2": 1,
    "aiomysql": 2,
    "asyncmy": 2,
    "pymysql": 3,
    "mysqldb": 3,
}
ROWS = {
    "its defaults": "default",
    "its defaults, no `commit()`": "no commit()",
    "`pool_pre_ping=True`": "pre_ping",
    "`pool_reset_on_return=None`": "reset_on_return=None",
    '`isolation_level="AUTOCOMMIT"`': "AUTOCOMMIT",
    "AUTOCOMMIT, no `commit()`": "AUTOCOMMIT, no commit()",
    "AUTOCOMMIT and `pool_pre_ping=True`": "AUTOCOMMIT, pre_ping",
    "AUTOCOMMIT and `skip_autocommit_rollback=True`": "AUTOCOMMIT, skip_autocommit_rollback",
    "the same, no `commit()`": "AUTOCOMMIT, skip_autocommit_rollback, no commit()",
    '`isolation_level="SERIALIZABLE"`': "SERIALIZABLE of the engine",
    "SERIALIZABLE by `execution_options()` of a connection": "SERIALIZABLE of the connection",
    "more, the first time that a connection sees a statement": "the first time",
    "more, the sixth time (psycopg 3 prepares; psycopg2 never)": "the sixth time",
    "the engine's first connection, with this transaction": "first connection of the engine",
    "a later new connection, with this transaction": "a later new connection",
}
CONNECTING = {"first connection of the engine", "a later new connection"}


def table():
    """What the document says: kind of transaction -> its words for each column."""
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")][1:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {ROWS[name]: cells for name, *cells in rows}


def promised(driver):
    """What the document says of a driver."""
    said = {kind: cells[COLUMNS[driver]] for kind, cells in table().items()}
    sixth = said["the sixth time"].split(" or ")
    said["the sixth time"] = sixth[-1 if driver == "psycopg2" else 0]
    return {kind: int(cell) for kind, cell in said.items()}


def test_the_document_has_a_row_for_each_kind_of_transaction():
    assert set(table()) == set(ROWS.values())


@pytest.mark.parametrize("name", marked(TARGETS))
def test_a_driver_sends_as_many_round_trips_as_the_document_says(name, request):
    target = required(name)
    address = server_address(request, target)
    with (
        closing(Relay()) as relay,
        closing(Counter(target, relay.route(address, reads=True))) as it,
    ):
        found, said = it.trips(), promised(target.driver.name)
    if not address.is_socket:  # over TCP, clients of PostgreSQL ask for encryption first
        found, said = (
            {k: v for k, v in one.items() if k not in CONNECTING} for one in (found, said)
        )
    assert found == said
