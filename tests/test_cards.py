"""In which order a card tells its findings."""

from dataclasses import replace

from fabricate import fabricate

from ormbench.report.cards import cards
from ormbench.report.digest import digest
from ormbench.report.focus import Focus

TARGETS = ("postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg_sync")


def test_the_driver_card_tells_the_decided_before_the_undecided():
    found = digest(fabricate(targets=TARGETS, scenarios=("get_by_id",)), "runs/x")
    wavering = (0.6, 1.7) * 4
    compared = [
        replace(one, block_ratios=wavering[: len(one.block_ratios)])
        if one.kind == "target" and one.candidate.target == TARGETS[1]
        else one
        for one in found.comparisons
    ]
    focus = Focus("get_by_id", TARGETS[0], alone=True)
    (card,) = [
        one for one in cards(compared, focus, found.trust) if one.question == "WHICH DRIVER?"
    ]
    decided, *undecided = card.verdict.split("], ")
    assert decided.startswith("psycopg_sync takes ")
    assert "as long as asyncpg [" in decided
    assert [one.split(" [")[0] for one in undecided] == ["psycopg cannot tell"]
