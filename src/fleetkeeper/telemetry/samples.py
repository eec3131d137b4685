"""Samples that arrive series by series, as monitoring systems send them, put together to partial frames. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleetkeeper.telemetry.chunks.codec import is_missing, missing
from fleetkeeper.telemetry.frames import PendingFrame
from fleetkeeper.telemetry.homes import Home
from fleetkeeper.telemetry.resample import Times, Values


@dataclass(slots=True)
class SampleSeries:
    """Samples of one channel of one device. `key` is the wire's spelling of the metric and its labels."""

    device_id: bytes
    key: str
    times_us: Times
    values: Values


@dataclass(frozen=True, slots=True)
class RejectedSeries:
    """Samples that were not stored: of which series, how many, and why."""

    index: int
    samples: int
    reason: str


@dataclass(frozen=True, slots=True)
class StoredSamples:
    """What became of a request's samples. Duplicates are those of moments at which nothing new was told."""

    accepted: int
    duplicates: int
    rejected: list[RejectedSeries]


def partial_frames(placed: Sequence[tuple[SampleSeries, Home]]) -> list[PendingFrame]:
    """The frames that hold these samples; of two values of one channel and moment the first counts."""
    groups: dict[tuple[bytes, int], list[tuple[SampleSeries, Home]]] = {}
    for item in placed:
        groups.setdefault((item[0].device_id, item[1].plan.layout_id), []).append(item)
    frames: list[PendingFrame] = []
    for (device_id, layout_id), members in groups.items():
        plan = members[0][1].plan
        whole = _of_one_moment(members)
        if whole is not None:
            moment, values = whole
            frames.append(PendingFrame(device_id, moment, plan, values, layout_id))
            continue
        times = np.unique(np.concatenate([series.times_us for series, _ in members]))
        cells = missing(len(times) * plan.size).reshape(len(times), plan.size)
        for series, home in reversed(members):
            cells[np.searchsorted(times, series.times_us[::-1]), home.position] = series.values[::-1]
        frames += [
            PendingFrame(device_id, ts_us, plan, row, layout_id)
            for ts_us, row in zip(times.tolist(), cells, strict=True)
        ]
    return frames


def _of_one_moment(members: Sequence[tuple[SampleSeries, Home]]) -> tuple[int, Values] | None:
    """The moment and values of series with one sample each, all of one moment: what a scrape brings."""
    times = np.concatenate([series.times_us for series, _ in members])
    moment = times.item(0)
    if len(times) != len(members) or (times != moment).any():
        return None
    whole = missing(members[0][1].plan.size)
    # Of two values for a place the one that is set last stays.
    places = [home.position for _, home in reversed(members)]
    whole[places] = np.concatenate([series.values for series, _ in reversed(members)])
    return moment, whole


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


def count_values(frame: PendingFrame) -> int:
    """How many values a partial frame holds."""
    return int((~is_missing(frame.values)).sum())
