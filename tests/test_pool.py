"""A pool's word: what it says, that it has one spelling only, and what it refuses."""

import re

import pytest

from ormbench.pool import FITTED, Pool, parse

WORDS = {
    "5+10": Pool(kind="queue", size=5, overflow=10),
    "20+0:ping:lifo": Pool(kind="queue", size=20, ping=True, lifo=True),
    "2+0:timeout=0.05": Pool(kind="queue", size=2, timeout=0.05),
    "1+0:timeout=1234567.5": Pool(kind="queue", size=1, timeout=1234567.5),
    "5+10:ping:lifo:timeout=1:recycle=60:reset=none": Pool(
        kind="queue",
        size=5,
        overflow=10,
        ping=True,
        lifo=True,
        timeout=1.0,
        recycle=60,
        reset="none",
    ),
    "5+0:recycle=0": Pool(kind="queue", size=5, recycle=0),
    "fitted": FITTED,
    "fitted:ping:recycle=3600": Pool(ping=True, recycle=3600),
    "nullpool": Pool(kind="nullpool"),
    "nullpool:reset=none": Pool(kind="nullpool", reset="none"),
    "static": Pool(kind="static"),
    "static:ping:recycle=5:reset=none": Pool(kind="static", ping=True, recycle=5, reset="none"),
    "driver": Pool(kind="driver"),
    "driver:size=20:timeout=0.5:reset=none": Pool(
        kind="driver", size=20, timeout=0.5, reset="none"
    ),
}


@pytest.mark.parametrize(("word", "pool"), WORDS.items(), ids=WORDS)
def test_a_word_is_read_as_its_pool_and_written_as_that_word(word, pool):
    assert parse(word) == pool
    assert pool.word == word


def test_one_pool_has_one_word_in_whatever_order_its_options_came():
    assert parse("5+10:reset=rollback:timeout=1.0:lifo:ping").word == "5+10:ping:lifo:timeout=1"
    assert parse("driver:timeout=2:size=7").word == "driver:size=7:timeout=2"
    assert parse("05+00").word == "5+0"


@pytest.mark.parametrize(
    ("word", "clients", "most"),
    [
        ("5+10", 64, 15),
        ("5+10", 1, 15),
        ("fitted", 8, 8),
        ("nullpool", 8, 8),
        ("static", 1, 1),
        ("driver", 8, 8),
        ("driver:size=3", 8, 3),
    ],
)
def test_a_pool_holds_so_many_connections_at_most(word, clients, most):
    assert parse(word).most(clients) == most


REFUSED = {
    "": "expected SIZE+OVERFLOW, fitted, nullpool, static or driver",
    "queue": "expected SIZE+OVERFLOW",
    "5": "expected SIZE+OVERFLOW",
    "5+": "expected SIZE+OVERFLOW",
    "-1+5": "expected SIZE+OVERFLOW",
    "5+-1": "expected SIZE+OVERFLOW",
    "٣+0": "expected SIZE+OVERFLOW",
    f"{'9' * 5000}+0": "expected SIZE+OVERFLOW",
    "0+10": "a size of 0 means no limit at all; where no connection is to stay open, say nullpool",
    "0+0": "a size of 0 means no limit at all",
    "nullpool:ping": "nullpool takes no ping: each checkout has a new connection",
    "nullpool:lifo": "nullpool takes no lifo: each checkout has a new connection",
    "nullpool:timeout=1": "has a new connection, and waits for nobody (it takes reset)",
    "nullpool:recycle=1": "nullpool takes no recycle",
    "static:lifo": "static takes no lifo: it has one connection",
    "static:timeout=1": "static takes no timeout: it has one connection, and nobody waits",
    "driver:ping": "driver takes no ping: SQLAlchemy keeps no connection then",
    "driver:lifo": "driver takes no lifo",
    "driver:recycle=5": "driver takes no recycle",
    "5+10:size=3": "a queue takes no size: its size is written first",
    "fitted:size=3": "fitted takes no size: its size is that of the clients",
    "static:size=1": "static takes no size",
    "5+10:ping=1": "no option 'ping=1'; expected SIZE",
    "5+10:timeout": "no option 'timeout'; expected SIZE",
    "5+10:pingg": "no option 'pingg'",
    "5+10:": "no option ''",
    "5+10:ping:ping": "ping is there twice",
    "driver:size=3:size=4": "size is there twice",
    "5+10:timeout=0": "timeout=0: expected seconds above 0",
    "5+10:timeout=nan": "timeout=nan: expected seconds above 0",
    "5+10:timeout=inf": "timeout=inf: expected seconds above 0",
    "5+10:timeout=-1": "timeout=-1: expected seconds above 0",
    "5+10:timeout=soon": "timeout=soon: expected seconds above 0",
    "5+10:recycle=-1": "recycle=-1: expected whole seconds from 0",
    "5+10:recycle=1.5": "recycle=1.5: expected whole seconds from 0",
    "driver:size=0": "size=0: expected whole connections from 1",
    "driver:size=many": "size=many: expected whole connections from 1",
    "5+10:reset=commit": "reset=commit: expected none or rollback",
}


@pytest.mark.parametrize(
    ("word", "clients", "may"),
    [
        ("fitted:ping", 8, False),
        ("2+0", 8, True),
        ("5+10", 15, False),
        ("5+10", 16, True),
        ("20+0:timeout=1", 8, True),
        ("nullpool", 64, False),
        ("static", 2, True),
        ("driver", 8, False),
    ],
)
def test_a_pool_runs_out_where_it_has_fewer_than_clients_or_gives_up_early(word, clients, may):
    assert parse(word).may_run_out(clients) is may


@pytest.mark.parametrize(("word", "reason"), REFUSED.items(), ids=[w[:24] for w in REFUSED])
def test_a_word_that_means_nothing_is_refused_with_what_would_be_right(word, reason):
    with pytest.raises(ValueError, match=re.escape(reason)) as refused:
        parse(word)
    assert "\n" not in str(refused.value)
