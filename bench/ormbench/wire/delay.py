"""The delay line: what is put in comes out in the same order, a fixed time later. Pure."""

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Chunk:
    """Bytes that arrived together; none of them: their sender said its last."""

    arrived: int  # ns of a clock that only goes forwards
    due: int
    data: memoryview


class DelayLine:
    """A queue in which many chunks may be under way at once."""

    __slots__ = ("_chunks", "delay_ns", "size")

    def __init__(self, delay_ns: int) -> None:
        self.delay_ns = delay_ns
        self.size = 0  # bytes in it
        self._chunks: deque[Chunk] = deque()

    def __bool__(self) -> bool:
        """Whether there is anything in it."""
        return bool(self._chunks)

    def put(self, arrived: int, data: bytes) -> int:
        """Add a chunk; when it is due."""
        due = arrived + self.delay_ns
        self._chunks.append(Chunk(arrived, due, memoryview(data)))
        self.size += len(data)
        return due

    def ripe(self, now: int) -> Chunk | None:
        """The oldest chunk, or what is left of it, if it is due."""
        if self._chunks and self._chunks[0].due <= now:
            return self._chunks[0]
        return None

    def drop(self, size: int) -> None:
        """Take *size* bytes off the oldest chunk, and the chunk out once it is empty."""
        oldest = self._chunks[0]
        oldest.data = oldest.data[size:]
        self.size -= size
        if not oldest.data:
            self._chunks.popleft()

    def clear(self) -> None:
        """Forget everything in it."""
        self._chunks.clear()
        self.size = 0
