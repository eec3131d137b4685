"""Frames as the server packs them: `array_send` of many rows in one value. Pure."""

from collections.abc import Sequence

import numpy as np

from fleetkeeper.telemetry.chunks.blocks import Block
from fleetkeeper.telemetry.chunks.codec import missing
from fleetkeeper.telemetry.frames import POSTGRES_EPOCH_SECONDS
from fleetkeeper.telemetry.resample import Times, Values

_HEAD = 20
_ELEMENT = 12
_ABSENT = -1


def unpack_times(packed: bytes) -> Times:
    """Microseconds since 1970 of each row."""
    return np.frombuffer(packed, ">i8").astype(np.int64) + POSTGRES_EPOCH_SECONDS * 1_000_000


def unpack_values(packed: bytes, rows: int, size: int) -> list[Values]:
    """A series per position of a layout with `size` channels, from float8 arrays one after another."""
    if len(packed) == rows * (_HEAD + _ELEMENT * size):
        row = np.dtype([("head", f"V{_HEAD}"), ("element", [("length", ">i4"), ("value", ">f8")], (size,))])
        elements = np.frombuffer(packed, row)["element"]
        if (elements["length"] == 8).all():
            return list(elements["value"].astype(np.float64).T.copy())
    return _unpack_with_gaps(packed, rows, size)


def _unpack_with_gaps(packed: bytes, rows: int, size: int) -> list[Values]:
    """Arrays of which some lack values, and are shorter for it. All rows advance together, an element at a time."""
    words = np.frombuffer(packed, np.uint8)
    columns = []
    place = _row_starts(packed, rows, size) + _HEAD
    for _ in range(size):
        length = _words(words, place, 4).view(">i4").ravel()
        present = length != _ABSENT
        column: Values = missing(rows)
        if present.any():
            column[present] = _words(words, place[present] + 4, 8).view(">f8").ravel()
        columns.append(column)
        place = place + 4 + np.where(present, 8, 0)
    return columns


def _words(octets: np.ndarray, places: np.ndarray, width: int) -> np.ndarray:
    return np.ascontiguousarray(octets[places[:, None] + np.arange(width)])


def _row_starts(packed: bytes, rows: int, size: int) -> np.ndarray:
    # A row says in its head whether something is missing, and not how much: its elements are walked over.
    starts = np.empty(rows, np.int64)
    place = 0
    full = _HEAD + _ELEMENT * size
    for row in range(rows):
        starts[row] = place
        if packed[place + 7] == 0:
            place += full
            continue
        place += _HEAD
        for _ in range(size):
            place += 4 if packed[place] == 0xFF else _ELEMENT
    return starts


def block_of(channels: Sequence[int], times: Times, columns: Sequence[Values]) -> Block:
    """A block of one layout's frames, in the order of time."""
    if len(times) > 1 and (np.diff(times) <= 0).any():
        times, order = np.unique(times, return_index=True)
        columns = [column[order] for column in columns]
    return Block(times, dict(zip(channels, columns, strict=True)))
