"""The relay counts what pg_stat_statements does: calls and rows, by a statement's first word.

The embedded PostgreSQL comes without contrib, so this one runs in a container of its own.
"""

import os
import subprocess
import time
from collections import Counter
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select, update
from sqlalchemy.ext.asyncio import create_async_engine

from ormbench.servers.server import Address
from ormbench.wire.relay import Relay

SECONDS = 60
READY = "ready to accept connections"  # said twice: the image starts it once to set it up
VIEW = """
SELECT query, calls, rows FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = 'bench')
"""
items = Table("items", MetaData(), Column("id", Integer, primary_key=True), Column("text", Text))

pytestmark = pytest.mark.servers


def docker(*words):
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=True)
    return done.stdout.strip() + done.stderr.strip()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A PostgreSQL that keeps statistics of its statements."""
    if subprocess.run(["docker", "version"], capture_output=True, check=False).returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Docker")
    folder = tmp_path_factory.mktemp("sockets")
    folder.chmod(0o777)
    wishes = ("-c", "shared_preload_libraries=pg_stat_statements", "-c", "listen_addresses=")
    names = ("USER=bench", "DB=bench", "HOST_AUTH_METHOD=trust")
    told = [word for name in names for word in ("-e", f"POSTGRES_{name}")]
    image = os.environ.get("BENCH_POSTGRES_IMAGE", "postgres:18")
    place = ("-v", f"{folder}:/var/run/postgresql")
    container = docker("run", "--detach", *told, *place, image, *wishes)
    try:
        wait_for(container, folder)
        yield Address("PostgreSQL", str(folder), 5432, "bench", "bench")
    finally:
        docker("rm", "--force", "--volumes", container)


def wait_for(container, folder):
    end = time.monotonic() + SECONDS
    while docker("logs", container).count(READY) < 2:
        assert time.monotonic() < end, docker("logs", container)
        time.sleep(0.2)
    with psycopg.connect(host=str(folder), user="bench", dbname="bench") as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        connection.execute("CREATE TABLE items (id int PRIMARY KEY, text text)")


async def work(engine):
    """All that a connection does in its life, the questions of a new engine among it."""
    async with engine.begin() as connection:
        rows = [{"id": number, "text": "a"} for number in range(250)]
        await connection.execute(insert(items), rows)
    for number in range(20):
        async with engine.begin() as connection:
            await connection.execute(select(items).where(items.c.id == number))
    async with engine.connect() as connection:
        await connection.execute(update(items).values(text="b"))
        await connection.rollback()
    async with engine.begin() as connection:
        await connection.execute(items.delete())
    await engine.dispose()


def seen(control):
    """Calls and rows of the server's own view, by first word."""
    calls, rows = Counter(), Counter()
    for query, called, touched in control.execute(VIEW):
        word = query.split(maxsplit=1)[0].rstrip(";").upper()
        calls[word] += called
        rows[word] += touched
    return calls, rows


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_the_relay_counts_the_statements_that_the_server_keeps_statistics_of(driver, address):
    place = {"host": address.host, "user": "bench", "dbname": "postgres", "autocommit": True}
    with psycopg.connect(**place) as control, Relay() as relay:
        control.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        control.execute("SELECT pg_stat_statements_reset()")
        with closing(relay.route(address, reads=True)) as route:
            await work(create_async_engine(route.address.url(f"postgresql+{driver}")))
            tally = route.take().tally
        calls, rows = seen(control)
    assert calls["INSERT"] == 250
    assert tally.statements == calls
    assert {word: tally.rows.get(word, 0) for word in rows} == rows
    with pytest.raises(AssertionError):  # and a count that misses one statement is seen to
        assert {**tally.statements, "SELECT": tally.statements["SELECT"] - 1} == calls
