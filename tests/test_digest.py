"""A run folder into Findings: effects recovered, wrong answers without times, trust refused."""

import math
import random
from dataclasses import replace
from typing import get_args

import pytest
from fabricate import FIRST, LANES, SCENARIOS, SECOND, Noise, Oddities, fabricate

from ormbench.cell import Cell, Contrast, Group
from ormbench.errors import UsageError
from ormbench.report import findings as contract
from ormbench.report.digest import digest
from ormbench.report.digest_trust import sees
from ormbench.results.folder import RunWriter, read
from ormbench.stats import verdict as verdict_module

QUIET = Noise(block=0.002, round=0.05, slice=0.002)
CORE = f"get_by_id/core/{FIRST}"
ORM = f"get_by_id/orm/{FIRST}"


def digested(*, small=True, **wishes):
    """Findings of a fabricated run; small: one scenario, one target."""
    if small:
        wishes = {"scenarios": ("get_by_id",), "targets": (FIRST,), **wishes}
    return digest(fabricate(**{"histograms": False, "noise": QUIET, **wishes}), "results/local/x")


def cell(findings, cell_id):
    return next(one for one in findings.cells if one.cell.id == cell_id)


def comparison(findings, candidate_id, kind="lane"):
    return next(
        one for one in findings.comparisons if (one.candidate.id, one.kind) == (candidate_id, kind)
    )


def codes(findings):
    return [doubt.code for doubt in findings.trust.doubts]


def test_a_quiet_run_is_usable_and_its_effects_are_recovered():
    found = digested(effects={"orm": 1.2 / LANES["orm"]})
    assert found.trust.usable, found.trust.cause
    orm = comparison(found, ORM)
    assert orm.verdict == "slower"
    assert orm.ratio.low < 1.2 < orm.ratio.high
    assert orm.difference.low < 60_000 < orm.difference.high
    assert orm.cpu_difference.value == pytest.approx(0.7 * orm.difference.value, rel=0.05)


def test_the_whole_matrix_has_a_cell_a_status_and_a_comparison_for_each_part():
    found = digested(small=False)
    assert len(found.cells) == 4 * 6 * 2 + 1
    assert all(one.status == "OK" for one in found.cells)
    kinds = [one.kind for one in found.comparisons]
    assert (kinds.count("lane"), kinds.count("target"), kinds.count("aa")) == (40, 24, 1)
    assert (found.trust.correct, found.trust.checked) == (48, 48)


def test_a_cell_in_several_groups_is_one_finding_with_the_values_of_its_first():
    record = fabricate(scenarios=("get_by_id",), targets=(FIRST,), histograms=False)
    core = cell(digest(record, "x"), CORE)
    first = [t for block in record.blocks for t in block.trials if t.cell == CORE and t.arm == 0]
    of_first_group = [t for t in first if t.group == record.manifest.groups[0].name]
    assert core.operations == sum(s.operations for t in of_first_group for s in t.slices)


def test_a_wrong_answer_takes_the_time_of_its_cell_and_all_its_comparisons():
    found = digested(oddities=Oddities(status={ORM: ("INCORRECT", "turn 3: 'ada' is not 'bea'")}))
    orm = cell(found, ORM)
    assert (orm.status, orm.reason) == ("INCORRECT", "turn 3: 'ada' is not 'bea'")
    assert orm.service is None
    assert orm.block_means == ()
    assert not any(ORM in (one.candidate.id, one.reference.id) for one in found.comparisons)
    assert all(rung.cell.id != ORM for ladder in found.ladders for rung in ladder.rungs)


def test_a_wrong_answer_leaves_the_run_without_an_answer():
    found = digested(oddities=Oddities(status={ORM: ("INCORRECT", "turn 3 differs")}))
    assert not found.trust.usable
    assert "turn 3 differs" in found.trust.cause
    assert found.trust.correct == found.trust.checked - 1
    assert found.answer == ()
    assert found.headline.startswith("No answer: ")
    assert found.cards[0].verdict in ("no answer", "not measured by this plan")


def test_one_wrong_block_is_enough():
    record = fabricate(scenarios=("get_by_id",), targets=(FIRST,), histograms=False)
    last = record.blocks[-1]
    bad = tuple(replace(t, status="ERROR", reason="gone") if t.cell == ORM else t
                for t in last.trials)  # fmt: skip
    blocks = (*record.blocks[:-1], replace(last, trials=bad))
    found = digest(replace(record, blocks=blocks), "x")
    assert cell(found, ORM).status == "ERROR"
    assert not any(one.candidate.id == ORM for one in found.comparisons)


