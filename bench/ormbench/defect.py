"""What is known to break a lane on a target: then its error is a result, and no other error is."""

import re
from dataclasses import dataclass

from ormbench.errors import UsageError


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect of a driver or a server. Raises UsageError where *error* matches anything at all.

    *error* is a regular expression found in the words of the error, "TypeError: no such file".
    """

    what: str  # with a link
    error: str

    def __post_init__(self) -> None:
        try:
            matches_all = bool(re.search(self.error, ""))
        except re.error as found:
            raise UsageError(f"Defect error={self.error!r} is no expression: {found}") from None
        if matches_all:
            raise UsageError(f"Defect error={self.error!r} fits any error: name words of this one")

    def explains(self, words: str) -> bool:
        """Whether *words* are those of the error that it causes."""
        return re.search(self.error, words) is not None
