"""Series of remote_write 2.0 as nearly all senders write them, found and read together by numpy. Pure.

Such a series has labels, one sample with or without a value (without one it is zero), and perhaps metadata.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.senders.batches import Times, Values
from fleetkeeper.telemetry.senders.remote_write import read_floats, read_milliseconds, six_bytes

# Bytes of a sample with and without a value, tag and length with them.
_FULL, _ZERO = 18, 9
# Bytes that a reference has at most; with more it is written in an unusual way.
_MAX_VARINT = 5

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class UsualSeries:
    """Which of a request's series are usual, where their references are, and what else they have."""

    numbers: Positions
    labels_start: Positions
    labels_end: Positions
    times_us: Times
    values: Values
    # Where their metadata is; there is none where it does not begin before it ends.
    metadata_start: Positions
    metadata_end: Positions


def find_usual(body: bytes, starts: Positions, ends: Positions) -> UsualSeries:
    """The usual ones of the series that stand there."""
    # What lies behind the body is looked at in vain, and never found good.
    data = np.frombuffer(body + bytes(_FULL + 2), np.uint8)
    labels_start = starts + 2
    at = labels_start + data[starts + 1].astype(np.int64)
    good = (ends - starts > 2 + _ZERO) & (data[starts] == 0x0A) & (data[starts + 1] < 0x80)
    # Labels may claim to end past the body.
    good &= at + _ZERO <= ends
    at = np.where(good, at, 0)
    good &= (data[at - 1] < 0x80) & (data[at] == 0x12)
    is_full = (data[at + 1] == _FULL - 2) & (data[at + 2] == 0x09) & (data[at + 11] == 0x10)
    is_zero = (data[at + 1] == _ZERO - 2) & (data[at + 2] == 0x10)
    time_at, stop = at + np.where(is_full, 12, 3), at + np.where(is_full, _FULL, _ZERO)
    good &= (is_full | is_zero) & six_bytes(data, time_at) & (stop <= ends)
    stop = np.where(good, stop, 0)
    has_more = stop < ends
    # Its length has one byte, and it is the last field.
    is_metadata = (stop + 2 <= ends) & (data[stop] == 0x2A) & (data[stop + 1] < 0x80)
    good &= ~has_more | (is_metadata & (stop + 2 + data[stop + 1].astype(np.int64) == ends))
    numbers = np.flatnonzero(good)
    at, time_at = at[numbers], time_at[numbers]
    return UsualSeries(
        numbers,
        labels_start[numbers],
        at,
        read_milliseconds(data, time_at) * 1000,
        np.where(is_full[numbers], read_floats(data, at + 3), 0.0),
        stop[numbers] + 2,
        ends[numbers],
    )


def read_references(joined: bytes, ends: Positions) -> tuple[list[int], list[int]] | None:
    """All varints of series whose references end there, and how many there are up to each end.

    None where one is written with needless bytes.
    """
    data = np.frombuffer(joined, np.uint8)
    is_last = data < 0x80
    last = np.flatnonzero(is_last)
    first = np.concatenate(([0], last[:-1] + 1)) if len(last) else last
    length = last - first + 1
    if len(last) and length.max() > _MAX_VARINT:
        return None
    values = data[last].astype(np.int64) << 7 * (length - 1)
    for index in range(_MAX_VARINT - 1):
        longer = np.flatnonzero(length > index + 1)
        values[longer] |= (data[first[longer] + index].astype(np.int64) & 0x7F) << 7 * index
    counts = np.concatenate(([0], np.cumsum(is_last)))
    return values.tolist(), counts[ends].tolist()
