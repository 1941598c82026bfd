"""Reports of runs on several server products, with sync drivers and lanes that block the loop."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from fabricate import LANES, ON_LOOP, SCENARIOS, Noise, Oddities, fabricate

from ormbench.cell import Cell, Contrast, Group, LeftOut
from ormbench.report import charts, html, markdown, questions, table
from ormbench.report.comparison_words import comparison_name
from ormbench.report.digest import digest
from ormbench.report.method import method_lines
from ormbench.report.names import blocks_loop, driver_name, in_threads, lane_name, product_name
from ormbench.report.terminal import render
from ormbench.report.trust_facts import trust_facts
from ormbench.results.folder import read

PUBLISHED = Path(__file__).parents[1] / "results" / "published" / "2026-11-22-121619-quick"
EACH = ("PostgreSQL", "MySQL", "MariaDB")
THREE = (
    *("postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg_sync"),
    *("mysql+aiomysql", "mysql+asyncmy"),
    *("mariadb+aiomysql", "mariadb+asyncmy", "mariadb+pymysql"),
)
NO_MYSQL = "UNSUPPORTED: local: no mysqld here: install mysql-server; docker: no engine"
LOST = [
    LeftOut(Cell(scenario=scenario, lane=lane, target=target), NO_MYSQL)
    for scenario in SCENARIOS
    for lane in LANES
    for target in ("mysql+aiomysql", "mysql+asyncmy")
]


def digested(**how):
    return digest(fabricate(**{"histograms": False, "rounds": 6, **how}), "results/local/x")


@pytest.fixture(scope="module")
def three():
    return digested(targets=THREE, scenarios=("get_by_id", "bulk_create"))


@pytest.fixture(scope="module")
def without_mysql():
    return digested(targets=("postgresql+asyncpg", "mariadb+aiomysql"), left_out=LOST)


@pytest.fixture(scope="module")
def on_loop():
    return digested(**_on_loop(21_000_000))


def _on_loop(lag, lanes=("core", "orm", *ON_LOOP)):
    cells = (f"get_by_id/{lane}/postgresql+psycopg_sync/clients=8/placement=free" for lane in lanes)
    return {
        "targets": ("postgresql+psycopg_sync",),
        "lanes": ("core", "orm", *ON_LOOP),
        "scenarios": ("get_by_id",),
        "axes": {"clients": 8, "placement": "free"},
        "oddities": Oddities(lag_p99_ns=dict.fromkeys(cells, lag)),
    }


def _products(text):
    return [product for product in EACH if product in text]


def test_a_target_has_one_name_and_no_other_has_it():
    names = {driver_name(target) for target in (*THREE, "mysql+pymysql")}
    assert len(names) == len(THREE) + 1
    assert driver_name("mariadb+aiomysql") == "MariaDB aiomysql"
    assert driver_name("postgresql+psycopg_sync") == "psycopg_sync"


def test_no_comparison_and_no_section_has_two_products(three):
    for one in three.comparisons:
        assert product_name(one.candidate.target) == product_name(one.reference.target)
    for _, cells in questions.sections(three):
        assert len({product_name(one.cell.target) for one in cells}) == 1
    titles = [title for title, _ in questions.sections(three)]
    assert [title for title in titles if title.startswith("get_by_id")] == [
        f"get_by_id, {product}" for product in EACH
    ]


def test_a_plan_that_compares_products_gets_no_verdict():
    record = fabricate(targets=THREE, scenarios=("get_by_id",), lanes=("core",), histograms=False)
    cells = tuple(
        Cell(scenario="get_by_id", lane="core", target=target) for target in (THREE[0], THREE[3])
    )
    own = replace(record.manifest.groups[0], contrasts=())
    group = Group(own.name, cells, (Contrast(1, 0, "target"),))
    asked = replace(record.manifest, groups=(group, *record.manifest.groups[1:]))
    found = digest(replace(record, manifest=asked), "x")
    assert all(one.group != own.name for one in found.comparisons)


def test_no_sentence_speaks_of_two_products(three):
    sentences = [three.headline, *three.answer]
    for card in three.cards:
        sentences += [card.verdict, card.detail, *(f"{name} {text}" for name, text in card.others)]
    assert [one for one in sentences if len(_products(one)) > 1] == []
    assert "On PostgreSQL, ORM takes" in three.answer[0]
    assert "for get_by_id on PostgreSQL" in three.headline


def test_names_of_comparisons_say_the_product_where_drivers_are_shared(three):
    names = [comparison_name(one) for one in three.comparisons]
    assert len(set(names)) == len(names)
    assert "get_by_id: asyncmy / aiomysql (MySQL, orm)" in names
    assert "get_by_id: orm / core (MariaDB aiomysql)" in names
    assert "get_by_id: psycopg_sync / asyncpg (orm)" in names


def test_a_chart_has_a_panel_for_each_product_and_a_ladder_for_each_before_others(three):
    drawn = {one.name: one for one in charts.draw_all(three)}
    for product in EACH:
        assert f"get_by_id, {product}" in drawn["throughput"].wide
    assert drawn["throughput"].title.startswith("Throughput: get_by_id on PostgreSQL, core ")
    assert "MySQL aiomysql" in drawn["ladder_2"].title
    assert "MariaDB aiomysql" in drawn["ladder_3"].title
    assert "(A/A, PostgreSQL)" in drawn["forest"].note


def test_the_drivers_of_each_product_stand_for_themselves(three):
    card = three.cards[1]
    assert card.verdict.startswith("psycopg takes 1.2")
    assert ", psycopg_sync 1.10x [" in card.verdict
    assert [product for product, _ in card.others] == ["MySQL", "MariaDB"]
    mariadb = dict(card.others)["MariaDB"]
    assert mariadb.startswith("asyncmy takes 0.9")
    assert ", pymysql 0.8" in mariadb


def test_the_terminal_has_a_line_for_each_product_within_its_24_lines(three, without_mysql):
    for findings in (three, without_mysql):
        lines = render(findings, plain=True).splitlines()
        assert len(lines) <= 24
        assert max(map(len, lines)) <= 80
        for product, words in findings.servers[1:]:
            own = [line for line in lines if line.startswith(f" {product} ") and words in line]
            assert len(own) == 1
            assert "aiomysql: ORM takes" in own[0]
        assert sum(len(_products(line)) > 1 for line in lines) == 0


def test_the_header_names_the_server_of_the_focus_and_the_comment_names_all(three):
    first = render(three, plain=True).splitlines()[0]
    assert "PostgreSQL 18.4 embedded" in first
    assert "asyncpg 0.32.0" in first
    every = "PostgreSQL 18.4 embedded, MySQL 9.7.4 docker, MariaDB 11.8.9 docker"
    assert every in markdown.render(three)
    assert every in html.render(three)


def test_a_product_that_could_not_run_says_what_to_install(without_mysql):
    lines = render(without_mysql, plain=True).splitlines()
    (place,) = [number for number, line in enumerate(lines) if line.startswith(" MySQL ")]
    words = " ".join(lines[place : place + 2])
    assert "left out: local: no mysqld here: install mysql-server; docker:" in words


def test_many_cells_of_one_reason_are_one_line_with_their_count(without_mysql):
    count = len(LOST)
    words = f"{count} cells on MySQL aiomysql, MySQL asyncmy"
    full = render(without_mysql, full=True)
    assert [one for one in full.splitlines() if one.startswith(" left out")] == [
        f" left out  {words}: {NO_MYSQL}"
    ]
    assert markdown.render(without_mysql).count(NO_MYSQL) == 1
    page = html.render(without_mysql)
    assert page.count(NO_MYSQL) == 1
    assert f"left out: {NO_MYSQL.removeprefix('UNSUPPORTED: ')}" in page
    assert words in page
    assert all(one.cell.id in page for one in LOST)


def test_what_a_run_does_not_say_depends_on_what_it_measured(three, without_mysql):
    assert not any("measured" in said for said in three.does_not_say)
    assert "which of PostgreSQL, MySQL and MariaDB is faster: never compared" in three.does_not_say
    said = without_mysql.does_not_say
    assert "MySQL: only PostgreSQL and MariaDB were measured, and MariaDB is not MySQL" in said
    assert "other drivers than PostgreSQL's asyncpg and MariaDB's aiomysql" in said
    alone = digested(targets=("postgresql+asyncpg",), scenarios=("get_by_id",)).does_not_say
    assert "MySQL and MariaDB: only PostgreSQL was measured" in alone
    assert not any("never compared" in one or "noise floor" in one for one in alone)


def test_the_noise_floor_is_that_of_one_product_and_says_so(three):
    said = "the noise floor on MySQL and MariaDB: the A/A pair ran on PostgreSQL"
    assert said in three.does_not_say
    assert any(fact.startswith("A/A PostgreSQL ") for fact in trust_facts(three))


def test_trust_counts_the_cells_of_every_product(three):
    asked = sum(one.cell.target != "none" for one in three.cells)
    assert (three.trust.correct, three.trust.checked) == (asked, asked)
    assert asked == len(THREE) * len(LANES) * 2


def test_a_stand_in_image_and_each_products_settings_are_shown(three):
    settings = dict(three.server_settings)
    assert settings["MySQL: image"] == "a stand-in for mysql:9"
    assert "MariaDB: image" not in settings
    assert settings["PostgreSQL: synchronous_commit"] == "off"
    assert settings["MariaDB: innodb_flush_log_at_trx_commit"] == "0"
    assert "a stand-in for mysql:9" in html.render(three)


def test_drivers_that_cannot_be_told_apart_are_no_new_sentence_behind_their_product():
    noisy = digested(targets=THREE, scenarios=("get_by_id",), noise=Noise(block=0.5))
    drivers = next(one for one in noisy.cards if one.question == "WHICH DRIVER?")
    assert any(text.startswith("this run cannot tell") for _, text in drivers.others)
    assert not any(text.startswith("This") for _, text in drivers.others)


def test_the_version_beside_a_driver_is_that_of_its_distribution():
    run = {"scenarios": ("get_by_id",), "lanes": ("core", "orm")}
    assert digested(targets=("mariadb+pymysql",), **run).focus_driver == "pymysql 1.2.0"
    sync = digested(targets=("postgresql+psycopg_sync",), **run)
    assert sync.focus_driver == "psycopg_sync 3.3.1"
    assert sync.servers == (("PostgreSQL", "18.4 embedded"),)


def test_against_a_target_each_products_first_driver_is_the_reference():
    record = fabricate(targets=THREE, scenarios=("get_by_id",), lanes=("core",), histograms=False)
    manifest = replace(record.manifest, reference="target=postgresql+asyncpg")
    found = digest(replace(record, manifest=manifest), "x")
    references = [one.cell.target for one in found.cells if questions.is_reference(found, one.cell)]
    assert references == ["postgresql+asyncpg", "mysql+aiomysql", "mariadb+aiomysql"]
    against = {
        one.cell.target: questions.against_reference(found, one.cell)
        for one in found.cells
        if one.cell.target in THREE and one.cell.target not in references
    }
    assert all(one is not None for one in against.values())
    shown = [one.cell.target for one in questions.focus_cells(found)]
    assert shown == list(THREE[:3])


def test_a_lane_on_the_loop_shows_how_long_the_loop_stood_still(on_loop):
    sentence = "While core_on_loop of get_by_id ran on psycopg_sync, the event loop stood still for"
    assert f"{sentence} 21.0 ms (p99)." in on_loop.answer
    lines = render(on_loop, plain=True)
    assert "event loop late, p99: core_on_loop clients=8 21.0 ms, orm_on_loop" in lines
    assert "core_on_loop clients=8  event loop 21.0 ms late (p99)" in render(
        on_loop, plain=True, full=True
    )
    assert "event loop 21.0 ms late (p99)" in html.render(on_loop)
    assert "event loop 21.0 ms late (p99)" in markdown.render(on_loop)
    rows = list(csv.DictReader(io.StringIO(table.render(on_loop))))
    assert {row["event_loop_lag_p99_ns"] for row in rows if row["lane"] in ON_LOOP} == {"21000000"}


@pytest.mark.parametrize(("lag", "said"), [(1_000_000, False), (1_000_001, True)])
def test_a_loop_may_stand_still_for_a_millisecond(lag, said):
    found = digested(**_on_loop(lag))
    assert any("stood still" in one for one in found.answer) is said


def test_the_loops_lag_is_the_result_of_such_a_lane_and_a_doubt_of_any_other():
    doubts = digested(**_on_loop(5_000_000)).trust.doubts
    (late,) = [one for one in doubts if one.code == "loop-lag"]
    assert all(not id_.split("/")[1].endswith("_on_loop") for id_ in late.cells)
    assert len(late.cells) == 2
    only = digested(**_on_loop(5_000_000, lanes=tuple(ON_LOOP))).trust.doubts
    assert [one for one in only if one.code == "loop-lag"] == []


def test_a_lane_on_the_loop_is_told_from_the_same_in_threads():
    blocking, threads = (
        Cell(scenario="s", lane=lane, target="postgresql+psycopg_sync")
        for lane in ("core_on_loop", "core")
    )
    assert (blocks_loop(blocking), in_threads(blocking)) == (True, False)
    assert (blocks_loop(threads), in_threads(threads)) == (False, True)
    assert lane_name("core_on_loop") == "Core on the event loop"
    assert not in_threads(Cell(scenario="s", lane="core", target="postgresql+asyncpg"))


def test_the_method_says_what_runs_in_threads_and_what_holds_the_loop(three, on_loop):
    clock = dict(method_lines(three))["Clock"]
    assert "in threads, one for each client" in clock
    assert "hold it while they run" not in clock
    assert "hold it while they run" in dict(method_lines(on_loop))["Clock"]
    usual = digested(targets=("postgresql+asyncpg",), scenarios=("get_by_id",))
    assert "threads" not in dict(method_lines(usual))["Clock"]


@pytest.mark.parametrize(
    ("products", "commits"),
    [
        (["postgresql"], False),
        (["mysql"], True),
        (["mariadb"], True),
        (["postgresql", "mysql"], True),
    ],
)
def test_the_method_says_where_autocommit_commits_all_the_same(three, products, commits):
    cells = tuple(
        replace(one, cell=replace(one.cell, transaction="autocommit"))
        for one in three.cells
        if one.cell.target.partition("+")[0] in products
    )
    said = dict(method_lines(replace(three, cells=cells)))["Transaction"]
    assert said.startswith("Autocommit")
    assert ("SQLAlchemy sends COMMIT and ROLLBACK all the same" in said) == commits


def test_a_published_run_of_the_first_schema_is_rendered_without_loss():
    plain = json.loads((PUBLISHED / "run.json").read_text(encoding="utf-8"))
    assert plain["schema"] == 1
    found = digest(read(PUBLISHED), "results/published/x")
    with (PUBLISHED / "cells.csv").open(encoding="utf-8", newline="") as file:
        before = list(csv.DictReader(file))
    after = list(csv.DictReader(io.StringIO(table.render(found))))
    assert [{name: row[name] for name in before[0]} for row in after] == before
    told = dict(found.server_settings)
    where = plain["environment"]
    assert told.items() >= {**where["server"], **where["server_settings"]}.items()
    product, words = found.servers[0]
    assert (product, words.split()[1]) == ("PostgreSQL", where["server"]["kind"])
    assert {one.cell.id for one in found.cells} == {
        Cell(**cell).id for group in plain["groups"] for cell in group["cells"]
    }
    page = html.render(found)
    assert all(one.cell.id in page for one in found.cells)
    assert render(found, plain=True).splitlines()[0].startswith(" get_by_id  PostgreSQL 18")
