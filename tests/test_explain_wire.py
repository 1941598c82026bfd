"""`ormbench explain CELL`: counts and transcript of one operation, or why there are none."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from fabricate import FIRST, Oddities, fabricate
from fabricate_counts import count_of

from ormbench.cell import Cell
from ormbench.cli import main
from ormbench.report.wire_lines import counts_text
from ormbench.results.folder import RunWriter
from ormbench.wire.tally import Line

MYSQL = "mysql+aiomysql"
ORM = f"get_by_id/orm/{FIRST}"
PUBLISHED = Path(__file__).parents[1] / "results" / "published" / "2026-11-22-121619-quick"


@pytest.fixture
def explained(tmp_path, capsys):
    def explain(cell=ORM, *, changed=lambda record: record, **wishes):
        wishes = {"scenarios": ("get_by_id",), "histograms": False, "rounds": 2, **wishes}
        record = changed(fabricate(**{"targets": (FIRST,), "counted": True, **wishes}))
        with RunWriter.create(tmp_path, record.manifest) as writer:
            for block in record.blocks:
                writer.append(block)
        assert main(["explain", cell, "--run", str(tmp_path)]) == 0
        return capsys.readouterr().out

    return explain


def test_after_the_sql_come_the_counts_and_the_transcript_of_one_operation(explained):
    out = explained()
    words = " ".join(out.split())
    counts = (
        "on the wire, one operation: 3 round trips, 3 requests, 82 bytes sent, 124 received, "
        "no connection; the server began 1 transaction"
    )
    assert counts in words
    assert words.index("sent SELECT") < words.index(counts) < words.index("statements: BEGIN")
    assert re.findall(r"^    (->|<-) (\w+) +\d+(?:  (.+))?$", out, re.MULTILINE) == [
        ("->", "Query", "BEGIN;"),
        ("<-", "CommandComplete", "BEGIN"),
        ("<-", "ReadyForQuery", ""),
        ("->", "Bind", ""),
        ("->", "Execute", ""),
        ("->", "Sync", ""),
        ("<-", "BindComplete", ""),
        ("<-", "DataRow", ""),
        ("<-", "CommandComplete", "SELECT 1"),
        ("<-", "ReadyForQuery", ""),
        ("->", "Query", "COMMIT;"),
        ("<-", "CommandComplete", "COMMIT"),
        ("<-", "ReadyForQuery", ""),
    ]
    assert "server counters: 8 of 8 trials agree: transactions " in words


def test_a_server_of_the_mysql_family_has_questions_instead_of_transactions():
    text = counts_text(count_of(Cell(scenario="get_by_id", lane="orm", target=MYSQL)))
    assert text.endswith("33 received, no connection; 3 questions to the server")


def test_connections_that_an_operation_opens_are_told():
    count = count_of(Cell(scenario="get_by_id", lane="orm", target=FIRST))
    opening = tuple(replace(one, connections=1) for one in count.operations)
    assert "124 received, 1 connection; the" in counts_text(replace(count, operations=opening))


def test_a_transcript_has_at_most_60_lines_of_100_columns(explained):
    long = (
        Line("client", "Query", 99_999, "SELECT " + "x" * 500),
        Line("server", "DataRow", 9, ""),
    )

    def lengthened(record):
        first = record.blocks[0]
        counts = tuple(replace(one, transcript=long * 100) for one in first.counts)
        return replace(record, blocks=(replace(first, counts=counts), *record.blocks[1:]))

    out = explained(changed=lengthened)
    shown = [line for line in out.splitlines() if line.lstrip().startswith(("->", "<-"))]
    assert len(shown) == 60
    assert max(map(len, shown)) <= 100
    assert "... 140 lines left out" in out


@pytest.mark.parametrize(
    ("cell", "how", "said"),
    [
        (ORM, {"oddities": Oddities(uncounted={ORM: "TLS"})}, "not counted on the wire: TLS"),
        (ORM, {"oddities": Oddities(uncounted={ORM: ""})}, "no count of it is stored"),
        (ORM, {"counted": False}, "not counted on the wire: this run counted nothing"),
        ("empty/nothing", {}, "not counted on the wire: no database"),
    ],
)
def test_where_nothing_was_counted_it_says_so_and_why(explained, cell, how, said):
    out = explained(cell, **how)
    assert said in out
    assert "->" not in out.partition("in run ")[2]


def test_unverified_trials_are_told_with_their_reason(explained):
    out = explained(oddities=Oddities(unverified={ORM: "others use this server"}))
    assert "server counters: 7 of 8 trials agree" in out
    assert "unverified: 1 trial: others use this server" in out


def test_added_round_trip_time_is_told_as_asked_and_achieved(explained):
    out = explained(oddities=Oddities(added_rtt_ns={f"{ORM}/rtt=5": 5_012_000}), axes={"rtt": 5.0})
    assert "added round-trip time: 5 ms asked, 5.01 ms achieved (mean)" in out


def test_a_distance_alone_names_a_cell_and_another_says_which_there_are(explained):
    far = {"axes": {"rtt": 5.0}}
    assert f", {ORM}/rtt=5: OK" in explained("get_by_id/orm/rtt=5", **far)
    assert f"-quick: it has {ORM}/rtt=5\n" in explained("get_by_id/orm/rtt=0.5", **far)


def test_what_passed_on_the_wire_cannot_steer_the_terminal(explained):
    def hostile(record):
        first = record.blocks[0]
        line = (Line("client", "Query\x1b[2J", 9, "SELECT\x1b]0;x\x07\r\n1"),)
        counts = tuple(replace(one, transcript=line) for one in first.counts)
        return replace(record, blocks=(replace(first, counts=counts), *record.blocks[1:]))

    assert not set(explained(changed=hostile)) & set("\x1b\x07\r")


def test_a_run_of_the_first_schema_is_explained_too(capsys):
    assert main(["explain", "get_by_id/orm", "--run", str(PUBLISHED)]) == 0
    assert "not counted on the wire: this run counted nothing" in capsys.readouterr().out
