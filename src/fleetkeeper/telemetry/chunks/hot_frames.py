"""Frames as the server packs them: many rows' arrays as one of two dimensions, by `array_send`. Pure."""

import struct
from collections.abc import Sequence

import numpy as np

from fleetkeeper.telemetry.chunks.blocks import Block
from fleetkeeper.telemetry.frames import POSTGRES_EPOCH_SECONDS
from fleetkeeper.telemetry.resample import Times, Values

# How many dimensions, whether there is a NULL, and the type of the elements; then 8 bytes for each dimension.
_HEAD = 12
_DIMENSION = 8
_TIME = np.dtype([("length", ">i4"), ("value", ">i8")])
_VALUE = np.dtype([("length", ">i4"), ("value", ">f8")])
# So many rows are turned at once: what is read of them and what is written stays in the processor's cache.
_ROWS_AT_ONCE = 256


def unpack_times(packed: bytes) -> Times:
    """Microseconds since 1970 of each row, from an array of timestamptz."""
    moments = np.frombuffer(packed, _TIME, offset=_HEAD + _DIMENSION)["value"]
    return moments.astype(np.int64) + POSTGRES_EPOCH_SECONDS * 1_000_000


def unpack_values(packed: bytes) -> list[Values]:
    """A series per position of a layout, from a float8 array of rows and positions that has no NULL."""
    rows, size = struct.unpack_from(">i4xi4x", packed, _HEAD)
    cells = np.frombuffer(packed, _VALUE, offset=_HEAD + 2 * _DIMENSION)["value"].reshape(rows, size)
    columns = np.empty((size, rows))
    for low in range(0, rows, _ROWS_AT_ONCE):
        part = cells[low : low + _ROWS_AT_ONCE]
        columns[:, low : low + len(part)] = part.astype(np.float64).T
    return list(columns)


def block_of(channels: Sequence[int], times: Times, columns: Sequence[Values]) -> Block:
    """A block of one layout's frames, in the order of time."""
    if len(times) > 1 and (np.diff(times) <= 0).any():
        times, order = np.unique(times, return_index=True)
        columns = [column[order] for column in columns]
    return Block(times, dict(zip(channels, columns, strict=True)))