def test_the_worst_status_of_a_cell_wins():
    record = fabricate(scenarios=("get_by_id",), targets=(FIRST,), histograms=False)
    first, second, *rest = record.blocks

    def ended(block, status):
        trials = tuple(replace(t, status=status) if t.cell == ORM else t for t in block.trials)
        return replace(block, trials=trials)

    blocks = (ended(first, "TIMEOUT"), ended(second, "INCORRECT"), *rest)
    assert cell(digest(replace(record, blocks=blocks), "x"), ORM).status == "INCORRECT"


def test_an_error_costs_its_cell_and_not_the_run():
    found = digested(oddities=Oddities(status={ORM: ("ERROR", "connection lost")}))
    assert found.trust.usable
    assert codes(found) == ["errors"]
    assert "connection lost" in found.trust.doubts[0].seen


def test_seven_blocks_are_not_evidence():
    found = digested(blocks=7, planned=10)
    assert not found.trust.usable
    assert found.trust.cause.startswith("7 of 10 blocks finished")
    assert {one.verdict for one in found.comparisons} == {"cannot tell"}
    assert found.trust.doubts[0].remedy.endswith(found.reproduce)


def test_a_run_without_a_finished_block_is_digested_all_the_same():
    found = digested(blocks=0, planned=8)
    assert not found.trust.usable
    assert {one.status for one in found.cells} == {"SKIPPED"}
    assert found.comparisons == found.ladders == ()


def test_a_run_without_an_aa_pair_is_not_evidence():
    found = digested(aa_pairs=0)
    assert (found.trust.usable, found.trust.aa, found.trust.sees) == (False, None, None)
    assert codes(found) == ["no-aa"]


@pytest.mark.parametrize(("shift", "usable"), [(0.06, False), (0.02, True)])
def test_an_aa_pair_that_moved_is_fatal_from_three_percent_on(shift, usable):
    found = digested(oddities=Oddities(aa_shift=shift))
    assert found.trust.usable is usable
    assert codes(found) == ["aa-moved"]


def test_what_a_run_sees_is_the_half_width_of_its_aa_interval_rounded_up():
    def pair(low, high):
        return contract.Estimate(1.0, low, high, 8, "ratio", "lower is better")

    assert sees(pair(0.985, 1.011)) == 0.02
    assert sees(pair(0.9981, 1.0012)) == 0.002
    assert sees(pair(0.99, 1.01)) == 0.01
    assert sees(pair(0.0, math.inf)) is None


def test_the_harness_is_the_empty_scenario():
    found = digested()
    assert found.trust.harness.low < 200.2 < found.trust.harness.high
    assert digested(with_empty=False).trust.harness is None


def test_the_ladder_goes_from_the_driver_to_entities_and_its_steps_are_paired():
    (ladder,) = digested().ladders
    labels = [rung.label for rung in ladder.rungs]
    assert labels == [
        "bare driver",
        "+ driver's pool",
        "+ Core",
        "+ ORM session, columns",
        "+ ORM entities",
    ]
    for rung, adds in zip(ladder.rungs, (90, 60, 150, 15, 60), strict=True):
        assert rung.adds.value == pytest.approx(1_000 * adds, rel=0.15)
        assert rung.decided
    assert ladder.rungs[-1].reaches == pytest.approx(375_000, rel=0.05)


def test_a_step_between_two_groups_goes_through_core_block_by_block():
    lanes = ("core", "raw_held", "raw", "orm_columns", "orm")  # orm is in the second star
    record = fabricate(
        scenarios=("get_by_id",), targets=(FIRST,), lanes=lanes, histograms=False,
        noise=Noise(block=0.0, round=0.5, slice=0.0),
    )  # fmt: skip
    shared = [{c.lane for c in group.cells} for group in record.manifest.groups]
    assert not any({"orm_columns", "orm"} <= lanes for lanes in shared)
    step = digest(record, "x").ladders[0].rungs[-1]
    assert step.label == "+ ORM entities"
    assert step.adds.low < 60_000 < step.adds.high
    assert step.decided  # what two unpaired means under such a mood would not be


