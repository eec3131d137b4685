"""Frames on their way in: checked, and packed as PostgreSQL's binary COPY wants them. Pure.

A row is packed by one numpy structured array, so that a hundred values cost no loop in Python.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.chunks.codec import is_missing

# PostgreSQL counts microseconds from 2000-01-01 (UTC).
POSTGRES_EPOCH_SECONDS = 946_684_800
COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
COPY_TRAILER = struct.pack(">h", -1)
_FLOAT8_OID = 701
_ELEMENT = np.dtype([("length", ">i4"), ("value", ">f8")])
_MISSING = struct.pack(">i", -1)
_KEY = struct.Struct(">hi16siqii")
_ARRAY = struct.Struct(">iiiiii")
_PART = struct.Struct(">ii")


@dataclass(slots=True)
class Plan:
    """How the values of one sequence of channels, in the order they arrived, become a layout's array."""

    layout_id: int
    size: int
    # Position in the layout of each arriving value; None when they arrive in the layout's order, all present.
    positions: NDArray[np.intp] | None
    # Where the vital signs stand among the arriving values, by name of the sign.
    vitals: dict[str, int] = field(default_factory=dict)
    template: NDArray[Any] = field(init=False)

    def __post_init__(self) -> None:
        self.template = np.zeros(self.size, _ELEMENT)
        self.template["length"] = 8


# What makes a frame one of its kind: device, microsecond and part.
FrameKey = tuple[bytes, int, int]


@dataclass(slots=True)
class PendingFrame:
    """A frame that waits for its commit. A partial one has a part, and its values stand in the layout's order."""

    device_id: bytes
    ts_us: int
    plan: Plan
    values: NDArray[np.float64]
    part: int = 0

    @property
    def key(self) -> FrameKey:
        """What no other frame has."""
        return self.device_id, self.ts_us, self.part

    def row(self) -> bytes:
        """This frame as one row of binary COPY into (device_id, ts, layout_id, values), and `part` if it has one."""
        if self.part:
            return pack_part(self.device_id, self.ts_us, self.plan.layout_id, self.values)
        return pack_row(self.device_id, self.ts_us, self.plan, self.values)

    def vital(self, sign: str) -> float | None:
        """One of the vital signs; None when this frame does not have it."""
        place = self.plan.vitals.get(sign)
        if place is None or (self.part and is_missing(self.values[place : place + 1])[0]):
            return None
        return float(self.values[place])


def pack_row(device_id: bytes, ts_us: int, plan: Plan, values: NDArray[np.float64]) -> bytes:
    """One row: uuid, timestamp (microseconds since 1970), layout, float8[] with NULL where the layout has more."""
    size = plan.size
    if plan.positions is None:
        elements = plan.template.copy()
        elements["value"] = values
        body = elements.tobytes()
    elif len(values) == size:
        elements = plan.template.copy()
        elements["value"][plan.positions] = values
        body = elements.tobytes()
    else:
        parts = [_MISSING] * size
        for position, value in zip(plan.positions, values.tolist(), strict=True):
            parts[position] = struct.pack(">id", 8, value)
        body = b"".join(parts)
    has_null = int(len(values) != size)
    return _key(4, device_id, ts_us, plan.layout_id) + _array(body, has_null, size)


def pack_parts(frames: Sequence["PendingFrame"]) -> list[bytes]:
    """The rows of partial frames; those of one size that have all their values are packed together."""
    rows = [b""] * len(frames)
    by_size: dict[int, list[int]] = {}
    for index, frame in enumerate(frames):
        by_size.setdefault(len(frame.values), []).append(index)
    for size, indices in by_size.items():
        values = np.stack([frames[index].values for index in indices])
        elements = np.empty(values.shape, _ELEMENT)
        elements["length"] = 8
        elements["value"] = values
        has_null: list[bool] = np.any(is_missing(values), axis=1).tolist()
        for index, row, is_partly in zip(indices, elements, has_null, strict=True):
            frame = frames[index]
            if is_partly:
                rows[index] = frame.row()
            else:
                key = _key(5, frame.device_id, frame.ts_us, frame.part)
                rows[index] = key + _array(row.tobytes(), 0, size) + _PART.pack(4, frame.part)
    return rows


def pack_part(device_id: bytes, ts_us: int, layout_id: int, values: NDArray[np.float64]) -> bytes:
    """One row of a partial frame: as `pack_row`, NULL where `values` has none, and with the part at the end."""
    absent = is_missing(values)
    has_null = bool(absent.any())
    elements = np.empty(len(values), _ELEMENT)
    elements["length"] = 8
    elements["value"] = values
    if has_null:
        words = elements.view(np.uint8).reshape(len(values), _ELEMENT.itemsize)
        keep = np.ones(words.shape, bool)
        keep[absent, 4:] = False
        words[absent, :4] = 0xFF
        body = words[keep].tobytes()
    else:
        body = elements.tobytes()
    key = _key(5, device_id, ts_us, layout_id)
    return key + _array(body, int(has_null), len(values)) + _PART.pack(4, layout_id)


def _key(fields: int, device_id: bytes, ts_us: int, layout_id: int) -> bytes:
    return _KEY.pack(fields, 16, device_id, 8, ts_us - POSTGRES_EPOCH_SECONDS * 1_000_000, 4, layout_id)


def _array(body: bytes, has_null: int, size: int) -> bytes:
    return _ARRAY.pack(20 + len(body), 1, has_null, _FLOAT8_OID, size, 1) + body


@dataclass(frozen=True)
class Window:
    """The times that a frame may have, in seconds since 1970."""

    earliest: float
    latest: float

    @classmethod
    def around(cls, now: float, *, max_age_days: float, max_future_seconds: float) -> "Window":
        """From `max_age_days` before to `max_future_seconds` after `now`."""
        return cls(now - max_age_days * 86_400, now + max_future_seconds)

    def problem_of(self, ts: float) -> str | None:
        """Why a frame of that time is refused; None when it is not."""
        if self.earliest <= ts <= self.latest:
            return None
        if not math.isfinite(ts) or not 0 <= ts < 253_402_300_800:
            return "is no time in epoch seconds"
        moment = datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if ts > self.latest:
            return f"{moment} lies in the future; set the clock of this machine"
        return f"{moment} is older than the server accepts"


def day_of(ts_us: int) -> int:
    """The number of a frame's day (UTC) since 1970: one partition each."""
    return ts_us // 86_400_000_000


def date_of_day(day: int) -> datetime:
    """The first moment of a day."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)


def copy_payload(rows: Sequence[bytes]) -> bytes:
    """Rows as one whole binary COPY."""
    return b"".join((COPY_HEADER, *rows, COPY_TRAILER))
