"""The flat table of all cells, for spreadsheets."""

import csv
import io

import pytest
from sample_findings import nearly_empty, one_block, sample, unusable, with_strings

from ormbench.report import table


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_csv_has_one_row_a_cell_with_units_in_its_columns_and_full_numbers():
    rows = read(table.render(sample()))
    assert len(rows) == 25
    orm = next(row for row in rows if row["cell"] == "get_by_id/orm/postgresql+asyncpg")
    found = next(one for one in sample().cells if one.cell.id == orm["cell"])
    assert float(orm["service_mean_ns_per_op"]) == found.service.value
    assert float(orm["throughput_op_per_s"]) == found.throughput.value
    assert int(orm["service_p99_ns"]) == found.percentiles[-1][1]
    assert orm["verdict"] == "slower"
    assert orm["reference"] == "get_by_id/core/postgresql+asyncpg"
    assert orm["run_usable"] == "yes"


def test_the_csv_leaves_empty_what_was_not_measured():
    wrong = next(row for row in read(table.render(sample())) if row["status"] == "INCORRECT")
    assert wrong["service_mean_ns_per_op"] == wrong["verdict"] == ""
    assert wrong["reason"].startswith("turn 3")
    for row in read(table.render(one_block())):
        assert row["service_mean_low_ns_per_op"] == ""


def test_the_csv_of_a_run_that_is_not_usable_says_so_and_has_no_verdicts():
    rows = read(table.render(unusable()))
    assert {row["run_usable"] for row in rows} == {"no"}
    assert {row["time_ratio_to_reference"] for row in rows} == {""}
    assert table.render(nearly_empty()) == "run\r\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " =", "\r="])
def test_no_cell_of_the_csv_is_a_formula(start):
    hostile = with_strings(sample(), lambda text: f'{start}cmd|"x",\n{text}')
    rows = read(table.render(hostile))
    assert len(rows) == 25
    for row in rows:
        for value in row.values():
            assert not value.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
