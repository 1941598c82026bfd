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
_MISSING = "{:,} more {}: see the report."
_MISSING_ROOM = 60  # characters that it takes, with the lines around it
_ADDRESS = re.compile(r"https?://[\w.~:/?#=&%+-]+")
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


def address(link: str) -> str:
    """*link* as Markdown shows addresses; "" where something in it could break out of its place."""
    return f"<{link}>" if _ADDRESS.fullmatch(link) else ""


def joined(texts: Iterable[str], room: int = 4_000) -> str:
    """As many of *texts* as *room* characters hold, plain, in a line; and how many are missing."""
    known = [plain(one) for one in texts]
    kept: list[str] = []
    for one in known:
        room -= len(one) + 2
        if room < 0:
            return "; ".join([*kept, f"{len(known) - len(kept):,} more: see the report"])
        kept.append(one)
    return "; ".join(kept)


def fenced(command: str) -> Iterator[str]:
    """A code block that *command* cannot close, and from which it can be copied as it stands."""
    longest = max(map(len, re.findall(r"`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}console"
    yield one_line(command)
    yield fence


def fold(title: str, lines: Iterable[str], room: int) -> str:
    """A folded block of at most *room* characters; "" where not even one row of it fits."""
    head = f"<details><summary>{escape(title)}</summary>\n\n"
    foot = "\n\n</details>\n\n"
    kept = within(list(lines), room - len(head) - len(foot))
    return head + "\n".join(kept) + foot if kept else ""


def within(lines: Sequence[str], room: int) -> list[str]:
    """As many of *lines* as *room* characters hold, and how many rows are missing.

    They end with a row, never with the head of a table; [] where not one row fits.
    """
    if sum(len(one) + 1 for one in lines) <= room:
        return list(lines)
    rows, room = _are_rows(lines), room - _MISSING_ROOM
    whole = 0  # lines, up to the last row that fits
    for place, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            break
        whole = place + 1 if rows[place] else whole
    missing = sum(rows[whole:])
    more = ["", _MISSING.format(missing, "row" if missing == 1 else "rows")] if missing else []
    return [*lines[:whole], *more] if whole else []


def count_rows(lines: Sequence[str]) -> int:
    """How many of *lines* are a row of a table or an item of a list."""
    return sum(_are_rows(lines))


def _are_rows(lines: Sequence[str]) -> list[bool]:
    """Of each line whether it tells something by itself: no head, caption or empty line does."""
    heads = [line.startswith("|---") for line in (*lines[1:], "")]
    return [
        line.startswith(("- ", "| ")) and not head
        for line, head in zip(lines, heads, strict=False)  # of no lines, one head is left over
    ]


def _cut(text: str, room: int) -> str:
    text = one_line(text)
    return text if len(text) <= room else text[: room - 1] + "…"


def _parted(text: str) -> str:
    return re.sub(r"([@#])(?=\w)", rf"\1{_SPACE}", text)
