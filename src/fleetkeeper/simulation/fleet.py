"""A fleet drawn from a seed: which devices there are, what they are made of, what they measure at a time.

Everything is a pure function of (seed, device, time). A device does not depend on how many others there are,
so a fleet can be made larger without changing the devices that it has.
"""

import uuid
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from fleetkeeper.simulation.blocks import BLOCKS
from fleetkeeper.simulation.catalog import KINDS
from fleetkeeper.simulation.kinds import GIB, Kind
from fleetkeeper.simulation.noise import Floats, Integers, derive, make_key, uniform
from fleetkeeper.simulation.rhythm import DAY, Traits, last_boot, measure_rhythm

_NAMESPACE: Final = uuid.UUID("6f1f4a52-7c0e-4b5e-9d26-0d5a5b1a9c11")
_SITES: Final = (("ams1", 3600.0), ("fra2", 3600.0), ("lon1", 0.0), ("nyc1", -18_000.0), ("sin1", 28_800.0))
_BROKEN_CLOCK_SHARE: Final = 0.005
_GUESTS_PER_HOST: Final = 6


@dataclass(frozen=True, slots=True)
class Device:
    """Who a simulated device is."""

    index: int
    kind: Kind
    position: int
    """Place among the devices of its kind."""
    hostname: str
    domain: str
    agent_id: uuid.UUID
    smbios_uuid: uuid.UUID
    skew_seconds: float
    """How far its clock is ahead of the true time."""


class Frames(NamedTuple):
    """Rows of one kind: `values` has shape (rows, channels); rows of devices that were off are left out."""

    kind: Kind
    devices: Integers
    """Index of each row's device in the fleet."""
    times: Floats
    """True time, epoch seconds."""
    values: Floats


class KindModel:
    """All devices of one kind, as arrays."""

    def __init__(self, kind: Kind, seed: int, indices: Integers) -> None:
        self.kind = kind
        self.indices = indices
        base = np.full(1, make_key(seed, 1), np.uint32)
        keys = derive(base, 1) ^ derive(np.asarray(indices + 1, np.uint32), 2)
        self.traits = _draw_traits(kind, base, keys, indices)

    def measure(self, positions: Integers, times: Floats) -> Frames:
        """Compute frames: row i is of this kind's device `positions[i]` at `times[i]` (epoch seconds)."""
        traits = self.traits.take(positions)
        rhythm = measure_rhythm(self.kind, traits, times)
        out = np.empty((len(self.kind.channels), len(times)))
        row = 0
        for fill in BLOCKS:
            row += fill(out[row:], self.kind, traits, rhythm, times)
        values = out.T
        devices = self.indices[positions]
        if rhythm.reporting.all():
            return Frames(self.kind, devices, times, np.ascontiguousarray(values))
        on = rhythm.reporting
        return Frames(self.kind, devices[on], times[on], np.ascontiguousarray(values[on]))


def _draw_traits(kind: Kind, base: np.ndarray, keys: np.ndarray, indices: Integers) -> Traits:
    def draw(salt: int) -> Floats:
        return uniform(derive(keys, salt))

    site = np.floor(draw(1) * len(_SITES)).astype(np.int64)
    memory = np.array(kind.memory_gib, float)[np.floor(draw(2) * len(kind.memory_gib)).astype(np.int64)] * GIB
    leaking = draw(3) < 0.3
    filling = draw(4) < 0.08
    start = 0.2 + 0.35 * draw(5)
    return Traits(
        keys=keys,
        neighbours=derive(base, 3) ^ derive(np.asarray(indices // _GUESTS_PER_HOST, np.uint32), 4),
        time_zone_seconds=np.array([offset for _, offset in _SITES])[site],
        scale=0.55 + 0.9 * draw(6) + np.where(draw(7) < 0.04, 1.3, 0.0),
        memory_bytes=memory,
        reboot_seconds=DAY * (9.0 + 36.0 * draw(8)),
        office_hours=np.where(draw(9) < kind.office_hours_share, 1.0, 0.0),
        leak_share=np.where(leaking, kind.leak_share * (0.5 + draw(10)), 0.0),
        leak_seconds=DAY * (0.25 + 6.0 * draw(20) ** 2),
        fill_from=start,
        fill_to=np.where(filling, 0.93, np.minimum(start + 0.02 + 0.2 * draw(21), 0.85)),
        fill_seconds=DAY * (12.0 + 60.0 * draw(22)),
    )


class Fleet:
    """`count` devices of all kinds, drawn with `seed`."""

    def __init__(self, seed: int, count: int, kinds: tuple[Kind, ...] = KINDS) -> None:
        self.seed = seed
        self.count = count
        indices = np.arange(count)
        base = np.full(1, make_key(seed, 2), np.uint32)
        limits = np.cumsum([kind.share for kind in kinds])
        which = np.searchsorted(limits, uniform(derive(base, 1), indices) * limits[-1], side="right")
        which = np.minimum(which, len(kinds) - 1)
        self.models = [
            KindModel(kind, seed, np.flatnonzero(which == number)) for number, kind in enumerate(kinds)
        ]
        self._kind_of = which
        self._position_of = np.zeros(count, np.int64)
        for model in self.models:
            self._position_of[model.indices] = np.arange(len(model.indices))
        broken = uniform(derive(base, 2), indices) < _BROKEN_CLOCK_SHARE
        hours = 2.0 + 8.0 * uniform(derive(base, 3), indices)
        self.skew_seconds: Floats = np.where(broken, np.rint(hours * 3600.0), 0.0)

    def device(self, index: int) -> Device:
        """Return who the device with this index is."""
        model = self.models[int(self._kind_of[index])]
        position = int(self._position_of[index])
        zone = model.traits.time_zone_seconds[position]
        sites = [name for name, offset in _SITES if offset == zone]
        site = sites[index % len(sites)]
        return Device(
            index=index,
            kind=model.kind,
            position=position,
            hostname=f"{model.kind.name}-{index:05d}",
            domain=f"{site}.fleet.example",
            agent_id=uuid.uuid5(_NAMESPACE, f"agent/{self.seed}/{index}"),
            smbios_uuid=uuid.uuid5(_NAMESPACE, f"board/{self.seed}/{index}"),
            skew_seconds=float(self.skew_seconds[index]),
        )

    def model_of(self, device: Device) -> KindModel:
        """Return the arrays of the device's kind."""
        return self.models[int(self._kind_of[device.index])]

    def boot_time(self, device: Device, now: float) -> float:
        """Return when the device last started, in epoch seconds."""
        model = self.model_of(device)
        boot, _ = last_boot(model.traits.take(np.array([device.position])), np.array([now]))
        return float(boot[0])

    def memory_bytes(self, device: Device) -> int:
        """Return the device's physical memory in bytes."""
        return int(self.model_of(device).traits.memory_bytes[device.position])

    def offsets(self, interval_seconds: float) -> Floats:
        """Return when in each interval each device reports, in seconds after the interval's begin.

        The golden ratio's multiples stay evenly spread for each number of devices, and no device moves when
        others come.
        """
        spread = np.modf(np.arange(self.count) * 0.6180339887498949)[0]
        milliseconds: Floats = np.floor(interval_seconds * 1000.0 * spread)
        return milliseconds / 1000.0

    def round_of(self, start: float, interval_seconds: float) -> list[Frames]:
        """Measure each device once in [start, start + interval)."""
        offsets = self.offsets(interval_seconds)
        return [
            model.measure(np.arange(len(model.indices)), np.round(start + offsets[model.indices], 3))
            for model in self.models
            if len(model.indices)
        ]
