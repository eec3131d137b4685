"""A source of samples in memory, with the matchers' meaning spelled out."""

from collections.abc import Sequence

import numpy as np

from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.promql.labels import label_value, make_labels
from fleetkeeper.telemetry.promql.source import Fetch, SourceSeries


class MemorySource:
    """Holds series; counts how often it was asked."""

    def __init__(self, series: Sequence[SourceSeries] = ()) -> None:
        self.series = list(series)
        self.asked: list[tuple[tuple[Matcher, ...], int, int]] = []

    def add(self, labels: dict[str, str], samples: Sequence[tuple[float, float]]) -> None:
        """Add a series; times in seconds."""
        times = np.array([round(time * 1_000_000) for time, _ in samples], np.int64)
        self.series.append(
            SourceSeries(make_labels(labels), times, np.array([value for _, value in samples], float))
        )

    async def select(self, wanted: Sequence[Fetch]) -> list[list[SourceSeries]]:
        return [self._select(*item) for item in wanted]

    def _select(self, matchers: Sequence[Matcher], start_us: int, end_us: int) -> list[SourceSeries]:
        self.asked.append((tuple(matchers), start_us, end_us))
        found = []
        for item in self.series:
            if all(matcher.matches(label_value(item.labels, matcher.name)) for matcher in matchers):
                low, high = item.times.searchsorted([start_us, end_us])
                if high > low:
                    found.append(SourceSeries(item.labels, item.times[low:high], item.values[low:high]))
        return found
