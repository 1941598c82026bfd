"""What a lane is given to work with, as its recorded source says. Pure.

A lane's first parameter decides it, and a record keeps the lane's source and nothing else of that.
The terminal has that source in one line, so it is searched and not parsed.
"""

import re

_SESSIONS = ("session", "sessions")
_FIRST = re.compile(r"\bdef\s+\w+\s*\(\s*(\w+)")


def receives(source: str) -> str:
    """The name of the first parameter of the first function in *source*; "" if it has none."""
    found = _FIRST.search(source)
    return found.group(1) if found else ""


def has_session(source: str) -> bool:
    """Whether the lane is given a Session, or what makes one."""
    return receives(source) in _SESSIONS
