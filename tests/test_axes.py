"""Words become values of axes, and a word that becomes none is named with what would be right."""

import re

import pytest

from ormbench.errors import UsageError
from ormbench.plan.axes import AXES, nearest, values

DAMAGED = [
    ("clients", "0", "a whole number from 1"),
    ("clients", "-1", "a whole number from 1"),
    ("clients", "1.5", "a whole number from 1"),
    ("clients", 2.0, "a whole number from 1"),
    ("clients", True, "a whole number from 1"),
    ("clients", "", "a whole number from 1"),
    ("clients", "²", "a whole number from 1"),
    ("clients", "1,,2", "a whole number from 1"),
    ("clients", [[1]], "a whole number from 1"),
    ("rate", "0", "above 0, or `closed`"),
    ("rate", "-5", "above 0, or `closed`"),
    ("rate", "nan", "above 0, or `closed`"),
    ("rate", "inf", "above 0, or `closed`"),
    ("rate", "1e400", "above 0, or `closed`"),
    ("rate", 10**400, "above 0, or `closed`"),
    ("rate", True, "above 0, or `closed`"),
    ("rate", [[100]], "above 0, or `closed`"),
    ("rate", "fast", "above 0, or `closed`"),
    ("rtt", "-1", "milliseconds from 0 to 1000, or `direct`"),
    ("rtt", "nan", "milliseconds from 0 to 1000, or `direct`"),
    ("rtt", 1001, "milliseconds from 0 to 1000, or `direct`"),
    ("rtt", 10**400, "milliseconds from 0 to 1000, or `direct`"),
    ("rtt", True, "milliseconds from 0 to 1000, or `direct`"),
    ("rtt", "5ms", "milliseconds from 0 to 1000, or `direct`"),
    ("rtt", "0,,1", "milliseconds from 0 to 1000, or `direct`"),
    ("transaction", "none", "one of per-operation, autocommit"),
    ("placement", "two-cores", "one of auto, one-core, split, free"),
    ("placement", ["free", ["split"]], "one of auto, one-core, split, free"),
    ("arrivals", "steady", "one of poisson, constant"),
    ("pool", "5", "expected SIZE+OVERFLOW, fitted, nullpool, static or driver"),
    ("pool", 5, "expected SIZE+OVERFLOW, fitted, nullpool, static or driver"),
    ("pool", "app", "expected SIZE+OVERFLOW, fitted, nullpool, static or driver"),
    ("pool", "5+10:pong", "no option 'pong'"),
    ("pool", "5+10,nullpool:lifo", "nullpool takes no lifo"),
    ("isolation", "snapshot", "one of read-uncommitted, read-committed, repeatable-read,"),
    ("processes", "0", "a whole number from 1"),
    ("clients", {"from": 1}, "expected a value or a list of values"),
    ("clients", [], "has no value"),
]


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("lane", "orm, core", ["orm", "core"]),
        ("lane", ["orm*", "core"], ["orm*", "core"]),
        ("clients", "1,16", [1, 16]),
        ("clients", 8, [8]),
        ("clients", "8,8,1,8", [8, 1]),
        ("rate", "closed,500", [None, 500.0]),
        ("rate", 2.5, [2.5]),
        ("target", "asyncpg,postgresql+psycopg", ["postgresql+asyncpg", "postgresql+psycopg"]),
        ("target", "*psycopg", ["*psycopg"]),
        ("placement", "auto,split", ["auto", "split"]),
        ("rtt", "0,0.5,1,5", [0.0, 0.5, 1.0, 5.0]),
        ("rtt", [0, 0.5, 1, 5], [0.0, 0.5, 1.0, 5.0]),
        ("rtt", "direct, 0, 1", [None, 0.0, 1.0]),
        ("rtt", "0,-0,0.0,1,1.0", [0.0, 1.0]),
    ],
)
def test_words_become_values_each_once_and_in_their_order(name, given, expected):
    assert values(name, given) == expected


@pytest.mark.parametrize(("name", "given", "right"), DAMAGED)
def test_what_does_not_fit_is_named_with_its_axis_and_what_would_be_right(name, given, right):
    with pytest.raises(UsageError, match=re.escape(right)) as caught:
        values(name, given)
    assert f"axis {name} " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in AXES if name not in {"scenario", "lane"}])
def test_each_default_is_a_value_of_its_axis(name):
    assert len(values(name, AXES[name].default)) == 1


def test_an_unknown_target_gets_the_nearest_driver():
    with pytest.raises(UsageError, match=r"unknown target 'asyncgp': did you mean asyncpg\?"):
        values("target", "asyncgp")


def test_a_target_of_no_likeness_gets_the_listing_alone():
    with pytest.raises(UsageError, match="unknown target 'oracle': see `ormbench list targets`"):
        values("target", "oracle")


def test_the_nearest_name_is_offered_only_where_one_is_near():
    assert "did you mean orm?" in str(nearest("lane", "rom", ["orm", "core"], "scenarios"))
    assert "did you mean" not in str(nearest("lane", "xyz", ["orm", "core"], "scenarios"))


def test_a_distance_of_zero_has_no_sign():
    assert [str(one) for one in values("rtt", "-0")] == ["0.0"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("5+10,20+0", ["5+10", "20+0"]),
        ("fitted, fitted:ping", [None, "fitted:ping"]),
        (["fitted", "fitted:reset=rollback"], [None]),
        ("20+0:lifo:ping,20+0:ping:lifo", ["20+0:ping:lifo"]),
        (["driver:size=15", "nullpool"], ["driver:size=15", "nullpool"]),
        ("2+0:timeout=0.050", ["2+0:timeout=0.05"]),
    ],
)
def test_one_pool_has_one_word(given, words):
    assert values("pool", given) == words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("serializable,default", ["serializable", None]),
        ("SERIALIZABLE:connection", ["serializable:connection"]),
        (["Read Committed", "read-committed"], ["read-committed"]),
    ],
)
def test_one_level_has_one_word(given, words):
    assert values("isolation", given) == words
