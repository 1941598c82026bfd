from ormbench.report.markdown_text import code, fold, plain, within


def test_a_code_span_holds_no_backtick_pipe_mention_or_newline():
    assert code("a`b|c@d#1\ne") == "`a'b\u00a6c@\u200bd#\u200b1 e`"
    assert code("") == ""


def test_an_interval_needs_no_backslashes_and_a_link_gets_them():
    assert plain("1.10x [1.08, 1.13]") == "1.10x [1.08, 1.13]"
    assert plain("[x](y)") == r"\[x\](y)"
    assert plain("[1, 2](y)") == r"\[1, 2\](y)"


def test_lines_that_have_no_room_are_counted():
    lines = [f"line {number}" for number in range(100)]
    kept = list(within(lines, 200))
    assert kept[-1].endswith("more lines: see the report.")
    assert kept[:-2] == lines[: len(kept) - 2]
    assert int(kept[-1].split()[0]) == 100 - (len(kept) - 2)
    assert list(within(lines[:3], 200)) == lines[:3]


def test_a_fold_keeps_to_its_room_or_is_not_there():
    block = fold("<all>", ["x" * 50] * 100, 500)
    assert len(block) <= 500
    assert "<summary>&lt;all&gt;</summary>" in block
    assert fold("all", [], 500) == ""
