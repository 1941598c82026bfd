"""Rows of an operation: a scenario whose functions take ``batch`` is sized by the axis."""

import pytest
from command import SMALL, call, only_run

from ormbench.cell import Cell
from ormbench.errors import UsageError
from ormbench.loader import load
from ormbench.plan.runnable import why_not
from ormbench.results.folder import read
from ormbench.scenario import Data, Scenario, State, call_for_turn
from ormbench.servers.supply import EVERYTHING

FILE = '''"""Words: the import of a dictionary."""

from sqlalchemy import String, insert, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from ormbench.results.folder import read
from ormbench.scenario import Data, Defect, Scenario, State


class Base(DeclarativeBase):
    pass


class Word(Base):
    __tablename__ = "words"
    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(String(20), unique=True)


def args(turn, batch=2):
    return {"rows": [{"word": f"{turn * batch + place:010d}"} for place in range(batch)]}


def written(turns, _table_rows, batch=2):
    return [(row["word"],) for turn in sorted(turns) for row in args(turn, batch)["rows"]]


STATE = State(select(Word.word).order_by(Word.word), written, starts="empty")
words = Scenario(Data(Base.metadata, lambda _rows: []), args, state=STATE)


@words.lane
async def core(connection, rows):
    """Core's insert() with a list of rows"""
    await connection.execute(insert(Word.__table__), rows)


@words.lane
async def orm(session, rows):
    """add_all()"""
    session.add_all([Word(**row) for row in rows])


@words.lane(needs=["COPY"])
async def copy(driver, rows):
    """the driver's COPY"""


GONE = Defect("no such table, https://example.org/issues/1", error="does not exist")


@words.lane(known={"postgresql+*": GONE})
async def breaks(connection, rows):
    """names a table that nobody has"""
    await connection.execute(text("INSERT INTO nowhere VALUES (1)"))
'''


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.py"
    path.write_text(FILE, encoding="utf-8")
    return load(path)[0]


def a_cell(loaded, lane="core", target="postgresql+asyncpg", **axes):
    return Cell(scenario=loaded.name, lane=lane, target=target, placement="free", **axes)


@pytest.mark.parametrize(("batch", "rows"), [(None, 2), (1, 1), (1_000, 1_000)])
def test_a_scenario_has_as_many_rows_an_operation_as_it_is_given(words, batch, rows):
    scenario = words.sized(batch).scenario
    (given,) = scenario.inputs(scenario.lanes["core"], 7, 0)
    assert len(given) == rows
    assert len(list(scenario.state.expected([7, 9], 0))) == 2 * rows


def test_table_rows_and_batch_are_both_given_where_both_are_wanted():
    def args(turn, table_rows, batch=5):
        return {"all": (turn, table_rows, batch)}

    shop = Scenario(args=args, name="shop")
    assert [shop.default_batch, shop.sized(3).default_batch] == [5, 3]
    assert call_for_turn(shop.args, 1, 10) == {"all": (1, 10, 5)}
    assert call_for_turn(shop.sized(3).args, 1, 10) == {"all": (1, 10, 3)}


def test_table_rows_are_given_by_name_wherever_they_stand():
    def args(turn, batch=5, table_rows=0):
        return {"all": (turn, batch, table_rows)}

    assert call_for_turn(args, 1, 10) == {"all": (1, 5, 10)}
    assert call_for_turn(lambda turn, rows: (turn, rows), 1, 10) == (1, 10)


@pytest.mark.parametrize("args", [lambda turn: {}, lambda turn, batch: {}])  # noqa: ARG005 - signatures
def test_a_scenario_that_does_not_say_how_many_rows_has_none_to_change(args):
    assert Scenario(args=args).default_batch is None


def test_answer_expected_and_lasts_get_the_batch_where_they_take_it():
    state = State(
        None, lambda turns, rows: [(len(turns), rows)], lasts=lambda rows, batch=1: rows // batch
    )
    shop = Scenario(
        Data(None, None),
        args=lambda turn, batch=1: {turn: batch},
        answer=lambda turn, batch=1: turn * batch,
        state=state,
        name="shop",
    ).sized(4)
    assert call_for_turn(shop.answer, 3, 0) == 12
    assert shop.state.lasts(10) == 2
    assert list(shop.state.expected([1, 2], 10)) == [(2, 10)]


def test_a_scenario_of_one_size_has_no_cell_with_another(words):
    words.scenario.args = lambda turn: {"rows": [turn]}
    reason = why_not(a_cell(words, batch=10), words, EVERYTHING)
    assert reason == "UNSUPPORTED: words takes no batch: its operations are of one size"


def test_a_target_without_what_a_lane_needs_leaves_it_out(words):
    cell = a_cell(words, "copy", "mysql+aiomysql")
    assert why_not(cell, words, EVERYTHING) == "UNSUPPORTED: aiomysql on MySQL has no COPY"
    assert why_not(a_cell(words, "copy", "postgresql+psycopg"), words, EVERYTHING) is None


def test_a_need_that_no_target_meets_is_the_authors_mistake(words):
    @words.scenario.lane(needs=["TELEPATHY"])
    async def wishes(driver, rows):
        """wishes"""

    with pytest.raises(UsageError, match="lane wishes needs 'TELEPATHY', which no target has: "):
        why_not(a_cell(words, "wishes"), words, EVERYTHING)


def test_one_file_is_all_that_a_sized_scenario_takes(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ended = call(capsys, "run", words.path, "--batch", "1,20", "--lane", "core,orm,breaks", *SMALL)
    assert ended.code == 3, ended.err  # one block is no evidence
    record = read(only_run(tmp_path / "results" / "local"))
    found = {one.cell: one for block in record.blocks for one in block.trials}
    for lane in ("core", "orm"):
        for batch in (1, 20):
            cell = found[f"words/{lane}/postgresql+asyncpg/batch={batch}"]
            assert (cell.status, cell.unverified) == ("OK", "")
    broken = found["words/breaks/postgresql+asyncpg/batch=1"]
    assert broken.status == "ERROR"
    assert 'relation "nowhere" does not exist' in broken.reason
    assert broken.reason.endswith("(known: no such table, https://example.org/issues/1)")
    assert broken.known
