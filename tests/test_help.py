"""What --help says: an example first, and one that works."""

import pytest

from ormbench.cli import main
from ormbench.cli.parser import parse

COMMANDS = ["run", "list", "report", "explain"]


def help_of(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("words", [[], *([one] for one in COMMANDS)], ids=["ormbench", *COMMANDS])
def test_help_opens_with_an_example_that_is_understood(capsys, words):
    first = help_of(capsys, *words).splitlines()[0]
    assert first.startswith("example: ormbench ")
    example = first.removeprefix("example: ormbench ").split()
    assert parse(example).command == (words or ["run"])[0]


def test_help_of_the_whole_names_every_command(capsys):
    text = help_of(capsys)
    assert all(f"\n    {one} " in text for one in COMMANDS)
    assert "0 fine" in text
    assert "3 not trustworthy" in text
