"""Which statements an SQL text holds, as MySQL and MariaDB count them, and the rows of a bulk."""

import struct

import pytest

from ormbench.wire.mysql_values import bulk
from ormbench.wire.mysql_words import word, words


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (1, b"x"),
        (2, b"xx"),
        (3, b"x" * 4),
        (5, b"x" * 8),
        (6, b""),
        (11, b"\x00"),
        (12, b"\x0b" + bytes(11)),
        (253, b"\xfc\x2c\1" + b"x" * 300),
    ],
)
def test_rows_of_a_bulk_execute_are_told_apart(kind, value):
    parameters = bytes([kind, 0, 8, 0])
    rows = (b"\0" + value + b"\1") + (b"\1" + b"\0" + bytes(8)) + (b"\2\3")
    body = b"\xfa" + struct.pack("<IH", 1, 0x80) + parameters + rows
    assert bulk(body, 2, b"") == (3, bytes([kind, 8]))
    later = b"\xfa" + struct.pack("<IH", 1, 0) + rows
    assert bulk(later, 2, bytes([kind, 8])) == (3, bytes([kind, 8]))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", "SELECT"),
        ("  ((SELECT 1) UNION (SELECT 2))", "SELECT"),
        ("/* UPDATE */ -- DELETE\n# INSERT\n SELECT 1", "SELECT"),
        ("--\nSELECT 1", "SELECT"),
        ("/*!40000 ALTER */ TABLE t FORCE", "ALTER"),
        ("/*M! REPLACE */ INTO t VALUES (1)", "REPLACE"),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "SELECT"),
        ("WITH a AS (SELECT ')' b), c AS (SELECT 1) UPDATE t, a SET v = 1", "UPDATE"),
        ("with `a)` (b) as (select 1) delete t from t join `a)`", "DELETE"),
        ("EXPLAIN FORMAT=JSON UPDATE t SET v = 1", "UPDATE"),
        ("DESC t", "SHOW"),
        ("ANALYZE TABLE t", "ANALYZE"),
        ("SET STATEMENT max_statement_time = 1 FOR SELECT 1", "SELECT"),
        ("SET NAMES utf8mb4", "SET"),
        ("START TRANSACTION", "BEGIN"),
        ("BEGIN NOT ATOMIC SELECT 1; END", "COMPOUND"),
        ("VALUES (1)", "SELECT"),
        ("", ""),
        ("-- SELECT", ""),
        ("/* never closed SELECT", ""),
        ("'", ""),
    ],
)
def test_a_statement_goes_by_the_word_that_servers_count(sql, expected):
    assert word(sql.encode()) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", "SELECT"),
        ("SELECT 1; DO 1 ;SET @a = 1", "SELECT DO SET"),
        (r"""SELECT ';', "a;\";", `;`, 'it''s;\\'; DO 1""", "SELECT DO"),
        ("SELECT 1 -- ;\n/* ; */ # ;\n; DO 1", "SELECT DO"),
        ("SELECT 1--2; DO 1/2; SET @a = 1", "SELECT DO SET"),
        ("BEGIN NOT ATOMIC SELECT 1; SELECT 2; END", "COMPOUND"),
        ("SELECT 'never closed; DO 1", "SELECT DO"),
    ],
)
def test_a_string_is_split_where_servers_split_it(sql, expected):
    assert list(words(sql.encode())) == expected.split()
