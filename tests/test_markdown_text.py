from ormbench.report.markdown_text import address, code, count_rows, fold, joined, plain, within


def test_a_code_span_holds_no_backtick_pipe_mention_or_newline():
    assert code("a`b|c@d#1\ne") == "`a'b\u00a6c@\u200bd#\u200b1 e`"
    assert code("") == ""


def test_an_interval_needs_no_backslashes_and_a_link_gets_them():
    assert plain("1.10x [1.08, 1.13]") == "1.10x [1.08, 1.13]"
    assert plain("[x](y)") == r"\[x\](y)"
    assert plain("[1, 2](y)") == r"\[1, 2\](y)"


def test_lines_that_have_no_room_are_counted():
    lines = [f"- {number}" for number in range(100)]
    kept = list(within(lines, 200))
    assert kept[-1].endswith("more rows: see the report.")
    assert kept[:-2] == lines[: len(kept) - 2]
    assert int(kept[-1].split()[0]) == 100 - (len(kept) - 2)
    assert list(within(lines[:3], 200)) == lines[:3]


def test_a_fold_keeps_to_its_room_or_is_not_there():
    block = fold("<all>", ["- " + "x" * 50] * 100, 500)
    assert len(block) <= 500
    assert "<summary>&lt;all&gt;</summary>" in block
    assert fold("all", [], 500) == ""


TABLE = ["**caption**", "", "| a | b |", "|---|---|", "| 1 | 2 |", "| 3 | 4 |"]


def test_a_table_is_cut_after_a_row_and_never_after_its_head():
    assert count_rows(TABLE) == 2
    for room in range(160):
        kept = within([*TABLE, "", *TABLE * 4], room)
        shown = [line for line in kept if line and line in TABLE]
        assert not shown or shown[-1] in TABLE[4:]
        assert len("\n".join(kept)) <= room
        if kept:
            assert kept[-1] == f"{10 - count_rows(kept):,} more rows: see the report."


def test_a_fold_without_room_for_one_row_is_not_there():
    empty = len(fold("all", TABLE[:5], 500)) - len(TABLE[4])
    assert fold("all", TABLE * 9, empty) == ""
    assert TABLE[4] in fold("all", TABLE * 9, empty + 100)


def test_phrases_that_have_no_room_are_counted():
    assert joined(["one", "two", "three"], 10) == "one; two; 1 more: see the report"
    assert joined(["one", "two"]) == "one; two"


def test_an_address_is_shown_where_nothing_in_it_ends_it():
    assert address("https://docs.example.org/a_b.html#c") == "<https://docs.example.org/a_b.html#c>"
    assert address("https://docs.example.org/><img>") == ""
    assert address("") == ""
