"""The relay counts what PostgreSQL itself logs of a session: each statement, each bind."""

import csv
import io
from collections import Counter

import asyncpg
import psycopg
import pytest
from postgresql_tap import Tap

from ormbench.servers.embedded import EmbeddedPostgres
from ormbench.wire.postgresql import Reader
from ormbench.wire.relay import Relay

SETTINGS = {
    "logging_collector": "on",
    "log_destination": "csvlog",
    "log_min_duration_statement": "0",
}
MESSAGE, APPLICATION = 13, 22  # columns of a line of the log
BOUND = "BIND"  # no statement's name


@pytest.fixture(scope="module")
def control():
    """A connection to a server that logs all it does."""
    server = EmbeddedPostgres.start(extra=SETTINGS)
    try:
        with psycopg.connect(**place(server.address), autocommit=True) as connection:
            connection.execute("CREATE TABLE told (id int PRIMARY KEY, text text)")
            yield server.address, connection
    finally:
        server.stop()


def place(address):
    return {
        "host": address.host,
        "port": address.port,
        "user": address.user,
        "dbname": address.database,
    }


async def by_asyncpg(address, name):
    told = place(address)
    told["database"] = told.pop("dbname")
    connection = await asyncpg.connect(**told, server_settings={"application_name": name})
    for turn in range(5):
        async with connection.transaction():
            rows = [(100 * turn + n, "a") for n in range(40)]
            await connection.executemany("INSERT INTO told VALUES ($1, $2)", rows)
            async for _ in connection.cursor("SELECT id FROM told", prefetch=30):
                pass
        await connection.fetch("SELECT count(*) FROM told WHERE text = $1", "a")
    await connection.execute("UPDATE told SET text = 'b'")
    await connection.close()


async def by_psycopg(address, name):
    told = place(address)
    async with await psycopg.AsyncConnection.connect(**told, application_name=name) as connection:
        for turn in range(8):
            async with connection.cursor() as cursor:
                rows = [(100 * turn + n, "a") for n in range(40)]
                await cursor.executemany("INSERT INTO told VALUES (%s, %s)", rows)
            await connection.execute("SELECT count(*) FROM told WHERE text = %s", ("a",))
            await connection.commit()


def logged(control, name):
    """First word of a statement -> how often the server says that it ran; binds beside them."""
    (text,) = control.execute("SELECT pg_read_file(pg_current_logfile('csvlog'))").fetchone()
    found = Counter()
    for row in csv.reader(io.StringIO(text)):
        step, _, sql = row[MESSAGE].partition(" ms  ")[2].partition(": ")
        if row[APPLICATION] != name or not sql:
            continue
        if step.startswith("execute fetch"):
            found["FETCH"] += 1
        elif step.startswith(("execute", "statement")):
            found[sql.split()[0].strip(";").upper()] += 1
        elif step.startswith("bind"):
            found[BOUND] += 1
    return found


def counted(tally):
    """The same, from the wire."""
    return Counter({**tally.statements, BOUND: tally.prepared + tally.unprepared})


@pytest.mark.parametrize("use", [by_asyncpg, by_psycopg])
async def test_the_relay_counts_what_the_server_logs(use, control):
    address, connection = control
    connection.execute("TRUNCATE told")
    with Relay() as relay:
        route = relay.route(address, reads=True)
        await use(route.address, use.__name__)
        taken = route.take()
    assert taken.lost == ""
    assert counted(taken.tally) == logged(connection, use.__name__)
    assert taken.tally.statements["INSERT"] in {200, 320}


class Forgetful(Reader):
    """Misses one completed command in a hundred."""

    def __init__(self):
        super().__init__()
        self._seen = 0

    def feed(self, side, data):
        messages = super().feed(side, data)
        kept = []
        for one in messages:
            self._seen += one.statement != ""
            if not one.statement or self._seen % 100:
                kept.append(one)
        return kept


@pytest.mark.parametrize("use", [by_asyncpg, by_psycopg])
async def test_mutation_a_reader_that_misses_one_statement_in_a_hundred_is_caught(use, control):
    address, connection = control
    connection.execute("TRUNCATE told")
    tap, name = Tap(Forgetful), f"{use.__name__} again"
    await use(await tap.open(address), name)
    _, tally = tap.take()
    await tap.close()
    assert counted(tally) != logged(connection, name)
