"""Numbers for what a sample's value belongs to, so that numpy can sort a request's samples into frames. Pure.

A part is a device's share in a layout: one frame per moment. A place is a part and a position in its layout, as one
number; whoever brings samples keeps it with the channel, and gives it back with the next ones.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.frames import Plan

# Parts kept per process; past this their numbers are forgotten, and places are looked up again.
MAX_PARTS = 500_000
# A layout of partial frames has fewer positions: `device_layouts.present` has a bit for each.
POSITIONS = 64
NOWHERE = -1

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DevicePart:
    """A device, and the layout that one frame of it has."""

    device_id: bytes
    plan: Plan


@dataclass
class DeviceParts:
    """The parts that a process knows. A number never means another part later on."""

    _numbers: dict[tuple[bytes, int], int] = field(default_factory=dict)
    # The parts with the numbers from `_oldest` on; older ones have been forgotten.
    _parts: list[DevicePart] = field(default_factory=list)
    _oldest: int = 0

    def make_room(self) -> None:
        """Forget all, if there are too many."""
        if len(self._parts) > MAX_PARTS:
            self._oldest += len(self._parts)
            self._parts, self._numbers = [], {}

    def place(self, device_id: bytes, plan: Plan, position: int) -> int:
        """The number of a place."""
        key = device_id, plan.layout_id
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._oldest + len(self._parts)
            self._parts.append(DevicePart(device_id, plan))
        return number * POSITIONS + position

    def known(self, places: Places) -> Places:
        """The same places, with NOWHERE for those that have been forgotten."""
        return np.where(places < self._oldest * POSITIONS, NOWHERE, places)

    def part(self, number: int) -> DevicePart:
        """The part with a number that is known."""
        return self._parts[number - self._oldest]
