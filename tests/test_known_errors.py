"""A run whose only errors are those that its lanes declare has measured what it could."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from command import call
from fabricate import LANES, Oddities, fabricate

from ormbench.defect import Defect
from ormbench.errors import UsageError
from ormbench.loader import shipped
from ormbench.report.digest import digest
from ormbench.report.trust_facts import trust_facts
from ormbench.results.folder import RunWriter, read
from ormbench.run.arm import EndedError

PUBLISHED = Path(__file__).parent.parent / "results" / "published"
BROKEN = "get_by_id/orm_columns/postgresql+asyncpg"
WORDS = "TypeError: no"
DEFECT = Defect("executemany() breaks it, https://example.org/issues/1", error="TypeError: no")


def written(path, ended):
    """A fabricated run in which one cell ended so, as a folder."""
    made = fabricate(
        scenarios=["get_by_id"],
        lanes=[*LANES][3:],
        targets=["postgresql+asyncpg"],
        oddities=Oddities(status={BROKEN: (ended.status, ended.reason)}),
    )
    with RunWriter.create(path, made.manifest) as writer:
        for block in made.blocks:
            of_cell = {True: ended.known, False: False}
            told = [replace(one, known=of_cell[one.cell == BROKEN]) for one in block.trials]
            writer.append(replace(block, trials=tuple(told)))
    return path


def reported(capsys, path):
    return call(capsys, "report", path, "--json")


KNOWN = EndedError("ERROR", WORDS).with_defect(DEFECT)
UNKNOWN = EndedError("ERROR", WORDS).with_defect(None)
OTHER = EndedError("ERROR", "OSError: no route").with_defect(DEFECT)
TIMED_OUT = EndedError("TIMEOUT", "60 s").with_defect(DEFECT)


@pytest.mark.parametrize(("ended", "code"), [(KNOWN, 0), (UNKNOWN, 3), (OTHER, 3), (TIMED_OUT, 3)])
def test_an_error_that_its_lane_declares_is_a_result_and_any_other_is_none(
    capsys, tmp_path, ended, code
):
    done = reported(capsys, written(tmp_path, ended))
    assert json.loads(done.out)["trust"]["usable"]
    assert done.code == code


def test_an_unknown_error_counts_though_another_block_has_a_known_one(tmp_path):
    path = written(tmp_path, KNOWN)
    lines = (path / "trials.jsonl").read_text().splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if DEFECT.what in line)
    lines[place] = json.dumps({**json.loads(lines[place]), "known": False}) + "\n"
    (path / "trials.jsonl").write_text("".join(lines))
    assert any(one.is_unforeseen for block in read(path).blocks for one in block.trials)
    assert digest(read(path), "run").trust.known_errors == 0


@pytest.mark.parametrize(("ended", "facts"), [(KNOWN, ["1 known error"]), (UNKNOWN, [])])
def test_trust_counts_the_known_errors(tmp_path, ended, facts):
    told = trust_facts(digest(read(written(tmp_path, ended)), "run"))
    assert [one for one in told if "known error" in one] == facts


@pytest.mark.parametrize(("ended", "unforeseen"), [(KNOWN, False), (UNKNOWN, True)])
def test_a_record_of_schema_5_says_so_in_the_words_of_its_reason(tmp_path, ended, unforeseen):
    path = written(tmp_path, ended)
    manifest, trials = path / "run.json", path / "trials.jsonl"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema": 5}))
    lines = [json.loads(line) for line in trials.read_text().splitlines()]
    old = [{key: value for key, value in line.items() if key != "known"} for line in lines]
    trials.write_text("".join(json.dumps(line) + "\n" for line in old))
    ends = [one for block in read(path).blocks for one in block.trials if one.cell == BROKEN]
    assert ends
    assert all(one.is_unforeseen == unforeseen for one in ends)


@pytest.mark.parametrize("error", ["", "TypeError", ("not converted", "Error")])
def test_a_single_word_does_not_tell_a_defect_from_other_errors(error):
    with pytest.raises(UsageError, match="is not the error's alone"):
        Defect("breaks", error=error)


def test_a_defect_may_show_in_the_words_of_several_drivers():
    defect = Defect("breaks", error=("not all converted", "a mapping"))
    assert defect.explains("TypeError: format requires a mapping")
    assert not defect.explains("TypeError: unsupported operand")


@pytest.mark.parametrize("run", ["2026-11-23-035013-inserts", "2026-11-23-061621-updates"])
def test_the_shipped_defects_explain_the_errors_that_were_published(run):
    scenarios = shipped()
    trials = [one for block in read(PUBLISHED / run).blocks for one in block.trials]
    broken = [one for one in trials if one.status == "ERROR"]
    assert broken
    for one in broken:
        scenario, lane, target, *_ = one.cell.split("/")
        assert scenarios[scenario].lane(lane).defect(target).explains(one.reason)