def test_a_missing_rung_is_skipped():
    found = digested(lanes=("raw", "core", "orm"))
    labels = [rung.label for rung in found.ladders[0].rungs]
    assert labels == ["driver's pool", "+ Core", "+ ORM"]


def test_a_rung_that_takes_nothing_is_not_decided():
    found = digested(effects={"orm_columns": 1 / LANES["orm_columns"]}, noise=Noise())
    rung = found.ladders[0].rungs[3]
    assert rung.cell.lane == "orm_columns"
    assert not rung.decided


def test_a_cell_is_classed_by_what_its_wall_time_goes_into():
    assert cell(digested(), CORE).bound == "client-bound"


def test_percentiles_stop_where_the_operations_do():
    found = digested(histograms=True, lanes=("core", "orm"), rounds=4)
    core = cell(found, CORE)
    assert core.operations == 3_200
    assert [q for q, _ in core.percentiles] == [50.0, 90.0, 95.0, 99.0]
    assert core.response == ()


def test_an_open_loop_has_percentiles_of_response_time():
    found = digested(histograms=True, lanes=("core", "orm"), axes={"rate": 500.0})
    core = cell(found, "get_by_id/core/postgresql+asyncpg/rate=500")
    assert core.response
    assert "identity" not in codes(found)


def test_a_histogram_that_cannot_be_read_is_told_in_one_line():
    record = fabricate(scenarios=("get_by_id",), targets=(FIRST,), histograms=False)
    trials = tuple(replace(t, service="torn") for t in record.blocks[0].trials)
    blocks = (replace(record.blocks[0], trials=trials), *record.blocks[1:])
    with pytest.raises(UsageError, match=r"trials of get_by_id/core/.* hold what is not an HDR"):
        digest(replace(record, blocks=blocks), "x")


def test_comparisons_across_server_products_are_left_out():
    record = fabricate(scenarios=("get_by_id",), targets=(FIRST,), histograms=False)
    ours = Cell(scenario="get_by_id", lane="core", target=FIRST)
    rival = replace(ours, target="mariadb+aiomysql")
    arms = Group("across", (ours, rival), (Contrast(1, 0, "target"),))
    trials = tuple(
        replace(t, group="across", arm=n, cell=c.id)
        for n, c in enumerate(arms.cells)
        for t in record.blocks[0].trials
        if (t.group, t.arm) == (record.manifest.groups[0].name, 0)
    )
    blocks = tuple(replace(b, trials=(*b.trials, *trials)) for b in record.blocks)
    manifest = replace(record.manifest, groups=(*record.manifest.groups, arms))
    found = digest(replace(record, manifest=manifest, blocks=blocks), "x")
    assert cell(found, rival.id).status == "OK"
    assert not any(one.kind == "target" for one in found.comparisons)


def test_many_aa_pairs_are_counted():
    assert digested(aa_pairs=9).aa_count is None
    count = digested(aa_pairs=30, lanes=("core", "orm")).aa_count
    assert count.comparisons == 30
    assert count.different <= 3


def test_a_run_folder_that_was_written_and_read_is_digested_alike(tmp_path):
    record = fabricate(scenarios=("get_by_id",), targets=(FIRST,))
    with RunWriter.create(tmp_path, record.manifest) as writer:
        for block in record.blocks:
            writer.append(block)
    assert digest(read(tmp_path), "x") == digest(record, "x")


def test_the_order_of_trials_in_a_block_does_not_matter():
    record = fabricate(scenarios=("get_by_id",), targets=(FIRST,), histograms=False)
    source = random.Random(3)
    shuffled = tuple(
        replace(b, trials=tuple(source.sample(b.trials, len(b.trials)))) for b in record.blocks
    )
    assert digest(replace(record, blocks=shuffled), "x") == digest(record, "x")


def test_what_the_manifest_says_of_the_run_is_passed_on():
    found = digested(small=False)
    assert (found.focus, found.focus_target, found.reference) == ("get_by_id", FIRST, "lane=core")
    assert found.blocks == 8
    assert found.seconds == 80.0
    assert ("SQLAlchemy", "2.1.9") in found.environment
    assert found.left_out[0].cell.target == SECOND
    assert found.path == "results/local/x"
    assert set(SCENARIOS) < {one.cell.scenario for one in found.cells}


def test_the_verdicts_of_the_statistics_are_those_of_the_findings():
    assert get_args(verdict_module.Verdict) == get_args(contract.Verdict)
