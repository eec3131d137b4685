"""Takes samples that arrive channel by channel: checks their time, finds their places, stores their frames."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Protocol

import numpy as np
from psycopg import OperationalError

from fleetkeeper.errors import UnavailableError
from fleetkeeper.telemetry.device_parts import NOWHERE, DeviceParts, Places
from fleetkeeper.telemetry.frames import PendingFrame, Window
from fleetkeeper.telemetry.homes import ChannelHomes, Refused, Wanted
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.samples import (
    RejectedSeries,
    SampleChannel,
    SampleColumns,
    StoredSamples,
    partial_frames,
    repeats,
)
from fleetkeeper.telemetry.writer import FrameWriter

_place = attrgetter("place")


class Noting(Protocol):
    """Whoever wants to know of frames."""

    def note(self, frame: PendingFrame) -> None:
        """A frame became durable."""
        ...


@dataclass
class SampleIntake:
    """The way of samples in one process."""

    homes: ChannelHomes
    writer: FrameWriter
    freshness: Noting
    parts: DeviceParts = field(default_factory=DeviceParts)

    async def store(self, columns: SampleColumns, window: Window) -> StoredSamples:
        """Store what is believable; durable when this returns. Raises OverloadedError and UnavailableError."""
        times = columns.times_us
        inside = (times >= window.earliest * 1e6) & (times <= window.latest * 1e6)
        rejected = []
        if not inside.all():
            rejected += _outside(columns.only(~inside), window)
            columns = columns.only(inside)
        places, refused = await self._places_of(columns)
        if refused:
            numbers = np.bincount(columns.of, minlength=len(columns.channels))
            rejected += [RejectedSeries(index, int(numbers[index]), *why) for index, why in refused.items()]
            columns = columns.only(places != NOWHERE)
            places = places[places != NOWHERE]
        # From the places to the frames nothing may be awaited: parts could be forgotten meanwhile.
        frames, counts = partial_frames(places, columns.times_us, columns.values, self.parts)
        again = repeats(places, columns.times_us, columns.of) if sum(counts) < len(places) else []
        accepted = 0
        if frames:
            changed = await self.writer.submit(frames, None) or set()
            for frame, count in zip(frames, counts, strict=True):
                self.freshness.note(frame)
                if frame.key in changed:
                    accepted += count
        rejected.sort(key=lambda item: item.index)
        return StoredSamples(accepted, len(places) - accepted, rejected, again)

    async def _places_of(self, columns: SampleColumns) -> tuple[Places, dict[int, Refused]]:
        """Each sample's place, and why some channels have none: these by their numbers."""
        channels, refused = columns.channels, dict[int, Refused]()
        self.parts.make_room()
        while True:
            found = self.parts.known(np.fromiter(map(_place, channels), np.int64, len(channels)))
            places = found[columns.of]
            missing = np.unique(columns.of[places == NOWHERE]).tolist()
            if all(index in refused for index in missing):
                return places, refused
            refused = await self._find(channels, missing)

    async def _find(self, channels: Sequence[SampleChannel], wanted: Iterable[int]) -> dict[int, Refused]:
        """Give channels their places, registering what is new; returns why some get none."""
        refused: dict[int, Refused] = {}
        by_device: dict[bytes, list[int]] = {}
        for index in wanted:
            by_device.setdefault(channels[index].device_id, []).append(index)
        for device_id, indices in by_device.items():
            # Once they are found some are called otherwise, and one may stand here several times.
            asked = [Wanted(channels[index].key, channels[index].sent_as) for index in indices]
            try:
                found = await self.homes.places(device_id, asked)
            except OperationalError:
                raise UnavailableError(
                    "The database is unavailable; nothing was stored.", retry_after_seconds=2
                ) from None
            for index, wish in zip(indices, asked, strict=True):
                channel, home = channels[index], found.homes.get(wish)
                if home is None:
                    refused[index] = found.refused[wish]
                else:
                    channel.key = home.key
                    channel.place = self.parts.place(device_id, home.plan, home.position)
        return refused


def _outside(columns: SampleColumns, window: Window) -> list[RejectedSeries]:
    """Samples whose time is not believable, by their channels."""
    problems: dict[int, list[str]] = {}
    for index, time_us in zip(columns.of.tolist(), columns.times_us.tolist(), strict=True):
        problem = window.problem_of(time_us / 1e6) or "is out of time"
        problems.setdefault(index, []).append(problem)
    return [RejectedSeries(index, len(found), Reason.TIME, found[0]) for index, found in problems.items()]
