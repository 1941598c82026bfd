"""Which pool a cell can have, and what a reader is told where it cannot."""

import pytest

from ormbench.cell import Cell
from ormbench.plan.pooling import resets, too_many, unfit, unshared
from ormbench.servers.supply import SPARE_CONNECTIONS, Supply
from ormbench.targets.target import TARGETS

ASYNCPG, PSYCOPG2, AIOMYSQL = "postgresql+asyncpg", "postgresql+psycopg2", "mysql+aiomysql"
PYMYSQL = "mysql+pymysql"
RECEIVES = {"core": "connection", "orm": "session", "engines": "new_engine"}
LENT = {
    *("postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg_sync"),
    *("mysql+aiomysql", "mysql+asyncmy", "mariadb+aiomysql", "mariadb+asyncmy"),
}


def cell_of(lane, pool, clients=1, target=ASYNCPG, **more):
    axes = {"scenario": "any", "placement": "free", **more}
    return Cell(lane=lane, target=target, pool=pool, clients=clients, **axes)


def reason(lane, pool, clients=1, target=ASYNCPG, **more):
    cell = cell_of(lane, pool, clients, target, **more)
    return unfit(cell, RECEIVES.get(lane, "driver"), TARGETS[target].driver)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("raw", "5+10"), "a raw lane has the driver's own pool: pool=driver:size=N"),
        (("raw", "static", 4), "a raw lane has the driver's own pool"),
        (("raw_pool", "nullpool"), "a raw lane has the driver's own pool"),
        (("raw_held", "driver:size=3", 4), "raw_held holds a connection for each client"),
        (("raw_held", "driver:timeout=1"), "nobody shares, and nobody waits"),
        (("raw_on_loop", "5+10", 1, PSYCOPG2), "a raw lane has the driver's own pool"),
        (("raw", "driver:reset=none"), "what is sent on return is the raw lane's own"),
        (("raw", "driver", 1, PYMYSQL), "pymysql has no pool of its own"),
        (("core", "driver", 1, PYMYSQL), "pymysql has no pool of its own"),
        (("core", "driver", 1, PSYCOPG2), "psycopg2's own pool throws it away"),
        (
            ("raw", "driver:size=3", 8, PSYCOPG2),
            "of 8 clients, 5 would find no connection of its 3, and get an error at once",
        ),
        (("raw", "driver:timeout=1", 1, PSYCOPG2), "waits not at all: it takes no timeout"),
        (("orm", "driver:timeout=1", 1, AIOMYSQL), "aiomysql's pool waits without end"),
        (("raw", "driver:timeout=1", 1, AIOMYSQL), "it takes no timeout"),
        (("core", "static", 2), "static is one connection: 2 clients would share its transaction"),
        (("engines", "driver"), "the lane makes its engines itself"),
    ],
)
def test_a_pool_that_a_lane_cannot_have_is_told_with_the_reason(given, words):
    assert words in reason(*given)


@pytest.mark.parametrize(
    ("lane", "pool", "clients", "target"),
    [
        ("raw", "driver", 8, PSYCOPG2),
        ("raw", "driver:size=8", 4, PSYCOPG2),
        ("raw", "driver:size=3", 8, AIOMYSQL),
        ("raw", "driver:size=3:timeout=1", 8, ASYNCPG),
        ("raw_held", "driver:size=4", 4, ASYNCPG),
        ("core", "driver:size=3:timeout=1:reset=none", 8, ASYNCPG),
        ("core", "static", 1, ASYNCPG),
        ("engines", "nullpool", 1, ASYNCPG),
        ("orm", "5+10:ping", 64, PYMYSQL),
        ("orm", None, 64, PYMYSQL),
        ("raw", None, 64, PYMYSQL),
    ],
)
def test_a_pool_that_a_lane_can_have_is_let_be(lane, pool, clients, target):
    assert reason(lane, pool, clients, target) is None


def test_a_static_pool_is_one_connection_for_each_process():
    assert reason("core", "static", 4, processes=4) is None
    assert "2 clients would share" in reason("core", "static", 4, processes=2)


@pytest.mark.parametrize("target", TARGETS)
def test_the_drivers_whose_pool_lends_to_sqlalchemy_are_known(target):
    assert (reason("core", "driver", target=target) is None) is (target in LENT)


def test_what_the_server_cannot_hold_is_told_with_the_arithmetic():
    supply = Supply(connections=20 + SPARE_CONNECTIONS)

    def told(pool, clients, processes=1):
        return too_many(cell_of("core", pool, clients, processes=processes), supply)

    takes = f"the server takes {supply.connections}, {SPARE_CONNECTIONS} of them for others"
    assert told("5+10", 64, 4) == f"4 processes x 5+10 hold up to 60 connections, {takes}"
    assert told("20+5:ping", 1) == f"20+5:ping holds up to 25 connections, {takes}"
    assert told("driver:size=21", 1) == f"driver:size=21 holds up to 21 connections, {takes}"
    words = "4 processes x nullpool to 16 clients hold up to 64 connections"
    assert told("nullpool", 64, 4) == f"{words}, {takes}"
    words = "2 processes x fitted to 32 clients hold up to 64 connections"
    assert told(None, 64, 2) == f"{words}, {takes}"
    assert told("5+5", 64, 2) is None
    assert told("static", 1) is None


def test_processes_share_clients_evenly_and_not_a_core():
    assert unshared(cell_of("core", None, 9, processes=4)) == (
        "9 clients cannot be shared evenly by 4 processes"
    )
    split = cell_of("core", None, 8, processes=4, placement="split")
    assert "placement split leaves the client one core, where 4 processes" in unshared(split)
    assert unshared(cell_of("core", None, 8, processes=4)) is None
    assert unshared(cell_of("core", None, 1, placement="one-core")) is None


@pytest.mark.parametrize(
    ("lane", "pool", "target", "sends"),
    [
        ("raw_pool", None, ASYNCPG, True),
        ("core", "driver", ASYNCPG, True),
        ("core", "driver:reset=none", ASYNCPG, False),
        ("core", "driver", "postgresql+psycopg", False),
        ("raw", "driver", ASYNCPG, False),
        ("core", "5+10", ASYNCPG, False),
        ("core", None, ASYNCPG, False),
    ],
)
def test_it_is_known_which_pools_send_a_reset_that_a_pooler_would_pass_on(
    lane, pool, target, sends
):
    assert resets(cell_of(lane, pool, target=target), TARGETS[target].driver) is sends
