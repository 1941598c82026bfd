"""Which isolation level is best, what is said of it, and what is no doubt about the run."""

import math
from dataclasses import replace

import pytest
from isolation_runs import (
    AIOMYSQL,
    ASYNCPG,
    DISJOINT,
    HOT_ROW,
    MARIADB,
    ON_CALL,
    RC,
    RR,
    SERIAL,
    Fate,
    digested,
    isolated,
)

from ormbench.policy import POLICY
from ormbench.report import chart_isolation
from ormbench.report.digest import digest
from ormbench.report.digest_isolation import (
    DEFAULT,
    first_of_each,
    level_of,
    panels,
    settings,
)
from ormbench.report.isolation_table import isolation_tables
from ormbench.report.isolation_words import RETRIES, contender, panel_name
from ormbench.report.method import method_lines

CONNECTION = f"{SERIAL}:connection"
COST = {
    ("orm", RC): Fate(2_000),
    ("orm", SERIAL): Fate(1_800),
    ("orm", CONNECTION): Fate(1_400),
}


@pytest.fixture(scope="module")
def usual():
    return digested(others=[("disjoint_rows", ASYNCPG, DISJOINT), ("on_call", ASYNCPG, ON_CALL)])


def way_of(findings, lane="orm", panel=0):
    return next(one for one in panels(findings.cells)[panel].ways if one.lane == lane)


def standings(way):
    return {level.name: level.standing for level in way.levels}


def levels(way):
    return {level.found.cell.isolation: level for level in way.levels}


def doubts(findings):
    return {one.code: one for one in findings.trust.doubts}


def test_the_best_level_has_the_most_goodput_among_those_with_right_data(usual):
    assert standings(way_of(usual)) == {
        "READ COMMITTED": "wrong data",
        "REPEATABLE READ": "best",
        "SERIALIZABLE": "behind",
    }
    found = levels(way_of(usual))
    assert found[RC].goodput.value > found[RR].goodput.value > found[SERIAL].goodput.value


def test_a_level_behind_the_best_has_a_ratio_paired_by_block(usual):
    ratio = levels(way_of(usual))[SERIAL].against_best
    assert ratio.blocks == 8
    assert ratio.low < 340 / 430 < ratio.high < 1


def test_levels_whose_interval_holds_one_cannot_be_told_apart(usual):
    assert standings(way_of(usual, panel=1)) == {
        "READ COMMITTED": "cannot tell",
        "REPEATABLE READ": "best",
        "SERIALIZABLE": "behind",
    }


def test_with_few_blocks_no_level_is_behind():
    findings = digested(DISJOINT, blocks=3)
    assert set(standings(way_of(findings)).values()) == {"best", "cannot tell"}


def test_a_block_that_one_level_lacks_is_left_out_of_its_pairs():
    record = isolated(DISJOINT)
    serial = next(c.id for g in record.manifest.groups for c in g.cells if c.isolation == SERIAL)
    blocks = tuple(
        replace(
            block,
            trials=tuple(one for one in block.trials if block.number != 2 or one.cell != serial),
        )
        for block in record.blocks
    )
    way = way_of(digest(replace(record, blocks=blocks), "x"))
    assert levels(way)[SERIAL].against_best.blocks == 7


def test_a_level_at_which_nothing_succeeds_is_behind():
    fates = {("orm", RC): Fate(900), ("orm", SERIAL): Fate(20, failed=1000, aborts=50_000)}
    way = way_of(digested(fates))
    assert standings(way) == {"READ COMMITTED": "best", "SERIALIZABLE": "behind"}
    assert levels(way)[SERIAL].goodput.value == 0


def test_where_every_level_has_wrong_data_none_is_best():
    fates = {("orm", RC): Fate(900, broken=3), ("orm", RR): Fate(800, lost=1)}
    findings = digested(fates)
    assert way_of(findings).best is None
    assert "each level gives wrong data" in findings.headline
    assert "READ COMMITTED breaks 3.12 per 1,000" in findings.headline


def test_rates_are_per_thousand_operations_and_aborts_a_share_of_attempts(usual):
    found = levels(way_of(usual))
    assert found[RC].lost == pytest.approx(640)
    assert found[RC].broken == 0
    assert found[RR].aborted == pytest.approx(290)
    assert found[RR].aborted_share == pytest.approx(290 / 1290)
    broken = levels(way_of(usual, panel=2))
    assert broken[RC].broken == pytest.approx(210)
    assert broken[RC].lost == 0


