"""A run folder survives a kill at any byte: finished blocks are there, and nothing else."""

import json
import resource
from contextlib import contextmanager
from dataclasses import asdict, replace

import pytest

from ormbench.cell import Cell, Contrast, Group, LeftOut
from ormbench.errors import OrmbenchError, UsageError
from ormbench.load.histogram import Histogram
from ormbench.results.folder import MANIFEST, TRIALS, Block, RunWriter, read
from ormbench.results.manifest import READABLE, Environment, LaneText, Manifest
from ormbench.results.trial import Proof, Slice, Trial

CORE = Cell(scenario="get_by_id", lane="core", target="postgresql+asyncpg")
ORM = replace(CORE, lane="orm")
RATED = replace(ORM, rate=50.0, clients=4)
MADE = Manifest(
    name="2026-01-01-000000-quick",
    started="2026-01-01T00:00:00+00:00",
    plan="quick",
    title="ORM or Core?",
    focus="get_by_id",
    reference="lane=core",
    blocks=3,
    rounds=2,
    seed=7,
    table_rows=1_000,
    command="ormbench run quick",
    groups=(Group("get_by_id", (CORE, ORM), (Contrast(1, 0, "lane"),)),),
    left_out=(LeftOut(RATED, "fünfzig is too many"),),
    lanes={"get_by_id/orm": LaneText("an entity", "", "async def orm(): ...")},
    environment=Environment({"Python": "3.11"}, {"cores": "2"}, {"kind": "embedded"}, {}, ""),
    next_steps=("ormbench run pools",),
)


def block(number):
    """A block with an ordinary arm, one that went wrong, and a proof."""
    times = Histogram()
    times.record(range(100_000, 100_050))
    slices = tuple(Slice(round_, 1, 25, 9_000, 8_000 + number, 7_000, None) for round_ in (0, 1))
    good = Trial("get_by_id", 0, CORE.id, number, "OK", "", slices, service=times.encode())
    bad = Trial("get_by_id", 1, ORM.id, number, "ERROR", 'kaputt: "ä\n{}"')
    proof = Proof("get_by_id", 0, CORE.id, number, 5, state_checked=True, sql=("a",), sample="(1,)")
    return Block(number, 1.5, 0.02, (good, bad), (proof,))


@pytest.fixture
def folder(tmp_path):
    """A run of three blocks."""
    with RunWriter.create(tmp_path, MADE) as writer:
        for number in range(3):
            writer.append(block(number))
    return tmp_path


def test_what_was_written_is_read_back(folder):
    record = read(folder)
    assert record.manifest == MADE
    assert record.blocks == tuple(block(number) for number in range(3))


def test_a_block_without_trials_is_a_block(tmp_path):
    empty = Block(0, 0.1, None, (), ())
    with RunWriter.create(tmp_path, MADE) as writer:
        writer.append(empty)
        writer.append(block(1))
    assert read(tmp_path).blocks == (empty, block(1))


def test_a_run_that_was_killed_before_its_first_block_has_none(tmp_path):
    RunWriter.create(tmp_path, MADE).__exit__(None, None, None)
    assert read(tmp_path).blocks == ()
    (tmp_path / TRIALS).unlink()
    assert read(tmp_path).blocks == ()


def finished(whole):
    """For each number of bytes, how many blocks are closed within them."""
    closed = [0]
    for line in whole.splitlines(keepends=True):
        last = closed[-1]
        ends = json.loads(line)["kind"] == "block"
        closed += [last] * (len(line) - 2)
        closed += [last + ends, last + ends]  # the line is whole without its newline
    return closed


def test_a_run_that_was_killed_at_any_byte_keeps_each_finished_block_and_nothing_else(folder):
    file = folder / TRIALS
    whole, expected = file.read_bytes(), tuple(block(number) for number in range(3))
    counts = finished(whole)
    assert len(counts) == len(whole) + 1
    for size, count in enumerate(counts):
        file.write_bytes(whole[:size])
        assert read(folder).blocks == expected[:count], f"cut at byte {size} of {len(whole)}"
    assert sorted(set(counts)) == [0, 1, 2, 3]


