"""A cell that is there to open connections makes no run doubtful, and its row says what holds."""

from fabricate import Oddities
from test_report_counts import CORE, ORM, OTHERS, cell, digested, doubts

from ormbench.report.wire_facts import server_facts
from ormbench.truth.churn import OPENS, PROVEN

TOGETHER = f"{PROVEN} (sessions, transactions)"


def test_a_pool_that_opens_connections_is_no_reason_for_doubt():
    found = digested(oddities=Oddities(unverified={ORM: TOGETHER, CORE: OTHERS}))
    assert [one.about for one in doubts(found, "unverified")] == [CORE]


def test_its_row_says_what_is_proven_and_in_how_many_trials():
    found = cell(digested(oddities=Oddities(unverified={ORM: TOGETHER})), ORM)
    facts = dict(server_facts(found))
    assert facts["server counters"] == f"1 trial: {TOGETHER}"
    alone = found.compared
    assert facts["server counters, alone"] == f"{alone} of {alone} trials agree"


def test_and_what_is_not():
    words = f"{OPENS}, and nothing is proven of it: connections are open that no pool knows"
    facts = dict(server_facts(cell(digested(oddities=Oddities(unverified={ORM: words})), ORM)))
    assert facts["server counters"] == f"1 trial: {words}"
    assert "unverified" not in facts
