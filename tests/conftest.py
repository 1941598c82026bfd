"""What all tests share: servers of our own for the session, and a SIGINT that arrives."""

import os
import signal

import pytest

from ormbench.servers.supply import SOURCES, choose, parse_wanted

# A shell starts background jobs with SIGINT ignored, and children inherit that: the runs that
# tests interrupt would never hear of it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


WANTED = parse_wanted(os.environ.get("ORMBENCH_TEST_SERVER", "auto"))
"""Where the servers of the session come from, as in ``--server``."""


def started(product):
    """A server of *product* for the session; without one tests skip, and fail where CI is set."""
    supply = choose(WANTED)
    if reason := supply.lacks(product):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no {product}: {reason}")
    running = SOURCES[supply.kinds[product]].start(product, "relaxed")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def server():
    yield from started("PostgreSQL")


@pytest.fixture(scope="session")
def mysql_server():
    yield from started("MySQL")


@pytest.fixture(scope="session")
def mariadb_server():
    yield from started("MariaDB")


@pytest.fixture(scope="session")
def mysql_address(mysql_server):
    return mysql_server.address


@pytest.fixture(scope="session")
def mariadb_address(mariadb_server):
    return mariadb_server.address