def test_a_run_that_was_killed_at_any_byte_can_be_resumed(folder):
    file = folder / TRIALS
    whole, expected = file.read_bytes(), tuple(block(number) for number in range(3))
    later = block(9)
    second = whole.index(b'"kind":"block"')
    for size, count in list(enumerate(finished(whole)))[: second * 2 + 200 : 7]:
        file.write_bytes(whole[:size])
        with RunWriter(folder) as writer:
            writer.append(later)
        assert read(folder).blocks == (*expected[:count], later), f"cut at byte {size}"
    assert size > second


def test_a_run_that_was_torn_twice_can_be_resumed_twice(folder):
    file = folder / TRIALS
    for number in (7, 8):
        file.write_bytes(file.read_bytes()[:-40])
        with RunWriter(folder) as writer:
            writer.append(block(number))
    assert [one.number for one in read(folder).blocks] == [0, 1, 8]


def test_a_block_with_a_hole_in_its_middle_does_not_count(folder):
    """Power was lost: the disk has the end of a block, and zeros before it."""
    file = folder / TRIALS
    lines = file.read_bytes().splitlines(keepends=True)
    lines[5] = b"\0\xff" * (len(lines[5]) // 2) + b"\n"
    file.write_bytes(b"".join(lines))
    assert [one.number for one in read(folder).blocks] == [0, 2]


def test_a_block_that_lacks_a_line_does_not_count(folder):
    file = folder / TRIALS
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[1:]))
    assert [one.number for one in read(folder).blocks] == [1, 2]


def test_each_block_is_on_disk_before_the_next_begins(tmp_path):
    with RunWriter.create(tmp_path, MADE) as writer:
        writer.append(block(0))
        assert len(read(tmp_path).blocks) == 1


@contextmanager
def room_for(size):
    """Files may have *size* bytes at most: what a full disk is to a writer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_without_room_for_a_run_is_one_line(tmp_path):
    with (
        room_for(10),
        pytest.raises(OrmbenchError, match=r"run\.json cannot be written: File too large"),
    ):
        RunWriter.create(tmp_path, MADE)


def add(folder, number):
    with RunWriter(folder) as writer:
        writer.append(block(number))


def test_a_disk_that_fills_up_is_one_line_and_keeps_the_finished_blocks(folder):
    before = read(folder).blocks
    with (
        room_for((folder / TRIALS).stat().st_size + 10),
        pytest.raises(OrmbenchError, match=r"trials\.jsonl cannot be written: File too large"),
    ):
        add(folder, 2)
    assert read(folder).blocks == before


def test_neither_file_holds_a_path_of_this_machine(folder):
    text = (folder / MANIFEST).read_text() + (folder / TRIALS).read_text()
    assert str(folder) not in text


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 99}', "{}"])
def test_what_is_no_manifest_of_this_schema_is_refused_in_one_line(folder, text):
    (folder / MANIFEST).write_text(text)
    with pytest.raises(UsageError, match=r"not a run folder|has schema") as caught:
        read(folder)
    assert "\n" not in str(caught.value)


def test_a_program_of_schema_5_is_told_the_schema_of_what_is_written_now(folder):
    plain = json.loads((folder / MANIFEST).read_text())
    assert plain["schema"] not in {1, 2, 3, 4, 5}, "they know no trial that says `known`"


@pytest.mark.parametrize("schema", READABLE)
def test_each_older_schema_is_read(folder, schema):
    plain = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**plain, "schema": schema}))
    assert read(folder).manifest.schema == schema


def test_a_manifest_that_lacks_what_it_needs_is_called_damaged(folder):
    plain = asdict(MADE)
    del plain["groups"]
    (folder / MANIFEST).write_text(json.dumps(plain))
    with pytest.raises(UsageError, match="is damaged"):
        read(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"not a run folder: no readable run\.json"):
        read(tmp_path / "nowhere")
