r"""Which statement an SQL text is, named by the word that MySQL's and MariaDB's `Com_*` go by.

It is the first word behind comments and parentheses, but for those that both servers count as
another: WITH and EXPLAIN by the verb that follows (`WITH .. SELECT` is a SELECT in `Com_select`),
TABLE and VALUES as SELECT, START TRANSACTION as BEGIN, DESCRIBE t as SHOW. What `/*!` opens is
executed, whatever version it names. Strings are read as with backslash escapes.
"""

import re
from collections.abc import Iterator

_COMMENT = rb"/\*(?!M?!).*?\*/|--(?=[\s\x00]|\Z)[^\n]*|#[^\n]*"
_LEAD = re.compile(rb"(?:[\s(]++|" + _COMMENT + rb"|/\*M?!\d*)*+", re.DOTALL)
_QUOTED = rb"""'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+"|`[^`]*+`"""
_STATEMENT = re.compile(
    rb"(?:[^;'\"`/#-]++|" + _QUOTED + rb"|" + _COMMENT + rb"|['\"`/-])*+", re.DOTALL
)
_PART = re.compile(_QUOTED + rb"|" + _COMMENT + rb"|[\w$@]+|[()]", re.DOTALL)
_WORD = re.compile(rb"\w+")
_BLOCK = re.compile(rb"BEGIN\s+NOT\s", re.IGNORECASE)

COMPOUND = "COMPOUND"  # MariaDB's BEGIN NOT ATOMIC .. END
_VERBS = {b"SELECT", b"INSERT", b"UPDATE", b"DELETE", b"REPLACE"}
_ALIKE = {"START": "BEGIN", "TABLE": "SELECT", "VALUES": "SELECT"}
_WITHOUT_VERB = {  # of words that a verb follows: what it is where none does
    "WITH": "SELECT",
    "EXPLAIN": "SHOW",
    "DESCRIBE": "SHOW",
    "DESC": "SHOW",
    "ANALYZE": "ANALYZE",
}


def word(sql: bytes) -> str:
    """The word of the first statement in *sql*, upper case; "" where there is none."""
    return _named(sql, _LEAD.match(sql).end())  # type: ignore[union-attr]  # matches nothing too


def words(sql: bytes) -> Iterator[str]:
    """The words of all statements in *sql*, in order; "" where nothing stands between two `;`."""
    at = 0
    while at <= len(sql):
        begin = _LEAD.match(sql, at).end()  # type: ignore[union-attr]  # likewise
        named = _named(sql, begin)
        yield named
        if named == COMPOUND:
            return  # its semicolons are its own
        at = _STATEMENT.match(sql, at).end() + 1  # type: ignore[union-attr]  # likewise


def _named(sql: bytes, at: int) -> str:
    found = _WORD.match(sql, at)
    first = found[0].decode("utf-8", "replace").upper() if found else ""
    if first in _WITHOUT_VERB:
        return _verb(sql, at) or _WITHOUT_VERB[first]
    if first == "SET" and sql[at:].split(None, 2)[1:2] in ([b"STATEMENT"], [b"statement"]):
        return _verb(sql, at) or first
    if _BLOCK.match(sql, at):
        return COMPOUND
    return _ALIKE.get(first, first)


def _verb(sql: bytes, at: int) -> str:
    """The first verb outside parentheses."""
    depth = 0
    for part in _PART.finditer(sql, at):
        text = part[0].upper()
        depth += (text == b"(") - (text == b")")
        if not depth and text in _VERBS:
            return text.decode()
    return ""
