"""What counters counted within each bucket, so that rates of long ranges need no samples. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    """The buckets between neighbouring edges of these channels; None without any. No channel stands in two blocks."""
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
    """The columns one after another, behind their lengths."""
    # Channels are measured together: bucket by bucket their times are the same.
    flat = (getattr(counters, name).T.ravel() for name in _COLUMNS)
    parts = [codec.pack(column) for column in flat]
    return np.array([len(part) for part in parts], ">i4").tobytes() + b"".join(parts)


def unpack_counters(packed: bytes) -> Counters:
    """The counters again."""
    head = 4 * len(_COLUMNS)
    edges = np.cumsum([head, *np.frombuffer(packed, ">i4", len(_COLUMNS)).tolist()]).tolist()
    channel_ids, *columns = (codec.unpack(packed[low:high]) for low, high in pairwise(edges))
    return Counters(channel_ids, *(column.reshape(-1, len(channel_ids)).T for column in columns))


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
