"""Times in an HDR histogram: recorded after the slice, stored as text, merged over trials.

The text is the standard HDR V2 encoding (compressed, base64), which other tools read as well.
Range 1 ns to 1 hour at 3 significant digits: a percentile is right to 0.1 %.
"""

import binascii
import zlib
from collections.abc import Iterable

from hdrh.codec import HdrCookieException, HdrHistogramSettingsException, HdrLengthException
from hdrh.histogram import HdrHistogram

LOWEST_NS = 1
HIGHEST_NS = 3_600_000_000_000  # one hour
_SIGNIFICANT = 3
_ENOUGH_ABOVE = 10  # times above a percentile before it says more than the largest few do

_UNREADABLE = (
    binascii.Error,
    zlib.error,
    ValueError,
    HdrCookieException,
    HdrHistogramSettingsException,
    HdrLengthException,
)


class Histogram:
    """Counts of times in nanoseconds.

    A time beyond the range is counted at the range's end: an operation of two hours is shown as
    one of at least an hour, but it never goes missing from the tail.
    """

    def __init__(self) -> None:
        self._counts = HdrHistogram(LOWEST_NS, HIGHEST_NS, _SIGNIFICANT)

    @property
    def count(self) -> int:
        """How many times were recorded."""
        return int(self._counts.total_count)

    def record(self, values: Iterable[int]) -> None:
        """Count each of *values*, in nanoseconds."""
        record_value = self._counts.record_value
        for value in values:
            record_value(min(max(value, LOWEST_NS), HIGHEST_NS))

    def merge(self, other: "Histogram") -> None:
        """Add the counts of *other* to these."""
        self._counts.add(other._counts)  # noqa: SLF001 - the other one is of this class

    def supports(self, q: float) -> bool:
        """Whether percentile *q* (99.9) has at least ten times above it: n (1 - q) >= 10."""
        return self.count * (100 - q) / 100 >= _ENOUGH_ABOVE - 1e-6  # 99.9 is no binary fraction

    def percentile(self, q: float) -> int:
        """The time that *q* percent of the operations (0 < q <= 100) did not exceed.

        Raises ValueError where nothing was recorded: an empty histogram has no percentiles.
        """
        if not self.count:
            raise ValueError("an empty histogram has no percentiles")
        return int(self._counts.get_value_at_percentile(q))

    def encode(self) -> str:
        """HDR V2, compressed, base64."""
        return str(self._counts.encode().decode("ascii"))

    @classmethod
    def merged(cls, texts: Iterable[str]) -> "Histogram":
        """One of many encoded ones; empty texts add nothing. Raises ValueError on others."""
        histogram = cls()
        for text in texts:
            if text:
                histogram.merge(cls.decode(text))
        return histogram

    @classmethod
    def decode(cls, text: str) -> "Histogram":
        """Read what `encode` wrote. Raises ValueError where *text* is no histogram."""
        histogram = cls()
        try:
            histogram._counts.decode_and_add(text)
        except _UNREADABLE as error:
            raise ValueError(f"what is not an HDR V2 histogram: {text[:20]!r}") from error
        return histogram