def test_none_seen_in_n_operations_bounds_the_rate_by_three_over_n(usual):
    level = levels(way_of(usual))[RR]
    assert level.found.operations == 12_800
    assert level.bound == pytest.approx(3_000 / 12_800)
    assert math.exp(-level.bound * level.found.operations / 1_000) == pytest.approx(0.05, rel=0.01)


def test_an_update_lost_in_any_arm_of_a_cell_makes_its_data_wrong():
    record = isolated(DISJOINT)
    name = record.manifest.groups[0]
    first = name.cells[0]
    extra = replace(name, name="again", contrasts=(), cells=(first,))
    blocks = []
    for block in record.blocks:
        like = next(one for one in block.trials if one.cell == first.id)
        slices = (replace(like.slices[0], lost=int(block.number == 5)), *like.slices[1:])
        again = replace(like, group="again", arm=0, slices=slices)
        blocks.append(replace(block, trials=(*block.trials, again)))
    manifest = replace(record.manifest, groups=(*record.manifest.groups, extra))
    findings = digest(replace(record, manifest=manifest, blocks=tuple(blocks)), "x")
    found = next(one for one in findings.cells if one.cell == first)
    assert found.status == "WRONG DATA"
    assert (found.wrong.lost, found.wrong.operations) == (1, 25_600)


def test_a_panel_is_one_scenario_on_one_target_with_the_same_clients():
    findings = digested(others=[("hot_row", AIOMYSQL, DISJOINT), ("hot_row", MARIADB, DISJOINT)])
    names = [panel_name(one) for one in panels(findings.cells)]
    assert names == [
        "hot_row, asyncpg, 8 clients",
        "hot_row, MySQL aiomysql, 8 clients",
        "hot_row, MariaDB aiomysql, 8 clients",
    ]
    assert len(first_of_each(panels(findings.cells))) == 3


def test_one_level_alone_makes_no_panel_but_stands_in_that_of_others():
    assert panels(digested({("orm", RC): Fate(900), ("core", RC): Fate(999)}).cells) == ()
    panel = panels(digested().cells)[0]
    assert [one.lane for one in panel.ways if not one.is_choice] == ["core_locked", "core_atomic"]


def test_a_run_without_levels_has_nothing_to_say_of_them():
    findings = digested({("orm", None): Fate(900), ("core", None): Fate(999)})
    assert panels(findings.cells) == ()
    assert "correct operations" not in findings.headline


def test_the_servers_default_is_a_level_of_its_own():
    findings = digested({("orm", None): Fate(900, lost=5), ("orm", SERIAL): Fate(400)})
    assert way_of(findings).levels[0].name == DEFAULT
    assert "the server's default loses 5 per 1,000" in findings.headline
    assert level_of(way_of(findings).levels[0].found.cell) == (DEFAULT, False)


def test_the_headline_names_the_best_and_what_the_worst_loses(usual):
    assert usual.headline == (
        "hot_row, 8 clients: REPEATABLE READ gives 430 correct operations/s; "
        "READ COMMITTED loses 640 per 1,000"
    )


def test_the_answer_says_what_each_level_gives_and_which_is_no_choice(usual):
    first, _, second, third, *_ = usual.answer
    assert first.startswith(
        "hot_row, 8 clients, ORM: REPEATABLE READ gives 430 correct operations/s ["
    )
    assert "with 290 aborted attempts per 1,000 operations" in first
    assert first.endswith(
        "; READ COMMITTED loses 640 updates per 1,000 operations and is no choice."
    )
    assert second == "At REPEATABLE READ nothing lost or broken in 12,800 operations."
    assert third.startswith("SERIALIZABLE gives 340 correct operations/s [")


def test_where_the_reference_has_wrong_data_another_is_advised():
    told = digested({("orm", RC): Fate(2_400, lost=640), ("orm", SERIAL): Fate(340)}).answer
    assert told[1] == (
        "READ COMMITTED was the reference, so nothing here has a ratio to it: "
        "run it with --reference serializable."
    )


def test_where_serializable_was_not_run_the_best_level_is_advised():
    told = digested({("orm", RC): Fate(2_400, lost=640), ("orm", RR): Fate(430)}).answer
    assert told[1].endswith("run it with --reference repeatable-read.")


@pytest.mark.parametrize(
    "fates",
    [
        {("orm", SERIAL): Fate(340), ("orm", RC): Fate(2_400, lost=640)},
        {("orm", RC): Fate(2_400, lost=640), ("orm", SERIAL): Fate(340, lost=1)},
    ],
    ids=["the reference is right", "no level is right"],
)
def test_no_other_reference_is_advised_where_none_would_help(fates):
    assert not any("--reference" in one for one in digested(fates).answer)


