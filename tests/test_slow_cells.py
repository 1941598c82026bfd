"""Cells that would take too long are skipped, with what was measured or predicted as the reason."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import run_context
import sleepy
from command import SMALL, call, only_run
from fabricate import fabricate

from ormbench.cell import Cell, Group
from ormbench.errors import UsageError
from ormbench.loader import load
from ormbench.plan import file
from ormbench.results.manifest import Manifest
from ormbench.results.trial import Slice, Trial
from ormbench.run import block, count
from ormbench.run.context import Context
from ormbench.run.count import COUNTED
from ormbench.run.pace import Paces
from ormbench.run.routes import Routes

ASYNC = "postgresql+asyncpg"
SECOND = 1_000_000_000
LONGEST = 0.2  # seconds; ten rows sleep for 0.03, a hundred for 0.3
PLAN = """
longest = 0.2
[[compare]]
scenario = "sleepy"
lane = ["quick", "nap"]
batch = [10, 100]
reference = "quick"
"""
HANGS = '''"""Hangs: a lane that has no end from some turn on."""

import asyncio

from ormbench.scenario import Scenario

hangs = Scenario(args=lambda turn: {{"turn": turn}})


@hangs.lane
async def late(turn):
    """nothing, and then for ever"""
    if turn >= {}:
        await asyncio.sleep(60)
'''


def cell(lane="nap", batch=None, **axes):
    given = {"scenario": "sleepy", "lane": lane, "target": ASYNC, "placement": "free"}
    return Cell(**given, batch=batch, **axes)


def trial(one, status="OK", reason="", slices=()):
    return Trial("a group", 0, one.id, 0, status, reason, slices)


# Predictions


def test_a_prediction_is_linear_and_names_what_it_is_made_of():
    paces = Paces()
    paces.guess(cell(batch=1_000), 1_000, 3_100_000_000)
    assert paces.predicted(cell(batch=10_000), 10_000) == (
        "predicted 31 s an operation: 3.1 s at 1,000 rows, and 10,000 are 10 times as many; "
        "this plan takes operations up to 10 s"
    )


def test_it_is_made_of_the_largest_smaller_number_of_rows():
    paces = Paces()
    for rows, ns in ((100, 5 * SECOND), (1_000, SECOND // 2), (100_000, 90 * SECOND)):
        paces.guess(cell(batch=rows), rows, ns)
    assert paces.predicted(cell(batch=10_000), 10_000) == ""
    assert "0.5 s at 1,000 rows" in paces.predicted(cell(batch=50_000), 50_000)


@pytest.mark.parametrize(
    "other", [cell("quick", 1_000), cell(batch=1_000, clients=8), cell(batch=1_000, rtt=1.0)]
)
def test_another_cell_predicts_nothing(other):
    paces = Paces()
    paces.guess(other, 1_000, 5 * SECOND)
    assert paces.predicted(cell(batch=10_000), 10_000) == ""


def test_one_row_predicts_nothing_of_ten_thousand_because_a_commit_is_no_row():
    paces = Paces()
    paces.guess(cell(batch=1), 1, SECOND // 100)
    assert paces.predicted(cell(batch=10_000), 10_000) == ""
    paces.guess(cell(batch=1), 1, SECOND)
    assert "1.0 s at 1 row, and 100 are 100 times" in paces.predicted(cell(batch=100), 100)


def test_a_cell_that_was_timed_is_timed_in_all_blocks():
    paces = Paces(longest=1)
    paces.guess(cell(batch=10), 10, SECOND)
    paces.time(cell(batch=100), 100, SECOND // 2)
    assert paces.predicted(cell(batch=100), 100) == ""
    assert paces.too_slow(cell(batch=100), 100, 2 * SECOND) == ""
    paces.end(cell(batch=100), "TIMEOUT", "a lock")
    assert paces.ended == {}


def test_a_first_operation_that_was_too_slow_predicts_others():
    paces = Paces(longest=2)
    assert paces.too_slow(cell(batch=10), 10, 2 * SECOND) == ""
    assert paces.too_slow(cell(batch=10), 10, 3 * SECOND) == (
        "its first operation took 3.0 s; this plan takes operations up to 2 s"
    )
    assert paces.predicted(cell(batch=100), 100).startswith("predicted 30 s an operation: 3.0 s")


def test_a_run_that_goes_on_knows_what_it_has_skipped_and_what_it_has_timed():
    fast, slow, wrong = cell(batch=10), cell(batch=100), cell("quick")
    slices = (Slice(0, 0, 2, 0, 3 * SECOND, 0, None), Slice(1, 0, 2, 0, SECOND, 0, None))
    paces = Paces(longest=1)
    paces.recall(
        [
            (fast, 10, trial(fast, "TIMEOUT", "a lock")),
            (slow, 100, trial(slow, "SKIPPED", "predicted")),
            (wrong, 10, trial(wrong, "INCORRECT", "no row")),
            (fast, 10, trial(fast, slices=slices)),
        ]
    )
    assert paces.ended == {slow.id: ("SKIPPED", "predicted")}
    assert paces.predicted(fast, 10) == ""
    assert "0.5 s at 10 rows" in paces.predicted(cell(batch=30), 30)
    assert not paces.first


def test_one_that_ended_after_its_first_slice_is_tried_again_when_a_run_goes_on():
    late, never = cell(batch=10), cell(batch=100)
    paces = Paces()
    paces.recall(
        [
            (late, 10, replace(trial(late, "TIMEOUT", "a lock"), turns=20)),
            (never, 100, trial(never, "TIMEOUT", "for ever")),
        ]
    )
    assert paces.ended == {never.id: ("TIMEOUT", "for ever")}


# The plan


def test_a_plan_says_how_long_an_operation_may_take():
    found = file.parse("mine", {"longest": 2, "compare": [{"scenario": "insert_rows"}]})
    assert found.longest == 2
    assert file.parse("mine", {"compare": [{"scenario": "insert_rows"}]}).longest == 10


@pytest.mark.parametrize("given", [0, -1, "2", True, float("inf"), float("nan")])
def test_any_other_length_is_refused(given):
    with pytest.raises(UsageError, match=r"^longest = .*, expected a number of seconds above 0$"):
        file.parse("mine", {"longest": given, "compare": [{"scenario": "insert_rows"}]})


# Blocks


@pytest.fixture(scope="module")
def two_blocks(server):
    """Two blocks of groups of which some are too slow: measured, and what the context knows."""
    loaded = {one.name: one for one in load(Path(sleepy.__file__))}
    groups = (
        (cell("quick", 100), cell("nap", 100)),
        (cell("nap", 80, transaction="autocommit"),),
        (cell("quick", 10), cell("nap", 10)),
    )
    with run_context.context(server, loaded, *groups, longest=LONGEST) as given:
        yield [block.measure(given, number) for number in (0, 1)], given


def ends(done):
    return {one.cell: (one.status, one.reason) for one in done.trials}


def test_a_cell_is_skipped_by_what_fewer_rows_took_and_the_rest_of_its_group_is_measured(
    two_blocks,
):
    (first, _), _ = two_blocks
    status, reason = ends(first)[cell("nap", 100).id]
    assert status == "SKIPPED"
    assert reason.startswith("predicted 0.3")
    assert "s at 10 rows, and 100 are 10 times as many; this plan takes" in reason
    assert ends(first)[cell("quick", 100).id] == ("OK", "")
    assert ends(first)[cell("nap", 10).id] == ("OK", "")


def test_a_cell_without_a_smaller_one_is_skipped_by_its_first_operation(two_blocks):
    (first, _), _ = two_blocks
    status, reason = ends(first)[cell("nap", 80, transaction="autocommit").id]
    assert status == "SKIPPED"
    assert reason.startswith("its first operation took 0.2")


def test_it_is_neither_counted_nor_proven_nor_timed(two_blocks):
    skipped = {cell("nap", 100).id, cell("nap", 80, transaction="autocommit").id}
    for done in two_blocks[0]:
        assert not skipped & {one.cell for one in (*done.counts, *done.proofs)}
        assert not any(one.slices for one in done.trials if one.cell in skipped)


def test_what_was_decided_holds_in_later_blocks(two_blocks):
    (first, second), _ = two_blocks
    assert ends(first) == ends(second)


def test_groups_of_few_rows_come_first_as_long_as_nothing_is_known(two_blocks):
    _, given = two_blocks
    names = given.progress.groups[:3]
    assert names == [
        cell("quick", 10).id,
        cell("nap", 80, transaction="autocommit").id,
        cell("quick", 100).id,
    ]


def test_later_blocks_have_them_in_random_order(two_blocks):
    _, given = two_blocks
    orders = {tuple(block._in_order(given, block.Random(seed))) for seed in range(40)}
    assert len(orders) == 6


@pytest.mark.servers
def test_a_driver_that_prepares_at_the_sixth_call_is_not_blamed_for_it(server):
    """Of 0.2 s and more few are counted: psycopg prepares the statement in the midst of a slice."""
    loaded = {one.name: one for one in load(Path(sleepy.__file__))}
    slow = cell("nap", 70, transaction="autocommit")
    slow = replace(slow, target="postgresql+psycopg")
    with run_context.context(server, loaded, (slow,), rounds=4) as given:
        done = block.measure(given, 0)
    assert all(one.unprepared for one in done.counts[0].operations)
    (trial,) = done.trials
    assert len(done.counts[0].operations) < COUNTED
    assert (trial.status, trial.reason) == ("OK", "")
    assert not trial.unverified or "its driver may prepare statements" in trial.unverified


@pytest.mark.servers
def test_what_the_relay_may_have_cost_is_not_held_against_a_cell(server, monkeypatch):
    """The proof goes straight to the server, and it is slow there, too."""
    monkeypatch.setattr(count, "RELAY_NS", SECOND)
    loaded = {one.name: one for one in load(Path(sleepy.__file__))}
    slow = cell("nap", 80, transaction="autocommit")
    with run_context.context(server, loaded, (slow,), longest=LONGEST) as given:
        done = block.measure(given, 0)
    assert [one.cell for one in done.counts] == [slow.id]
    assert ends(done)[slow.id][1].startswith("its first operation took 0.2")


@pytest.mark.servers
@pytest.mark.parametrize(("since", "holds"), [(0, True), (3_000, False)])
def test_a_time_out_holds_in_later_blocks_where_nothing_was_timed_and_there_alone(
    since, holds, tmp_path
):
    """And in a run that goes on it is the same."""
    file = tmp_path / "hangs.py"
    file.write_text(HANGS.format(since))
    (loaded,) = load(file)
    hangs = Cell(scenario="hangs", lane="late", target="none", placement="free")
    group = Group("one", (hangs,))
    with Routes() as routes:
        given = ({}, {"hangs": loaded}, (group,), 2, 8, 7, 500, 0.5, run_context.Names())
        context = Context(*given, routes=routes)
        (found,) = block.measure(context, 0).trials
    again = Paces()
    again.recall([(hangs, 0, found)])
    assert (found.status, bool(found.turns)) == ("TIMEOUT", not holds)
    assert bool(context.paces.ended) == holds
    assert again.ended == context.paces.ended


# The command


def words_of(folder, *more):
    """The words of a run into *folder* that has a cell to skip."""
    (folder / "sleepers.toml").write_text(PLAN)
    what = ["run", folder / "sleepers.toml", f"{sleepy.__file__}::quick", "--out", folder / "runs"]
    return [*what, *SMALL, *more]


@pytest.mark.servers
def test_a_skipped_cell_is_told_with_its_reason_and_the_run_is_fine(tmp_path, capsys):
    done = call(capsys, *words_of(tmp_path, "--blocks", "8", "--full"))
    assert done.code == 0, done.out
    path = only_run(tmp_path / "runs")
    for text in (done.out, (path / "report.md").read_text(), (path / "report.html").read_text()):
        assert "SKIPPED" in text
        assert "predicted 0.3" in text


@pytest.mark.servers
def test_what_was_skipped_stays_skipped_when_the_run_goes_on(tmp_path, capsys):
    call(capsys, *words_of(tmp_path, "--blocks", "2"))
    path = only_run(tmp_path / "runs")
    limits = json.loads((path / "run.json").read_text())["limits"]
    assert set(limits.values()) == {LONGEST}  # beside a scenario that may take longer
    lines = (path / "trials.jsonl").read_text().splitlines(keepends=True)
    ends_at = next(place for place, line in enumerate(lines) if '"kind":"block"' in line)
    told = [line.replace("predicted 0.3", "predicted 0.4") for line in lines[: ends_at + 1]]
    (path / "trials.jsonl").write_text("".join(told))  # the second block never was
    call(capsys, "run", sleepy.__file__, "--resume", path, "-q")
    records = [json.loads(line) for line in (path / "trials.jsonl").read_text().splitlines()]
    skipped = [one for one in records if one.get("status") == "SKIPPED"]
    assert [one["block"] for one in skipped] == [0, 1]
    assert all(one["reason"].startswith("predicted 0.4") for one in skipped)


@pytest.mark.servers
def test_runs_of_before_have_waited_for_ten_seconds():
    plain = fabricate().manifest.to_json() | {"longest": 2.5}
    assert Manifest.from_json(plain).longest == 2.5
    del plain["longest"]
    assert Manifest.from_json(plain).longest == 10
