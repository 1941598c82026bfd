"""An isolation level, as one word, and where it is set.

    serializable             on the engine: each connection has it from the start
    serializable:connection  on a connection for each checkout, as one engine's exceptions are

Pure.
"""

from dataclasses import dataclass
from typing import Literal

Level = Literal["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
Scope = Literal["engine", "connection"]
LEVELS: tuple[Level, ...] = (
    "READ UNCOMMITTED",
    "READ COMMITTED",
    "REPEATABLE READ",
    "SERIALIZABLE",
)


def word(level: Level) -> str:
    """How a level is written: ``read-committed``."""
    return level.lower().replace(" ", "-")


_WORDS: dict[str, Level] = {word(level): level for level in LEVELS}
_ON_CONNECTION = ":connection"
EXPECTED = f"one of {', '.join(_WORDS)}, with {_ON_CONNECTION} where each checkout sets it"


@dataclass(frozen=True, slots=True)
class Isolation:
    """A level and where it is set."""

    level: Level
    scope: Scope = "engine"

    @property
    def word(self) -> str:
        """As it is written."""
        return word(self.level) + (_ON_CONNECTION if self.scope == "connection" else "")


def parse(given: str) -> Isolation:
    """The isolation of a word, however its letters and spaces are written.

    Raises ValueError that says what is expected.
    """
    plain = given.lower().replace(" ", "-")
    bare = plain.removesuffix(_ON_CONNECTION)
    if bare not in _WORDS:
        raise ValueError(EXPECTED)
    return Isolation(_WORDS[bare], "engine" if bare == plain else "connection")