def test_the_answer_names_other_ways_and_other_scenarios(usual):
    told = " ".join(usual.answer)
    assert "core_locked at READ COMMITTED gives 8" in told
    assert "core_atomic at READ COMMITTED gives 1,9" in told.replace("1,89", "1,9")
    elsewhere = usual.answer[-1]
    assert elsewhere.startswith("ORM elsewhere: disjoint_rows REPEATABLE READ, which this run")
    assert "cannot tell from READ COMMITTED" in elsewhere
    assert "on_call SERIALIZABLE gives 700" in elsewhere
    assert "READ COMMITTED breaks 210 per 1,000" in elsewhere


def test_a_lane_of_which_every_level_is_wrong_is_said_to_be_no_choice():
    fates = {**HOT_ROW, ("raw", RC): Fate(4_000, lost=700)}
    told = " ".join(digested({way: fates[way] for way in fates if way[0] != "core"}).answer)
    assert "The driver's pool is no choice: READ COMMITTED loses 700 per 1,000." in told


def test_the_product_is_named_where_there_are_several():
    findings = digested(others=[("hot_row", AIOMYSQL, DISJOINT)])
    assert findings.headline.startswith("hot_row on PostgreSQL, 8 clients: ")


def test_the_orms_way_is_spoken_of_else_the_first_with_a_choice(usual):
    assert contender(panels(usual.cells)[0]).lane == "orm"
    without = {way: fate for way, fate in HOT_ROW.items() if way[0] != "orm"}
    assert contender(panels(digested(without).cells)[0]).lane == "core"


def test_a_level_set_on_the_connection_is_compared_with_the_same_on_the_engine():
    findings = digested(COST, more_trips={("orm", CONNECTION): 4})
    (found,) = settings(findings.cells, findings.comparisons)
    assert found.verdict == "slower"
    assert found.ratio.low < 1_800 / 1_400 < found.ratio.high
    (said,) = [one for one in findings.answer if "for each checkout" in one]
    assert said.startswith("SERIALIZABLE set for each checkout takes 1.30x as long as set once on")
    assert said.endswith("(hot_row, 8 clients, 7 round trips against 3).")


def test_a_level_that_lost_updates_has_no_cost_of_setting_it():
    findings = digested({**COST, ("orm", CONNECTION): Fate(1_400, lost=1)})
    assert settings(findings.cells, findings.comparisons) == ()


def test_lost_updates_and_aborted_attempts_are_no_doubt_about_the_run(usual):
    assert usual.trust.usable
    assert doubts(usual) == {}


def test_counters_that_are_unverified_for_another_reason_are_a_doubt():
    record = isolated(DISJOINT)
    blocks = tuple(
        replace(
            one, trials=tuple(replace(t, unverified="others use the server") for t in one.trials)
        )
        for one in record.blocks
    )
    found = doubts(digest(replace(record, blocks=blocks), "x"))["unverified"]
    assert not any(SERIAL in cell for cell in found.cells)
    assert any(RC in cell for cell in found.cells)


def test_operations_without_a_result_are_a_doubt_with_their_reasons():
    fates = {("orm", RC): Fate(900), ("orm", SERIAL): Fate(50, failed=25, aborts=9_000)}
    found = doubts(digested(fates))["failed"]
    assert found.seen == ("320 of 12,800 operations have no result: gave up after 50 attempts 320")
    assert not found.fatal


def test_the_policy_of_retries_stands_with_the_method_where_any_was_made(usual):
    assert POLICY.words in RETRIES
    lines = dict(method_lines(usual))
    assert lines["Retries"].startswith(RETRIES)
    quiet = digested({("orm", RC): Fate(900), ("orm", RR): Fate(910)})
    assert "Retries" not in dict(method_lines(quiet))


def test_of_a_scenario_that_nobody_audits_nothing_is_said_to_be_right():
    def rows_of(findings):
        return [row for table in isolation_tables(findings) for row in table.rows]

    findings = digested(DISJOINT, scenario="disjoint_rows")
    assert all("none seen" in row.wrong for row in rows_of(findings))
    record = isolated(DISJOINT, scenario="disjoint_rows")
    unlooked = replace(record, manifest=replace(record.manifest, audited=()))
    unseen = digest(unlooked, "results/local/x")
    assert {row.wrong for row in rows_of(unseen)} == {"not audited"}
    assert chart_isolation.sketch(findings) is not None
    assert chart_isolation.sketch(unseen) is None
