"""Takes samples that arrive series by series: checks their time, finds their homes, stores them as partial frames."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg_pool import PoolTimeout

from fleetkeeper.errors import UnavailableError
from fleetkeeper.telemetry.frames import Window
from fleetkeeper.telemetry.freshness import Freshness
from fleetkeeper.telemetry.homes import ChannelHomes, Home
from fleetkeeper.telemetry.samples import (
    RejectedSeries,
    SampleSeries,
    StoredSamples,
    count_values,
    partial_frames,
)
from fleetkeeper.telemetry.writer import FrameWriter


@dataclass
class SampleIntake:
    """The way of samples in one web process."""

    homes: ChannelHomes
    writer: FrameWriter
    freshness: Freshness

    async def store(self, series: Sequence[SampleSeries], window: Window) -> StoredSamples:
        """Store what is believable; durable when this returns. Raises OverloadedError and UnavailableError."""
        rejected: list[RejectedSeries] = []
        timely: dict[bytes, list[tuple[int, SampleSeries]]] = {}
        earliest_us, latest_us = window.earliest * 1e6, window.latest * 1e6
        for index, item in enumerate(series):
            kept = _within(item, earliest_us, latest_us)
            if kept is not item:
                rejected.append(_outside(index, item, window))
            if len(kept.times_us):
                timely.setdefault(item.device_id, []).append((index, kept))
        placed = await self._place(timely, rejected)
        frames = partial_frames(placed)
        duplicates = 0
        if frames:
            changed = await self.writer.submit(frames, None) or set()
            for frame in frames:
                self.freshness.note(frame)
                if frame.key not in changed:
                    duplicates += count_values(frame)
        total = sum(count_values(frame) for frame in frames)
        return StoredSamples(total - duplicates, duplicates, sorted(rejected, key=lambda item: item.index))

    async def _place(
        self, timely: dict[bytes, list[tuple[int, SampleSeries]]], rejected: list[RejectedSeries]
    ) -> list[tuple[SampleSeries, Home]]:
        placed = []
        for device_id, items in timely.items():
            try:
                places = await self.homes.places(device_id, [item.key for _, item in items])
            except PoolTimeout:
                raise UnavailableError(
                    "The database is away; nothing was stored.", retry_after_seconds=2
                ) from None
            for index, item in items:
                home = places.homes.get(item.key)
                if home is not None:
                    placed.append((item, home))
                else:
                    rejected.append(RejectedSeries(index, len(item.times_us), places.refused[item.key]))
        return placed


def _within(series: SampleSeries, earliest_us: float, latest_us: float) -> SampleSeries:
    """The samples whose time is believable; the same object when all are."""
    times = series.times_us
    if len(times) == 1:
        # What scrapes bring, thousands at a time: an array's operations would cost more than all the rest.
        is_inside = earliest_us <= times.item(0) <= latest_us
        return (
            series if is_inside else SampleSeries(series.device_id, series.key, times[:0], series.values[:0])
        )
    inside = (times >= earliest_us) & (times <= latest_us)
    if inside.all():
        return series
    return SampleSeries(series.device_id, series.key, times[inside], series.values[inside])


def _outside(index: int, series: SampleSeries, window: Window) -> RejectedSeries:
    problems = [problem for ts in series.times_us.tolist() if (problem := window.problem_of(ts / 1e6))]
    return RejectedSeries(index, len(problems), problems[0] if problems else "is out of time")
