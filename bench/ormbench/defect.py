"""What is known to break a lane on a target: then its error is a result, and no other error is."""

from dataclasses import dataclass

from ormbench.errors import UsageError

_FEWEST = 2  # words: one alone, as the name of an exception, says too little


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect of a driver or a server, and words of the error that it causes.

    *error* stands in that error's text as it is; of several drivers' words, each may. Raises
    UsageError where it is a single word: that stands in other errors, too.
    """

    what: str  # with a link
    error: str | tuple[str, ...]

    def __post_init__(self) -> None:
        if short := [one for one in self._words if len(one.split()) < _FEWEST]:
            raise UsageError(f"Defect error={short[0]!r} is not the error's alone: give more of it")

    @property
    def _words(self) -> tuple[str, ...]:
        return (self.error,) if isinstance(self.error, str) else self.error

    def explains(self, words: str) -> bool:
        """Whether *words* are those of the error that it causes."""
        return any(one in words for one in self._words)
