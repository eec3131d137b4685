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

# PostgreSQL counts microseconds from 2000-01-01 (UTC).
POSTGRES_EPOCH_SECONDS = 946_684_800
COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
COPY_TRAILER = struct.pack(">h", -1)
_FLOAT8_OID = 701
_ELEMENT = np.dtype([("length", ">i4"), ("value", ">f8")])
_MISSING = struct.pack(">i", -1)
_HEAD = struct.Struct(">hi16siqiiiiiiii")


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


@dataclass(slots=True)
class PendingFrame:
    """A frame that waits for its commit."""

    device_id: bytes
    ts_us: int
    plan: Plan
    values: NDArray[np.float64]

    def row(self) -> bytes:
        """This frame as one row of binary COPY into (device_id, ts, layout_id, values)."""
        return pack_row(self.device_id, self.ts_us, self.plan, self.values)


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
    head = _HEAD.pack(
        4,
        16,
        device_id,
        8,
        ts_us - POSTGRES_EPOCH_SECONDS * 1_000_000,
        4,
        plan.layout_id,
        20 + len(body),
        1,
        has_null,
        _FLOAT8_OID,
        size,
        1,
    )
    return head + body


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
