"""The ruler above the times of the terminal's table, and a bar below it for each of them."""

import math
from collections.abc import Iterator
from itertools import count

from ormbench.report.quantities import time_text


class Scale:
    """A ruler from 0 in a whole number of round steps, drawn *columns* wide."""

    def __init__(self, step: float, most: float, columns: int) -> None:
        self.step = step
        self.most = most
        self.columns = columns

    @classmethod
    def over(cls, values: Iterator[float], columns: int) -> "Scale":
        """Make the ruler that holds *values*: at most four steps of 1, 2 or 5 times 10^n."""
        most = max(values, default=0.0) or 1.0
        power = 10.0 ** math.floor(math.log10(most))
        step = next(one * power for one in (0.2, 0.5, 1.0, 2.0, 5.0) if most / (one * power) <= 4)  # noqa: PLR2004
        return cls(step, most, columns)

    def place(self, value: float) -> int:
        """The column of *value*."""
        return round(value / self.most * (self.columns - 1))

    def bar(self, value: float) -> str:
        """As "|------o", padded to the width of the ruler."""
        end = self.place(value)
        return ("|" + "-" * (end - 1) + "o" if end else "o").ljust(self.columns)

    def ticks(self, *, plain: bool) -> str:
        """The heading: round values above their columns, as far as they have room."""
        line = "0"
        for value in (self.step * number for number in count(1)):
            text = time_text(value, plain=plain)
            start = self.place(value) - len(text) // 2 if value <= self.most else self.columns
            if start + len(text) > self.columns:
                break
            if start > len(line) + 1:
                line = line.ljust(start) + text
        return line.ljust(self.columns)
