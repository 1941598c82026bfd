"""A string of SQL as PostgreSQL reads it: its statements and their words. Pure.

As far as a count needs it: where statements end, and whether a ROLLBACK ends a transaction or
goes back to a savepoint, which the server's answer does not tell.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

_TOKEN = re.compile(
    r"""
      (?P<blank> \s+ | --[^\n]* | /\*.*?\*/ )
    | (?P<quoted> e'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
                | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag) )
    | (?P<word> [^\W\d][\w$]* )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_VERBS = {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE"}
_READERS = {"VALUES": "SELECT", "TABLE": "SELECT"}  # as the server names them in its tags


@lru_cache(maxsize=256)
def statements(sql: str) -> tuple[tuple[str, ...], ...]:
    """The statements of *sql*, each as its words outside quotes and parentheses, upper case.

    Empty ones are left out, as the server leaves them out.
    """
    found: list[tuple[str, ...]] = []
    words: list[str] = []
    empty = True
    for kind, text, depth in (*_tokens(sql), ("other", ";", 0)):
        if text == ";" and not depth:
            if not empty:
                found.append(tuple(words))
            words, empty = [], True
            continue
        empty = False
        if kind == "word" and not depth:
            words.append(text.upper())
    return tuple(found)


def _tokens(sql: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and depth in parentheses of what is neither blank nor comment."""
    depth = 0
    for match in _TOKEN.finditer(sql):
        kind, text = match.lastgroup or "", match.group()
        if kind == "blank":
            continue
        depth += (text == "(") - (text == ")")
        yield kind, text, max(depth, 0)


def verb(sql: str) -> str:
    """What the first statement does, as the server's tag would say: "SELECT" of a WITH too."""
    words = next(iter(statements(sql)), ())
    if words[:1] == ("WITH",):
        words = tuple(word for word in words if word in _VERBS)
    return _READERS.get(words[0], words[0]) if words else "SELECT"


def goes_to_savepoint(words: tuple[str, ...]) -> bool:
    """Whether a statement is ROLLBACK TO, which leaves its transaction open."""
    return words[:1] == ("ROLLBACK",) and "TO" in words[1:3]
