"""Text that keeps to its place in a comment: nothing in it acts upon the host or takes more room.

Names stand in code spans, and nothing in them can ping a person, close an issue or break out of
its table.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ormbench.report.words import one_line

_NAME_LIMIT, _TEXT_LIMIT = 160, 1_000  # characters of one name, of one free text
_NUMBERS = re.compile(r"\\\[([-+]?\d[\d.,]*, [-+]?\d[\d.,]*)\\\](?!\()")  # an interval is no link
_MISSING = "{} more lines: see the report."
_SPACE = "\u200b"  # has no width: parts what would be taken for a mention or an issue


def code(name: str) -> str:
    """*name* as a code span that is safe in a table: no pipe, backtick, mention or issue in it."""
    name = _cut(name, _NAME_LIMIT).replace("`", "'").replace("|", "\u00a6")
    return f"`{_parted(name)}`" if name else ""


def plain(text: str) -> str:
    """*text* with nothing left that Markdown, HTML or the host would act upon."""
    text = escape(_cut(text, _TEXT_LIMIT), quote=False)
    text = re.sub(r"([\\`*_~\[\]#|])", r"\\\1", text)
    return _parted(_NUMBERS.sub(r"[\1]", text))


def joined(texts: Iterable[str]) -> str:
    """All of *texts*, plain, in one line."""
    return "; ".join(map(plain, texts))


def fenced(command: str) -> Iterator[str]:
    """A code block that *command* cannot close, and from which it can be copied as it stands."""
    longest = max(map(len, re.findall(r"`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}console"
    yield one_line(command)
    yield fence


def fold(title: str, lines: Iterable[str], room: int) -> str:
    """A folded block of at most *room* characters; "" where not even its title fits."""
    head = f"<details><summary>{escape(title)}</summary>\n\n"
    foot = "\n\n</details>\n\n"
    kept = list(within(list(lines), room - len(head) - len(foot)))
    return head + "\n".join(kept) + foot if kept else ""


def within(lines: Sequence[str], room: int) -> Iterator[str]:
    """As many of *lines* as *room* characters hold, and how many are missing."""
    room -= len("\n\n") + len(_MISSING)
    for place, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            yield ""
            yield _MISSING.format(len(lines) - place)
            return
        yield line


def _cut(text: str, room: int) -> str:
    text = one_line(text)
    return text if len(text) <= room else text[: room - 1] + "…"


def _parted(text: str) -> str:
    return re.sub(r"([@#])(?=\w)", rf"\1{_SPACE}", text)
