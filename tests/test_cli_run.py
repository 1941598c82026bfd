"""Small real runs through the command line: what they leave, say and survive."""

import csv
import json
from pathlib import Path

import pytest
from command import SMALL, call, finish, only_run, start, statuses

UNTRUSTED = 3
MINE = '''"""Orders: an order with its lines, from a table that names its columns its own way."""

import asyncio

from sqlalchemy import ForeignKey, String, bindparam, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from ormbench.scenario import Data, Scenario, State

print("orders are imported")


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "ShopOrder"
    id: Mapped[int] = mapped_column("OrderId", primary_key=True)
    buyer: Mapped[str] = mapped_column("Buyer", String(40))
    lines: Mapped[list["Line"]] = relationship(order_by="Line.number")


class Line(Base):
    __tablename__ = "OrderLine"
    order_id: Mapped[int] = mapped_column(
        "OrderId", ForeignKey("ShopOrder.OrderId"), primary_key=True
    )
    number: Mapped[int] = mapped_column("Number", primary_key=True)
    item: Mapped[str] = mapped_column("Item", String(40))


ORDERS, LINES = Order.__table__, Line.__table__
BY_ID = select(Order).where(Order.id == bindparam("key")).options(selectinload(Order.lines))


def rows(table_rows):
    numbers = range(1, table_rows + 1)
    yield ORDERS, [{"OrderId": one, "Buyer": f"buyer {one}"} for one in numbers]
    yield LINES, [
        {"OrderId": one, "Number": line, "Item": f"item {one}.{line}"}
        for one in numbers
        for line in (1, 2)
    ]


def args(turn, table_rows):
    return {"key": 1 + turn % table_rows}


def answer(turn, table_rows):
    key = 1 + turn % table_rows
    return (key, f"buyer {key}", [(key, 1, f"item {key}.1"), (key, 2, f"item {key}.2")])


DATA = Data(Base.metadata, rows)
order = Scenario(DATA, args, answer)


@order.lane
async def orm(session, key):
    """selectinload"""
    print("an order is read")
    return (await session.scalars(BY_ID, {"key": key})).one()


@order.lane
async def core(connection, key):
    """two statements"""
    found = await connection.execute(select(ORDERS).where(ORDERS.c.OrderId == key))
    lines = select(LINES).where(LINES.c.OrderId == key).order_by(LINES.c.Number)
    return (*found.one(), (await connection.execute(lines)).all())


@order.lane
async def broken(connection, key):
    """asks for a table that is not there"""
    await connection.exec_driver_sql("SELECT 1 FROM nowhere")


@order.lane
async def wrong(connection, key):
    """forgets the lines"""
    return (key, f"buyer {key}", [])


@order.lane
async def asleep(session, key):
    """never comes back"""
    await asyncio.sleep(3600)


def written(turns, table_rows):
    return [(table_rows + place, f"new {turn}") for place, turn in enumerate(turns, 1)]


NEW = select(ORDERS).where(ORDERS.c.Buyer.like("new%")).order_by(ORDERS.c.OrderId)
new_order = Scenario(DATA, lambda turn: {"buyer": f"new {turn}"}, state=State(NEW, written))


@new_order.lane
async def orm(session, buyer):
    """session.add()"""
    session.add(Order(buyer=buyer))


@new_order.lane
async def core(connection, buyer):
    """insert()"""
    await connection.execute(ORDERS.insert(), {"Buyer": buyer})


@new_order.lane
async def forgetful(connection, buyer):
    """writes nothing"""
'''
APP = '''"""The models of an application."""

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Page(Base):
    __tablename__ = "page"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
'''
PAGE = '''"""Page: the models of the application in whose folder the run is started."""

from app.models import Base, Page

from ormbench.scenario import Data, Scenario


def rows(table_rows):
    yield Page.__table__, [{"id": n, "title": f"page {n}"} for n in range(1, table_rows + 1)]


page = Scenario(Data(Base.metadata, rows), lambda turn: {"key": 1 + turn % 100})


@page.lane
async def orm(session, key):
    """session.get()"""
    return await session.get(Page, key)


@page.lane
async def other(session, key):
    """not asked for"""
    raise AssertionError
'''


