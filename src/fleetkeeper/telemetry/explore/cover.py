"""Which tier answers which part of a range for a device: the widest that does so exactly. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier, end_of, start_of


@dataclass(frozen=True)
class Part:
    """A part of a range (microseconds) and the tier that answers it; None is samples."""

    tier: Tier | None
    start_us: int
    end_us: int


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
    """Neighbouring whole periods in [start, end) of which no day has changed, as first and last moment."""
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
