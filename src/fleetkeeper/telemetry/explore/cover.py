"""Which tier answers which part of a range for a device: the widest that does so exactly. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier, end_of, start_of


@dataclass(frozen=True)
class Part:
    """A part of a range (microseconds) and the tier that answers it; None is samples."""

    tier: Tier | None
    start_us: int
    end_us: int


@dataclass(frozen=True)
class Ranges:
    """Ranges (first moment, moment after) whose samples are read at once, in the order of time."""

    inside: tuple[tuple[int, int], ...]

    @property
    def start_us(self) -> int:
        """The first moment."""
        return self.inside[0][0]

    @property
    def end_us(self) -> int:
        """The moment after the last."""
        return self.inside[-1][1]

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """What lies between the ranges."""
        return [(before[1], after[0]) for before, after in pairwise(self.inside)]


def read_together(
    parts: Mapping[Part, Sequence[UUID]], *, in_order: bool
) -> list[tuple[Part | Ranges, Sequence[UUID]]]:
    """What to read one after the other, and of which devices.

    Samples of the same devices are read at once where no whole day lies between: the same chunks hold them. Not so
    when all is wanted in the order of time.
    """
    readings: list[tuple[Part | Ranges, Sequence[UUID]]] = []
    open_ranges: dict[tuple[UUID, ...], int] = {}
    for part, devices in sorted(parts.items(), key=lambda item: item[0].start_us):
        if part.tier is not None:
            readings.append((part, devices))
            continue
        span = part.start_us, part.end_us
        place = None if in_order else open_ranges.get(tuple(devices))
        if place is not None:
            before = readings[place][0]
            if isinstance(before, Ranges) and span[0] // DAY - (before.end_us - 1) // DAY <= 1:
                readings[place] = Ranges((*before.inside, span)), devices
                continue
        open_ranges[tuple(devices)] = len(readings)
        readings.append((Ranges((span,)), devices))
    return readings


def cover(
    start_us: int, end_us: int, tiers: Sequence[Tier], sealed_us: int, changed: Collection[int]
) -> list[Part]:
    """The parts of [start, end), in the order of time.

    What lies past `sealed_us` is in no rollup, nor is what happened on the `changed` days (numbers since 1970).
    """
    if start_us >= end_us:
        return []
    if not tiers:
        return [Part(None, start_us, end_us)]
    tier, narrower = tiers[0], tiers[1:]
    parts: list[Part] = []
    place = start_us
    for first, after in _runs(start_us, min(end_us, sealed_us), tier, changed):
        parts += cover(place, first, narrower, sealed_us, changed)
        parts.append(Part(tier, first, after))
        place = after
    return parts + cover(place, end_us, narrower, sealed_us, changed)


def _runs(start_us: int, end_us: int, tier: Tier, changed: Collection[int]) -> list[tuple[int, int]]:
    """Neighboring whole periods in [start, end) of which no day has changed, as first and last moment."""
    runs: list[tuple[int, int]] = []
    if tier is Tier.HOUR:
        first, last = -(-start_us // HOUR) * HOUR, end_us // HOUR * HOUR
        place = first
        for day in sorted(changed):
            low, high = max(day * DAY, first), min((day + 1) * DAY, last)
            if low < high:
                runs.append((place, low))
                place = high
        runs.append((place, last))
        return [run for run in runs if run[0] < run[1]]
    day = start_of(tier, -(-start_us // DAY))
    if day * DAY < start_us:
        day = end_of(tier, day)
    while end_of(tier, day) * DAY <= end_us:
        after = end_of(tier, day)
        if not any(day <= item < after for item in changed):
            if runs and runs[-1][1] == day * DAY:
                runs[-1] = runs[-1][0], after * DAY
            else:
                runs.append((day * DAY, after * DAY))
        day = after
    return runs
