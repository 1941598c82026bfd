"""What every rendering says of counts, of server counters and of distance."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from browser import Visit, launched
from fabricate import FIRST, LANES, SCENARIOS, Noise, Oddities, fabricate
from fabricate_counts import count_of, statements_of
from sample_findings import sample

from ormbench.cell import Cell
from ormbench.report import html, markdown, table
from ormbench.report.digest import digest
from ormbench.report.method import method_lines
from ormbench.report.round_trips import both_send, statements_text, unequal, versus
from ormbench.report.terminal import render
from ormbench.report.transcript import transcript_lines
from ormbench.report.trust_facts import trust_facts
from ormbench.results.folder import read
from ormbench.wire.tally import Line

MYSQL = "mysql+aiomysql"
CORE, ORM = f"get_by_id/core/{FIRST}", f"get_by_id/orm/{FIRST}"
QUIET = Noise(block=0.002, round=0.02, slice=0.002)
PUBLISHED = Path(__file__).parents[1] / "results" / "published"
OTHERS = "others use this server: 12 transactions more"


def digested(*targets, oddities=None, **wishes):
    """Findings of a counted run of get_by_id."""
    wishes = {"scenarios": ("get_by_id",), "histograms": False, "noise": QUIET, **wishes}
    record = fabricate(
        targets=targets or (FIRST,), counted=True, oddities=oddities or Oddities(), **wishes
    )
    return digest(record, "results/local/x")


def cell(findings, cell_id):
    return next(one for one in findings.cells if one.cell.id == cell_id)


def doubts(findings, code):
    return [one for one in findings.trust.doubts if one.code == code]


def rows(findings):
    return list(csv.DictReader(io.StringIO(table.render(findings), newline="")))


def line_of(text, lane):
    return next(line for line in text.splitlines() if line.startswith(f" {lane} "))


def of_lane(lane, target=FIRST):
    return count_of(Cell(scenario="get_by_id", lane=lane, target=target))


def test_the_terminals_table_shows_round_trips_before_new_connections_within_80_columns():
    findings = digested(oddities=Oddities(longest={ORM: 1}, uncounted={CORE: "encrypted"}))
    text = render(findings, plain=True)
    head = line_of(text, "lane")
    assert head.index(" trips ") < head.index(" new")
    assert line_of(text, "raw_pool").split()[-2:] == ["4", "0"]
    assert line_of(text, "orm").split()[-2:] == ["3-4", "0"]
    assert line_of(text, "core").split()[-2:] == ["-", "0"]
    assert len(text.splitlines()) <= 24
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("targets", [(FIRST,), (FIRST, "postgresql+psycopg", MYSQL)])
def test_wide_names_and_ratios_leave_the_last_column_in_place(targets):
    wide = Noise(block=0.3)
    found = digested(*targets, axes={"clients": 64}, noise=wide, lanes=(*LANES,), blocks=8)
    text = render(found, plain=True)
    assert max(map(len, text.splitlines())) <= 80
    assert line_of(text, "lane").endswith(" new")
    assert line_of(text, "core").endswith(" 0")


def test_a_run_that_is_not_usable_shows_its_counts_all_the_same():
    text = render(digested(blocks=3), plain=True)
    assert "NOT USABLE" in text
    assert line_of(text, "orm").split()[2:4] == ["3", "OK"]


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        (of_lane("orm"), of_lane("core"), "Both send 3 round trips"),
        (of_lane("raw_pool"), of_lane("core"), "ORM sends 4 round trips, Core 3"),
        (of_lane("raw", MYSQL), of_lane("core", MYSQL), "ORM sends 2 round trips, Core 3"),
        (None, of_lane("core"), ""),
        (replace(of_lane("orm"), operations=()), of_lane("core"), ""),
    ],
)
def test_the_answer_says_how_many_round_trips_both_send_by_rule(mine, theirs, said):
    assert both_send(mine, theirs, "ORM", "Core") == said


def test_one_round_trip_is_singular_and_a_range_is_a_range():
    one = replace(
        of_lane("orm"), operations=(replace(of_lane("orm").operations[0], round_trips=1),)
    )
    assert both_send(one, one, "ORM", "Core") == "Both send 1 round trip"
    assert (
        both_send(one, of_lane("core"), "the ORM", "Core") == "The ORM sends 1 round trip, Core 3"
    )
    longer = count_of(Cell(scenario="get_by_id", lane="orm", target=FIRST), longest=1)
    assert both_send(longer, longer, "ORM", "Core") == "Both send 3-4 round trips"


def test_the_second_sentence_of_the_answer_is_about_round_trips_and_stands_in_the_terminal():
    same, apart = digested(), digested(oddities=Oddities(longest={ORM: 1}))
    assert same.answer[1] == "Both send 3 round trips."
    assert apart.answer[1] == "ORM sends 3-4 round trips, Core 3."
    for found in (same, apart):
        assert found.answer[1] in " ".join(render(found, plain=True).split())


def test_a_full_screen_keeps_the_round_trips_where_they_take_no_line_of_their_own():
    odd = Oddities(longest={ORM: 1}, unverified={ORM: OTHERS * 2})
    targets = (FIRST, "postgresql+psycopg", MYSQL, "mariadb+aiomysql")
    found = digested(*targets, oddities=odd, scenarios=tuple(SCENARIOS))
    lines = render(found, plain=True).splitlines()
    assert len(lines) == 24
    assert "ORM sends 3-4 round trips, Core 3." in " ".join(" ".join(lines).split())
    assert any(line.startswith(" SCOPE   unix socket") for line in lines)


def test_trust_counts_the_cells_that_the_server_agrees_with_and_names_why_others_are_unverified():
    found = digested()
    assert (found.trust.agreed, found.trust.compared) == (len(LANES), len(LANES))
    assert f"client = server {len(LANES)}/{len(LANES)}" in trust_facts(found)
    assert not any("unverified" in fact for fact in trust_facts(found))
    odd = digested(oddities=Oddities(unverified={ORM: OTHERS, CORE: OTHERS}))
    assert (odd.trust.agreed, odd.trust.compared) == (len(LANES) - 2, len(LANES) - 2)
    assert f"unverified 2 cells: {OTHERS}" in trust_facts(odd)
    text = " ".join(render(odd, plain=True).split())
    assert f"unverified 2 cells: {OTHERS}" in text


def test_a_wrong_trial_that_has_counters_is_compared_and_does_not_agree():
    record = fabricate(
        scenarios=("get_by_id",), targets=(FIRST,), histograms=False, noise=QUIET, counted=True
    )
    last = record.blocks[-1]
    bad = tuple(
        replace(one, status="INCORRECT", reason="transactions: 99, expected 100")
        if one.cell == ORM
        else one
        for one in last.trials
    )
    found = digest(replace(record, blocks=(*record.blocks[:-1], replace(last, trials=bad))), "x")
    assert not found.trust.usable
    assert "transactions: 99, expected 100" in found.trust.cause
    assert (found.trust.agreed, found.trust.compared) == (len(LANES) - 1, len(LANES))


def test_every_trial_of_a_cell_counts_whichever_group_it_stands_in():
    core, orm = (cell(digested(), one) for one in (CORE, ORM))
    assert orm.agreed == orm.compared == 8
    assert core.agreed == core.compared > 8
    assert dict(core.counters)["transactions"] == core.turns > orm.turns


def test_the_first_count_of_a_cell_wins_where_a_resumed_run_has_two():
    record = fabricate(scenarios=("get_by_id",), targets=(FIRST,), histograms=False, counted=True)
    again = tuple(replace(one, block=1, operations=()) for one in record.blocks[0].counts)
    second = replace(record.blocks[1], counts=again)
    found = digest(replace(record, blocks=(record.blocks[0], second, *record.blocks[2:])), "x")
    assert cell(found, ORM).count.block == 0
    assert cell(found, ORM).count.span("round_trips") == (3, 3)


@pytest.mark.parametrize(("reason", "said"), [("TLS hides it", "TLS hides it"), ("", "no count")])
def test_a_cell_without_a_count_in_a_counted_run_is_a_doubt_with_cause_and_remedy(reason, said):
    found = digested(oddities=Oddities(uncounted={ORM: reason}))
    (doubt,) = doubts(found, "uncounted")
    assert "lets no connection on this machine encrypt" in doubt.cause
    assert said in doubt.seen
    assert doubt.about == ORM
    assert doubt.cause
    assert doubt.remedy
    assert found.trust.usable
    assert not doubts(found, "unverified")


def test_an_unverified_trial_is_a_doubt_that_says_how_many_and_is_not_fatal():
    found = digested(oddities=Oddities(unverified={ORM: OTHERS}))
    (doubt,) = doubts(found, "unverified")
    assert doubt.seen == f"server counters prove nothing in 1 of 8 trials: {OTHERS}"
    assert doubt.cause
    assert doubt.remedy
    assert found.trust.usable


def test_a_counted_run_without_oddities_has_no_doubt_and_the_empty_scenario_needs_no_count():
    assert digested().trust.doubts == ()


def test_words_beside_a_comparison_say_which_statement_makes_the_difference():
    core, raw = of_lane("core", MYSQL), of_lane("raw", MYSQL)
    assert versus(core, raw) == "3 / 2: with ROLLBACK"
    assert versus(raw, core) == "2 / 3: without ROLLBACK"
    assert versus(core, core) == "3 / 3"
    assert versus(core, None) == ""
    prepared = replace(core.operations[0], round_trips=4)
    assert versus(replace(core, operations=(prepared,)), core) == "4 / 3: the same statements"
    many = replace(core.operations[0], round_trips=1_002, statements={"INSERT": 1_000, "COMMIT": 1})
    told = versus(replace(core, operations=(many,)), core)
    assert told == "1,002 / 3: with 1,000 INSERT, without SELECT, ROLLBACK"


def test_unequal_ends_of_transactions_are_said_in_words_in_every_rendering():
    found = digested(MYSQL, lanes=("core", "raw", "raw_held", "orm"))
    words = "Core sends 1 round trip more than the driver's pool and the bare driver: ROLLBACK"
    assert unequal(found) == (f"{words} (MySQL aiomysql)",)
    assert words in dict(method_lines(found))["Counts"]
    assert "2 / 3: without ROLLBACK" in html.render(found)
    assert "2 / 3: without ROLLBACK" in markdown.render(found)
    assert "2 / 3: without ROLLBACK" in render(found, plain=True, full=True)


def test_the_workloads_are_named_where_not_all_of_them_differ():
    found = digested(MYSQL, scenarios=("get_by_id", "update_email"), lanes=("core", "raw"))
    alike = tuple(
        replace(one, count=of_lane("core", MYSQL)) if one.cell.scenario == "get_by_id" else one
        for one in found.cells
    )
    (said,) = unequal(replace(found, cells=alike))
    assert said.endswith(": ROLLBACK (MySQL aiomysql: update_email)")


def test_statements_stand_in_the_order_of_a_transaction():
    shuffled = {"ROLLBACK": 1, "COMMIT": 1, "SELECT": 2, "BEGIN": 1}
    assert statements_text(shuffled) == "BEGIN, 2 SELECT, COMMIT, ROLLBACK"
    assert statements_of(Cell(scenario="update_email", lane="orm", target=MYSQL))[0] == "UPDATE"


def test_the_page_shows_counts_counters_and_the_transcript_of_a_cell():
    page = html.render(digested(oddities=Oddities(unverified={ORM: OTHERS})))
    sheet = page[page.index(f'id="{ORM}"') :].partition("</tbody>")[0]
    for name, value in (
        ("round trips", "3"),
        ("requests", "3"),
        ("messages sent", "5"),
        ("bytes sent", "82"),
        ("bytes received", "124"),
        ("connections opened", "0"),
        ("transactions begun", "1"),
        ("statements", "BEGIN, SELECT, COMMIT"),
        ("server counters", "7 of 8 trials agree: transactions 5,600 in 5,600 operations"),
        ("unverified", f"1 trial: {OTHERS}"),
    ):
        assert f"<dt>{name}</dt><dd>{value}</dd>" in sheet
    assert re.search(r"→ Query +12  BEGIN;\n← CommandComplete +11  BEGIN\n", sheet)
    assert sheet.index("<details") < sheet.index("→ Query")


def test_nothing_that_passed_on_the_wire_is_markup():
    found = sample()
    evil = "</pre><script>window.hacked=1</script>\x1b[2J"
    lines = (Line("client", evil, 1, evil), Line("server", evil, 1, evil))
    first = found.cells[0]
    operations = tuple(
        replace(one, statements={evil: 3, "{0}": 1}) for one in first.count.operations
    )
    count = replace(first.count, operations=operations, transcript=lines)
    cells = (replace(first, count=count, unverified=evil, unverified_trials=1), *found.cells[1:])
    found = replace(found, cells=cells)
    page = html.render(found)
    assert page.count("<script>") == 1
    assert "\x1b" not in page
    assert "window.hacked=1" in page
    comment = markdown.render(found)
    assert "<script>" not in re.sub(r"`[^`\n]*`", "", comment)
    assert "\x1b" not in render(found, full=True) + comment + table.render(found)


def test_the_comment_and_the_csv_have_trips_requests_sent_received_and_new():
    found = digested(oddities=Oddities(longest={ORM: 1}))
    text = markdown.render(found)
    assert "| trips | new/1,000 op |" in text
    assert "| trips | requests | bytes sent | received | new/1,000 op |" in text
    assert f"| `{ORM}` | 3-4 | 3 | 82 | 124 | 0 | BEGIN, SELECT, COMMIT |" in text
    orm = next(row for row in rows(found) if row["cell"] == ORM)
    counts = {
        "round_trips_per_op_least": "3",
        "round_trips_per_op_most": "4",
        "requests_per_op_least": "3",
        "bytes_sent_per_op_most": "82",
        "bytes_received_per_op_most": "124",
        "new_connections_per_1000_op": "0.0",
        "server_counters_trials_agreed": "8",
        "server_counters_trials_compared": "8",
    }
    assert counts.items() <= orm.items()


def test_added_round_trip_time_is_shown_as_asked_and_as_achieved():
    far = f"{ORM}/rtt=0.5"
    found = digested(oddities=Oddities(added_rtt_ns={far: 512_300}), axes={"rtt": 0.5})
    assert "<dd>0.5 ms asked, 512 µs achieved (mean)</dd>" in html.render(found)
    assert "orm rtt=0.5" in render(found, full=True)
    row = next(row for row in rows(found) if row["cell"] == far)
    assert (row["added_rtt_asked_ms"], row["added_rtt_achieved_ns"]) == ("0.5", "512300.0")
    assert "0.5 ms added to each round trip by a relay (in fact 0.51)" in found.scope
    assert not any(one.startswith("your network: unix socket") for one in found.does_not_say)
    near = digested()
    assert "added_rtt_asked_ms" not in rows(near)[0]
    assert "relay" not in near.scope
    assert "your network: unix socket only" in near.does_not_say


def test_the_method_says_how_counts_and_counters_were_taken():
    said = dict(method_lines(digested()))["Counts"]
    assert "relay between client and server" in said
    assert "Server counters" in said
    assert "Not alike" in said  # the driver's pool as shipped resets
    alike = dict(method_lines(digested(lanes=("core", "orm"))))["Counts"]
    assert "Not alike" not in alike


@pytest.mark.parametrize("name", sorted(one.name for one in PUBLISHED.iterdir() if one.is_dir()))
def test_runs_that_counted_nothing_are_rendered_without_columns_words_or_doubts_of_counts(name):
    manifest = json.loads((PUBLISHED / name / "run.json").read_text(encoding="utf-8"))
    if manifest["schema"] > 2:
        pytest.skip("this run has counts")
    found = digest(read(PUBLISHED / name), "x")
    assert " trips" not in render(found, plain=True)
    assert " trips" not in markdown.render(found)
    assert 'data-key="trips"' not in html.render(found)
    assert "round_trips_per_op_least" not in rows(found)[0]
    assert "Counts" not in dict(method_lines(found))
    assert not any("client = server" in fact for fact in trust_facts(found))
    assert {one.code for one in found.trust.doubts}.isdisjoint({"uncounted", "unverified"})


def test_a_transcript_is_cut_at_its_width_and_in_its_middle():
    lines = [
        Line("client", "Query", 1_234, "SELECT\n " + "x" * 200),
        *[Line("server", "OK", 5, "")] * 99,
    ]
    shown = list(transcript_lines(lines, width=40, most=30, plain=True))
    assert shown[0] == "-> Query     1,234  SELECT xxxxxxxxxx..."
    assert max(map(len, shown)) == 40
    assert len(shown) == 31
    assert shown[20] == "... 70 lines left out"
    assert list(transcript_lines(lines[:2])) == [
        f"→ Query     1,234  SELECT {'x' * 200}",
        "← OK            5",
    ]


@pytest.mark.browser
def test_cells_sort_by_round_trips_and_those_without_stay_last(tmp_path):
    found = digested(
        oddities=Oddities(uncounted={CORE: "encrypted"}), lanes=("core", "raw_pool", "orm")
    )
    path = tmp_path / "report.html"
    path.write_text(html.render(found), encoding="utf-8")
    ids = "all => all.map(one => one.id)"
    with launched() as browser, Visit(browser, path.as_uri()) as visit:
        visit.page.click("th[data-key=trips] button")
        upward = visit.page.eval_on_selector_all("tbody.cell", ids)
        visit.page.click("th[data-key=trips] button")
        downward = visit.page.eval_on_selector_all("tbody.cell", ids)
        assert upward[:2] == downward[1::-1] == [ORM, f"get_by_id/raw_pool/{FIRST}"]
        assert CORE in upward[2:]
        assert CORE in downward[2:]


@pytest.mark.browser
def test_the_transcript_opens_on_a_phone_without_scrolling_sideways(tmp_path):
    path = tmp_path / "report.html"
    path.write_text(html.render(digested()), encoding="utf-8")
    with (
        launched() as browser,
        Visit(browser, f"{path.as_uri()}#{ORM}", width=400, height=800) as visit,
    ):
        details = visit.page.locator(f'[id="{ORM}"] details.wire')
        assert not visit.page.is_visible(f'[id="{ORM}"] details.wire pre')
        details.locator("summary").click()
        assert visit.page.is_visible(f'[id="{ORM}"] details.wire pre')
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_transcript_of_a_cell_that_was_counted_with_another_is_that_ones():
    record = fabricate(counted=True)
    first, second = record.blocks[0].counts[:2]
    like = replace(second, like=first.cell, transcript=())
    counts = tuple(like if one is second else one for one in record.blocks[0].counts)
    blocks = (replace(record.blocks[0], counts=counts), *record.blocks[1:])
    found = digest(replace(record, blocks=blocks), "here")
    shown = {one.cell.id: one.count for one in found.cells if one.count}
    assert shown[second.cell].transcript == shown[first.cell].transcript != ()
    assert shown[second.cell].operations == second.operations