@pytest.fixture(scope="module")
def all_at_once(tmp_path_factory):
    """Three runs at the same time; two of them into one folder."""
    odd = tmp_path_factory.mktemp("runs") / "Mes essais, à Zürich"
    odd.mkdir()
    words = ["--lane", "orm,core", "--table-rows", "1000", "--blocks", "2", "--rounds", "2"]
    tiny = start("run", "get_by_id", *words, "--seed", "7", "--json", "-q", cwd=odd)
    file = tmp_path_factory.mktemp("own") / "my orders.py"
    file.write_text(MINE)
    app = tmp_path_factory.mktemp("application")
    for name, text in {"app/models.py": APP, "bench/page.py": PAGE}.items():
        (app / name).parent.mkdir()
        (app / name).write_text(text)
    shared = tmp_path_factory.mktemp("shared")
    words = (*SMALL, "--out", shared, "--json")
    own = start("run", file, *words, "--timeout", "3s", cwd=tmp_path_factory.mktemp("elsewhere"))
    page = start("run", "bench/page.py::orm", *words, cwd=app)
    return odd, shared, {"tiny": finish(tiny), "own": finish(own), "page": finish(page)}


@pytest.fixture
def tiny(all_at_once, monkeypatch):
    """A run of two lanes in a working directory that many programs stumble over: its folder."""
    odd, _, ended = all_at_once
    monkeypatch.chdir(odd)
    return only_run(odd / "results" / "local"), ended["tiny"]


@pytest.fixture
def own(all_at_once):
    """A run of a user's file that lies outside the working directory, and goes wrong in parts."""
    _, shared, ended = all_at_once
    (path,) = shared.glob("*-my-orders")
    return path, ended["own"]


@pytest.fixture
def page(all_at_once):
    """A run of one lane that uses the models of an application."""
    _, shared, ended = all_at_once
    (path,) = shared.glob("*-page")
    return path, ended["page"]


