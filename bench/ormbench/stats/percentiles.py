"""Percentiles of a cell, from the histograms of its trials, and only those that n supports."""

from collections.abc import Iterable

from ormbench.load.histogram import Histogram

SHOWN = (50.0, 90.0, 95.0, 99.0, 99.9, 99.99)


def merged(texts: Iterable[str]) -> Histogram:
    """One histogram of many encoded ones; empty texts add nothing. Raises ValueError on others."""
    histogram = Histogram()
    for text in texts:
        if text:
            histogram.merge(Histogram.decode(text))
    return histogram


def percentiles(histogram: Histogram) -> tuple[tuple[float, int], ...]:
    """(percentile, nanoseconds) of those in `SHOWN` that the count supports, in rising order."""
    return tuple((q, histogram.percentile(q)) for q in SHOWN if histogram.supports(q))
