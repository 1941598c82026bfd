"""The shipped table compiles on every server, and its rows give servers nothing to disagree on."""

import string

import pytest
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect
from sqlalchemy.schema import CreateTable

from ormbench.loader import shipped

SERVERS = {"postgresql": postgresql.dialect, "mysql": mysql.dialect, "mariadb": MariaDBDialect}


@pytest.fixture(scope="module")
def data():
    return shipped()["get_by_id"].scenario.data


@pytest.fixture(scope="module")
def rows(data):
    ((_, rows),) = data.rows(10_000)
    return rows


@pytest.mark.parametrize("dialect", SERVERS.values(), ids=SERVERS)
def test_the_table_compiles_on_each_server(data, dialect):
    for table in data.metadata.sorted_tables:
        assert "CREATE TABLE developers" in str(CreateTable(table).compile(dialect=dialect()))


def test_each_specialty_has_at_least_a_hundred_rows(rows):
    counts = {}
    for row in rows:
        counts[row["specialty"]] = counts.get(row["specialty"], 0) + 1
    assert min(counts.values()) >= 100


def test_sort_keys_are_unique_and_plain_enough_to_sort_alike_everywhere(rows):
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(rows)
    assert set("".join(names)) <= set(string.ascii_lowercase + string.digits + " ")
    assert {len(name) for name in names} == {12}


def test_timestamps_are_given_and_whole_seconds(rows):
    assert all(row["created_at"].microsecond == 0 for row in rows)


def test_the_same_rows_come_every_time(data, rows):
    ((_, again),) = data.rows(10_000)
    assert again == rows
