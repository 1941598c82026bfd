"""Which cores each party gets, and the words that say why not."""

import pytest

from ormbench.errors import UsageError
from ormbench.servers.placement import Cores, allowed_cpus, cores, unavailable


def some(*cpus):
    return frozenset(cpus)


@pytest.mark.parametrize(
    ("placement", "cpus", "expected"),
    [
        ("one-core", some(3), Cores(some(3), some(3), some(3))),
        ("one-core", some(0, 1), Cores(some(1), some(1), some(0))),
        ("one-core", some(2, 5, 9), Cores(some(9), some(9), some(2, 5))),
        ("split", some(0, 1), Cores(some(1), some(0), some(0))),
        ("split", some(2, 5, 9), Cores(some(9), some(5), some(2))),
        ("split", some(0, 1, 2, 3), Cores(some(3), some(1, 2), some(0))),
        ("free", some(7), Cores(some(7), some(7), some(7))),
        ("free", some(0, 1), Cores(some(0, 1), some(0, 1), some(0, 1))),
    ],
)
def test_each_placement_shares_out_the_allowed_cores(placement, cpus, expected):
    assert cores(placement, cpus) == expected


@pytest.mark.parametrize("placement", ["one-core", "split", "free"])
@pytest.mark.parametrize("count", [2, 3, 8])
def test_nobody_is_put_on_a_core_that_is_not_allowed(placement, count):
    allowed = frozenset(range(10, 10 + count))
    shared = cores(placement, allowed)
    assert shared.client | shared.server | shared.coordinator <= allowed
    assert all((shared.client, shared.server, shared.coordinator))


@pytest.mark.parametrize("count", [2, 3, 8])
def test_split_leaves_the_client_alone_on_its_core(count):
    shared = cores("split", frozenset(range(count)))
    assert not shared.client & (shared.server | shared.coordinator)


def test_split_on_one_core_is_refused_with_what_would_do():
    with pytest.raises(UsageError, match="1 is allowed; take one-core or free"):
        cores("split", some(0))


def test_no_core_at_all_is_refused():
    with pytest.raises(UsageError, match="no core is allowed"):
        cores("free", frozenset())


@pytest.mark.parametrize(
    ("placement", "cpus", "clients"),
    [
        ("one-core", some(0), 1),
        ("split", some(0, 1), 1),
        ("split", some(0, 1), 50),
        ("free", some(0), 50),
    ],
)
def test_what_can_be_had_needs_no_reason(placement, cpus, clients):
    assert unavailable(placement, cpus, clients, can_pin=True) is None


@pytest.mark.parametrize(
    ("placement", "cpus", "clients", "can_pin", "word"),
    [
        ("one-core", some(0, 1), 8, True, "8 clients on one core"),
        ("split", some(0), 1, True, "a core each and 1 is allowed"),
        ("one-core", some(0, 1), 1, False, "only placement free"),
        ("split", some(0, 1), 1, False, "only placement free"),
    ],
)
def test_what_cannot_be_had_says_why_in_one_line(placement, cpus, clients, can_pin, word):
    reason = unavailable(placement, cpus, clients, can_pin=can_pin)
    assert reason is not None
    assert word in reason
    assert "\n" not in reason


def test_free_is_there_even_where_nothing_can_be_pinned():
    assert unavailable("free", some(0), 50, can_pin=False) is None


def test_the_allowed_cores_serve_every_process_of_a_run():
    allowed = allowed_cpus()
    assert allowed
    assert cores("one-core", allowed).client <= allowed


@pytest.mark.parametrize(
    ("placement", "cpus", "needs"),
    [("one-core", some(3), 2), ("free", some(3), 2), ("split", some(0, 1), 3)],
)
def test_a_relay_needs_a_core_beside_those_that_are_measured_on(placement, cpus, needs):
    reason = unavailable(placement, cpus, 1, relayed=True, can_pin=True)
    assert f"{needs} in all for placement {placement}" in reason
    assert "\n" not in reason
    enough = frozenset(range(needs))
    assert unavailable(placement, enough, 1, relayed=True, can_pin=True) is None
