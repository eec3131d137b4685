"""Samples that arrive channel by channel, as monitoring systems send them, put together to partial frames. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.chunks.codec import is_missing, missing
from fleetkeeper.telemetry.device_parts import NOWHERE, POSITIONS, DeviceParts, Places
from fleetkeeper.telemetry.frames import PendingFrame
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.resample import Times, Values


@dataclass(slots=True, eq=False, kw_only=True)
class SampleChannel:
    """A channel of a device. `key` is the wire's spelling of the metric and its labels.

    `sent_as` is what its sender calls it, where that is not its name here: what is sent under another name is another
    channel. Who sends to it again does best to keep the object: once it has a place, it is not looked for again.
    """

    device_id: bytes = b""
    key: str = ""
    sent_as: str = ""
    place: int = NOWHERE


@dataclass(slots=True)
class SampleColumns:
    """A request's samples: sample `i` belongs to `channels[of[i]]`. Of two of one channel and moment the first counts.

    Two channels may be the same one.
    """

    channels: Sequence[SampleChannel]
    of: NDArray[np.int64]
    times_us: Times
    values: Values

    def only(self, kept: Any) -> "SampleColumns":
        """Some of the samples, by their numbers or a mask."""
        return SampleColumns(self.channels, self.of[kept], self.times_us[kept], self.values[kept])


@dataclass(slots=True)
class SampleSeries:
    """Samples of one channel of one device."""

    device_id: bytes
    key: str
    times_us: Times
    values: Values


def columns_of(series: Sequence[SampleSeries]) -> SampleColumns:
    """The samples of some series; the channels have the order of these."""
    return SampleColumns(
        [SampleChannel(device_id=item.device_id, key=item.key) for item in series],
        np.repeat(np.arange(len(series)), [len(item.times_us) for item in series]),
        np.concatenate([np.empty(0, np.int64), *(item.times_us for item in series)]),
        np.concatenate([np.empty(0, np.float64), *(item.values for item in series)]),
    )


@dataclass(frozen=True, slots=True)
class RejectedSeries:
    """Samples that were not stored: of which channel, how many, and why."""

    index: int
    samples: int
    reason: Reason
    sentence: str


@dataclass(frozen=True, slots=True)
class StoredSamples:
    """What became of a request's samples: each is accepted, a duplicate, or rejected.

    Duplicates are those of moments at which nothing new was told, and those that came behind another of their channel
    and moment in the same request: these are `repeated` too, as pairs of their channel's and the other one's number.
    """

    accepted: int
    duplicates: int
    rejected: list[RejectedSeries]
    repeated: Sequence[tuple[int, int]] = ()


def partial_frames(
    places: Places, times_us: Times, values: Values, parts: DeviceParts
) -> tuple[list[PendingFrame], list[int]]:
    """The frames that hold these samples, each of which has a known place, and how many values each holds."""
    if not len(places):
        return [], []
    numbers, positions = places // POSITIONS, places % POSITIONS
    order = np.lexsort((times_us, numbers))
    begins = np.ones(len(order), bool)
    begins[1:] = (np.diff(numbers[order]) != 0) | (np.diff(times_us[order]) != 0)
    frame_of = np.empty(len(order), np.int64)
    frame_of[order] = np.cumsum(begins) - 1
    firsts = order[begins]
    cells = missing(len(firsts) * POSITIONS)
    # Of two values for a cell the one that is set last stays. Not by slices, which numpy may turn round again.
    backwards = np.arange(len(values))[::-1].copy()
    cells[(frame_of * POSITIONS + positions)[backwards]] = values[backwards]
    rows = cells.reshape(-1, POSITIONS)
    frames = []
    for number, ts_us, row in zip(numbers[firsts].tolist(), times_us[firsts].tolist(), rows, strict=True):
        part = parts.part(number)
        plan = part.plan
        frames.append(PendingFrame(part.device_id, ts_us, plan, row[: plan.size], plan.layout_id))
    return frames, (~is_missing(rows)).sum(axis=1).tolist()


def repeats(places: Places, times_us: Times, of: NDArray[np.int64]) -> list[tuple[int, int]]:
    """For each sample behind another one of its place and moment: its channel, and that of the first."""
    order = np.lexsort((np.arange(len(places)), times_us, places))
    begins = np.ones(len(order), bool)
    begins[1:] = (np.diff(places[order]) != 0) | (np.diff(times_us[order]) != 0)
    firsts = order[begins][np.cumsum(begins) - 1]
    later = ~begins
    return list(zip(of[order[later]].tolist(), of[firsts[later]].tolist(), strict=True))


def united(frames: Sequence[PendingFrame]) -> list[PendingFrame]:
    """One frame for each key, in their order, with the values of all that have it; the first one's count."""
    by_key: dict[tuple[bytes, int, int], PendingFrame] = {}
    for frame in frames:
        first = by_key.get(frame.key)
        if first is None:
            by_key[frame.key] = frame
        else:
            values = np.where(is_missing(first.values), frame.values, first.values)
            by_key[frame.key] = PendingFrame(frame.device_id, frame.ts_us, frame.plan, values, frame.part)
    return [by_key[key] for key in sorted(by_key)]
