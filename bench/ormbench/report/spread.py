"""Keeps the names at the ends of lines apart, each as near to its own line as can be. Pure."""

import statistics
from collections.abc import Sequence


def spread(heights: Sequence[float], pitch: float, room: float) -> list[float]:
    """*heights* moved as little as keeps them *pitch* apart, in order, and between 0 and *room*.

    Those that are too close become a heap around their mean; heaps that meet become one.
    """
    heaps: list[list[int]] = []

    def foot(heap: list[int]) -> float:
        middle = statistics.fmean(heights[place] for place in heap)
        tall = (len(heap) - 1) * pitch
        return max(0.0, min(middle - tall / 2, room - tall))

    for place in sorted(range(len(heights)), key=lambda place: heights[place]):
        heaps.append([place])
        while len(heaps) > 1 and foot(heaps[-1]) < foot(heaps[-2]) + len(heaps[-2]) * pitch:
            upper = heaps.pop()
            heaps[-1] += upper
    found = {place: foot(heap) + n * pitch for heap in heaps for n, place in enumerate(heap)}
    return [found[place] for place in range(len(heights))]
