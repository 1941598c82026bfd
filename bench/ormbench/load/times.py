"""The times of an arm's recorded operations, as histograms of its trial."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ormbench.load.histogram import Histogram
from ormbench.load.loop import Recorded


@dataclass(frozen=True, slots=True)
class Times:
    """Service and response times and start lags, in ns, of all slices so far."""

    service: Histogram = field(default_factory=Histogram)
    response: Histogram = field(default_factory=Histogram)
    start_lag: Histogram = field(default_factory=Histogram)

    def record(self, recorded: Sequence[Recorded]) -> int:
        """Add what each client recorded in a slice; the sum of its service times."""
        for one in recorded:
            self.service.record(one.service)
            self.start_lag.record(one.start_lag)
            pairs = zip(one.service, one.start_lag, strict=False)
            self.response.record(service + lag for service, lag in pairs)
        return sum(sum(one.service) for one in recorded)

    def encoded(self) -> dict[str, str]:
        """Each histogram by its name; empty where it holds nothing."""
        return {
            name: histogram.encode() if histogram.count else ""
            for name, histogram in (
                ("service", self.service),
                ("response", self.response),
                ("start_lag", self.start_lag),
            )
        }
