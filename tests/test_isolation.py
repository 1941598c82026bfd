"""An isolation level as a word, and which cells can have it."""

from dataclasses import replace

import pytest

from ormbench.cell import Cell
from ormbench.isolation import LEVELS, Isolation, parse, word
from ormbench.loader import shipped
from ormbench.plan.axes import AXES, values
from ormbench.plan.runnable import why_not
from ormbench.servers.server import Address
from ormbench.servers.supply import EVERYTHING
from ormbench.servers.url import UrlServer


@pytest.mark.parametrize("scope", ["engine", "connection"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_word_says_a_level_and_where_it_is_set_and_is_read_back(level, scope):
    one = Isolation(level, scope)
    assert one.word == word(level) + (":connection" if scope == "connection" else "")
    assert parse(one.word) == one


@pytest.mark.parametrize("given", ["SERIALIZABLE", "repeatable read", "Read-Committed:CONNECTION"])
def test_a_level_may_be_written_as_sql_has_it(given):
    assert parse(given).word == given.lower().replace(" ", "-")


@pytest.mark.parametrize(
    "given", ["", "snapshot", ":connection", "serializable:", "serializable:engine", "autocommit"]
)
def test_another_word_is_refused_with_those_that_there_are(given):
    with pytest.raises(ValueError, match="one of read-uncommitted, read-committed, repeatable"):
        parse(given)


def test_the_axis_takes_each_level_once_and_default():
    assert values("isolation", "default, read committed,READ-COMMITTED") == [None, "read-committed"]
    assert AXES["isolation"].default is None


def reason(lane, target, isolation, supply=EVERYTHING, **axes):
    cell = Cell(
        scenario="hot_row", lane=lane, target=target, isolation=isolation, placement="free", **axes
    )
    return why_not(cell, shipped()["hot_row"], supply)


@pytest.mark.parametrize("lane", ["orm", "core", "raw"])
def test_a_level_that_the_driver_has_not_is_unsupported_by_name(lane):
    assert reason(lane, "postgresql+asyncpg", "read-uncommitted") == (
        "UNSUPPORTED: asyncpg has no READ UNCOMMITTED in SQLAlchemy, "
        "it has read-committed, repeatable-read, serializable"
    )
    assert reason(lane, "postgresql+psycopg", "read-uncommitted") is None
    assert reason(lane, "postgresql+asyncpg", "serializable") is None


@pytest.mark.parametrize("lane", ["raw_held", "raw"])
def test_a_bare_driver_has_its_level_from_connecting_and_not_for_each_checkout(lane):
    assert reason(lane, "postgresql+asyncpg", "serializable:connection") == (
        "UNSUPPORTED: a bare driver sets its level once, when it connects: say serializable"
    )
    assert reason("core", "postgresql+asyncpg", "serializable:connection") is None


def test_without_transactions_there_is_no_isolation_level():
    said = reason("core", "postgresql+asyncpg", "serializable", transaction="autocommit")
    assert said == (
        "UNSUPPORTED: an isolation level is that of a transaction, and in autocommit there is none"
    )
    assert reason("core", "postgresql+asyncpg", None, transaction="autocommit") is None


@pytest.mark.parametrize("pooled", [True, False])
def test_behind_a_pooler_a_bare_driver_has_no_level_of_its_own(pooled):
    address = Address("PostgreSQL", "127.0.0.1", 6432, "bench", "bench")
    behind = replace(EVERYTHING, given=UrlServer(address, "PostgreSQL 18", 50, {}, pooled=pooled))
    said = reason("raw", "postgresql+asyncpg", "serializable", behind)
    assert said == (
        "UNSUPPORTED: behind a pooler, a level that a bare driver connects with is refused or "
        "everybody's"
        if pooled
        else None
    )
    assert reason("core", "postgresql+asyncpg", "serializable", behind) is None