def trials(path):
    lines = (path / "trials.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.slow
def test_a_run_leaves_all_its_files_in_a_folder_of_its_own(tiny):
    path, _ = tiny
    assert path.name.endswith("-get_by_id")
    assert {one.name for one in path.iterdir()} == {
        *("run.json", "trials.jsonl", "report.html", "report.md", "cells.csv", "charts")
    }
    blocks = [one for one in trials(path) if one["kind"] == "block"]
    assert [one["block"] for one in blocks] == [0, 1]


def test_fewer_than_eight_blocks_are_not_trustworthy_and_that_is_the_exit_code(tiny):
    _, done = tiny
    assert done.code == UNTRUSTED
    trust = json.loads(done.out)["trust"]
    assert trust["usable"] is False


def test_json_is_all_that_stands_on_standard_output_and_quiet_is_quiet(tiny):
    _, done = tiny
    assert statuses(done.out) == {
        "get_by_id/orm": ("OK", ""),
        "get_by_id/core": ("OK", ""),
        "empty/nothing": ("OK", ""),
    }
    assert done.err == ""


def test_a_run_says_how_to_make_it_again_and_names_no_path(tiny):
    path, _ = tiny
    text = (path / "run.json").read_text()
    manifest = json.loads(text)
    assert manifest["command"] == (
        "ormbench run get_by_id --lane orm,core --table-rows 1000 --blocks 2 --rounds 2 --seed 7"
    )
    assert [manifest["seed"], manifest["table_rows"]] == [7, 1000]
    assert str(path.parent) not in text
    assert str(Path.home()) not in text


def test_an_old_run_is_reported_again_as_it_was(capsys, tiny):
    path, done = tiny
    before = {name: (path / name).read_bytes() for name in ("report.md", "cells.csv")}
    again = call(capsys, "report", path.name, "--json")
    assert (again.code, again.err) == (UNTRUSTED, "")
    assert json.loads(again.out) == json.loads(done.out)
    assert {name: (path / name).read_bytes() for name in before} == before


@pytest.mark.usefixtures("tiny")
def test_the_terminal_says_why_there_is_no_answer_and_shows_no_times(capsys):
    done = call(capsys, "report", "last")
    assert "NOT USABLE: 2 of 2 blocks finished; an interval at 99 % takes 8" in done.out
    assert "no answer" in done.out
    assert "outcome (no times: they would not be evidence)" in done.out
    assert "op/s" not in done.out
    assert all(len(line) <= 80 for line in done.out.splitlines() if "report.html" not in line)


def test_the_table_has_a_row_for_each_cell(tiny):
    path, _ = tiny
    with (path / "cells.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["lane"] for row in rows} == {"orm", "core", "nothing"}


@pytest.mark.usefixtures("tiny")
def test_explain_shows_code_advice_and_the_statement_that_was_sent(capsys):
    done = call(capsys, "explain", "get_by_id/orm")
    assert done.code == 0
    for words in ("async def orm(session", "https://docs.sqlalchemy.org/", "COMMIT", "SELECT dev"):
        assert words in done.out
    assert "no times: the run is not usable as evidence" in done.out
    assert "op/s" not in done.out


@pytest.mark.usefixtures("tiny")
def test_explain_of_a_cell_that_the_run_lacks_says_so(capsys):
    out = call(capsys, "explain", "bulk_create/orm").out
    assert "ormbench run bulk_create --lane orm" in out


def test_explain_shows_a_lane_of_a_users_file_from_the_run_alone(capsys, own):
    path, _ = own
    done = call(capsys, "explain", "order/wrong/postgresql+asyncpg", "--run", path)
    assert done.code == 0
    assert "order/wrong: forgets the lines" in done.out
    assert "async def wrong(connection, key):" in done.out
    assert "INCORRECT turn " in done.out


def test_explain_without_any_run_shows_the_code_and_what_to_run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    done = call(capsys, "explain", "get_by_id/raw_held")
    assert done.code == 0
    assert done.out.endswith("not measured yet: ormbench run get_by_id --lane raw_held\n")


@pytest.mark.usefixtures("tiny")
def test_a_finished_run_has_nothing_to_go_on_with(capsys):
    done = call(capsys, "run", "--resume", "last", "--dry-run")
    assert "2 of 2 blocks are measured" in done.out


def test_a_dry_run_says_what_it_would_be_and_leaves_nothing(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    done = call(capsys, "run", "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert "8 blocks of" in done.out
    assert "connections at once" in done.out
    assert "A/A  get_by_id/core" in done.out
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_names_what_is_left_out_and_why(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    done = call(capsys, "run", "get_by_id", "--target", "psycopg", "--dry-run")
    assert "left out: get_by_id/raw_pool/postgresql+psycopg: UNSUPPORTED: psycopg_pool" in done.out


def test_list_shows_plans_scenarios_targets_and_axes(capsys):
    done = call(capsys, "list")
    assert done.code == 0
    for words in ("plans:", "quick", "scenarios:", "raw_held", "targets:", "axes:", "placement"):
        assert words in done.out
    assert call(capsys, "list", "targets").out.strip() in done.out


@pytest.mark.parametrize("words", [[], ["--help"], ["run", "--help"], ["--version"]])
def test_help_goes_to_standard_output_and_is_no_error(capsys, words):
    with pytest.raises(SystemExit) as caught:
        call(capsys, *words)
    assert caught.value.code == 0
    out, err = capsys.readouterr()
    assert ("ormbench" in out, err) == (True, "")


@pytest.mark.slow
def test_each_lane_of_a_users_file_ends_as_it_deserves_and_the_others_are_measured(own):
    _, done = own
    assert done.code == UNTRUSTED
    found = statuses(done.out)
    ends = {name: status for name, (status, _) in found.items()}
    assert ends == {
        "order/orm": "OK",
        "order/core": "OK",
        "order/broken": "ERROR",
        "order/wrong": "INCORRECT",
        "order/asleep": "TIMEOUT",
        "new_order/orm": "OK",
        "new_order/core": "OK",
        "new_order/forgetful": "INCORRECT",
        "empty/nothing": "OK",
    }
    assert found["order/broken"][1].startswith('UndefinedTableError: relation "nowhere" does')
    assert "expected (" in found["order/wrong"][1]
    assert "0 rows, expected 5" in found["new_order/forgetful"][1]
    assert "3 s" in found["order/asleep"][1]


def test_a_cell_without_a_right_answer_has_no_time(own):
    path, done = own
    ended = [one for one in json.loads(done.out)["cells"] if one["status"] != "OK"]
    assert len(ended) == 4
    assert all(one["service"] is None for one in ended)
    stored = [one for one in trials(path) if one["kind"] == "trial" and one["status"] != "OK"]
    assert all(one["slices"] == [] and one["service"] == "" for one in stored)


def test_what_a_scenario_prints_does_not_get_into_the_json(own):
    _, done = own
    assert json.loads(done.out)["cells"]
    assert set(done.err.splitlines()) == {"orders are imported"}


def test_an_entity_is_compared_with_its_loaded_relationship(own):
    path, _ = own
    (proof, *_) = (
        one
        for one in trials(path)
        if one["kind"] == "proof" and one["cell"].startswith("order/orm")
    )
    assert proof["answers_checked"] > 0
    assert "item" in proof["sample"]


def test_runs_at_once_into_one_folder_do_not_meet(own, page):
    for path, done in (own, page):
        assert done.code == UNTRUSTED
        assert (path / "report.html").stat().st_size > 0
        assert [one["kind"] for one in trials(path)][-1] == "block"
        assert json.loads(done.out)["run"] == path.name


def test_one_lane_with_the_models_of_the_working_directory_is_measured_alone(page):
    _, done = page
    assert statuses(done.out) == {"page/orm": ("OK", ""), "empty/nothing": ("OK", "")}
    assert done.err == ""
