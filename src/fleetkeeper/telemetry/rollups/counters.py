"""What counters counted within each bucket, so that rates of long ranges need no samples. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.chunks import codec
from fleetkeeper.telemetry.chunks.blocks import Block
from fleetkeeper.telemetry.resample import Times, Values

_COLUMNS = ("channel_ids", "firsts", "excesses", "first_times", "last_times")
# Sums of differences are off by some roundings.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Counters:
    """Counters in buckets: all but the channels are (channels, buckets), and mean nothing where no sample is.

    `firsts` are values. `excesses` say by how much more was counted than from the first sample to the last: something
    where a counter began again, and nothing elsewhere. Times are of the first and the last sample: microseconds since
    the bucket's start.
    """

    channel_ids: NDArray[np.int32]
    firsts: Values
    excesses: Values
    first_times: Times
    last_times: Times


def increases_between(before: Values, after: Values) -> Values:
    """From samples to those after them. A counter that is lower than before began again at zero."""
    with np.errstate(invalid="ignore"):
        return np.where(after < before, after, after - before)


def counters_of(blocks: Sequence[Block], edges: Times, channels: Collection[int]) -> Counters | None:
    """The buckets between neighboring edges of these channels; None without any. No channel stands in two blocks."""
    held = sorted((channel, block) for block in blocks for channel in block.columns.keys() & set(channels))
    if not held:
        return None
    shape = len(held), len(edges) - 1
    found = Counters(
        np.array([channel for channel, _ in held], np.int32),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape, np.int64),
        np.zeros(shape, np.int64),
    )
    for row, (channel, block) in enumerate(held):
        numbers = ~np.isnan(block.columns[channel])
        times, values = block.times[numbers], block.columns[channel][numbers]
        place = np.searchsorted(edges, times, side="right") - 1
        if not len(times):
            continue
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        ends = np.append(starts[1:], len(place)) - 1
        buckets = place[starts]
        inner = place[1:] == place[:-1]
        increases = increases_between(values[:-1], values[1:])
        counted = np.bincount(place[1:][inner], weights=increases[inner], minlength=shape[1])[buckets]
        firsts, lasts = values[starts], values[ends]
        with np.errstate(invalid="ignore"):
            excesses = counted - (lasts - firsts)
        excesses[np.abs(excesses) <= _ROUNDING * np.abs(lasts)] = 0
        found.firsts[row, buckets] = firsts
        found.excesses[row, buckets] = excesses
        found.first_times[row, buckets] = times[starts] - edges[buckets]
        found.last_times[row, buckets] = times[ends] - edges[buckets]
    return found


def pack_counters(counters: Counters) -> bytes:
    """The channels, then the compressed columns behind their lengths; excesses are left out where all are nothing."""
    # Channels are measured together: bucket by bucket their times are the same.
    times = np.stack([counters.first_times.T, counters.last_times.T])
    columns = (counters.firsts, counters.excesses if counters.excesses.any() else None, times)
    parts = [b"" if column is None else codec.pack(column.ravel()) for column in columns]
    head = np.array([len(counters.channel_ids), *map(len, parts[:2])], ">i4")
    return b"".join((head.tobytes(), counters.channel_ids.astype(">i4").tobytes(), *parts))


def unpack_counters(packed: bytes) -> Counters:
    """The counters again."""
    number, *lengths = np.frombuffer(packed, ">i4", 3).tolist()
    channel_ids = np.frombuffer(packed, ">i4", number, 12).astype(np.int32)
    edges = np.cumsum([12 + 4 * number, *lengths]).tolist()
    firsts = codec.unpack(packed[edges[0] : edges[1]]).reshape(number, -1)
    excesses = np.zeros(firsts.shape)
    if lengths[1]:
        excesses = codec.unpack(packed[edges[1] : edges[2]]).reshape(number, -1)
    first_times, last_times = codec.unpack(packed[edges[2] :]).reshape(2, -1, number)
    return Counters(channel_ids, firsts, excesses, first_times.T, last_times.T)


def chosen_counters(counters: Counters, channels: Collection[int]) -> Counters | None:
    """Those of some channels; None when none of them is there."""
    wanted = np.isin(counters.channel_ids, list(channels))
    if not wanted.any():
        return None
    return Counters(*(getattr(counters, name)[wanted] for name in _COLUMNS))


def joined_counters(parts: Sequence[Counters]) -> Counters | None:
    """Counters side by side, in the order of their channels. No channel stands in two parts."""
    if not parts:
        return None
    order = np.argsort(np.concatenate([part.channel_ids for part in parts]))
    return Counters(*(np.concatenate([getattr(part, name) for part in parts])[order] for name in _COLUMNS))
