"""Turn numbers of a block: none is given out twice, so no two operations have the same inputs."""


class Turns:
    """The numbers that are still to be given out."""

    def __init__(self) -> None:
        self._next = 0

    def take(self, count: int) -> int:
        """The first of *count* fresh numbers."""
        first, self._next = self._next, self._next + count
        return first
