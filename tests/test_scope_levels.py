"""What a run of pools or levels kept fixed stands under what it does not say."""

from isolation_runs import digested as of_levels
from pool_runs import digested as of_pools


def said(findings):
    return "; ".join(findings.does_not_say)


def test_a_run_of_pools_says_that_it_had_one_isolation_level():
    assert "other isolation levels than the default of the server" in said(of_pools())


def test_a_run_of_levels_says_that_it_had_one_pool_and_one_contention():
    words = said(of_levels())
    assert "pools with fewer connections than clients: each client has one" in words
    assert "one contention a scenario" in words
    assert "other isolation levels" not in words


def test_a_run_of_neither_says_nothing_of_them():
    assert "isolation" not in said(of_pools(words=(None,)))
