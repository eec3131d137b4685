"""When a device counts as stale and when as offline: by its own rhythm, as far as it is known. Pure."""

from datetime import datetime, timedelta

STALE_INTERVALS = 3
OFFLINE_INTERVALS = 4
MINIMUM_SILENCE = timedelta(seconds=30)
# Silence in intervals of a device's own.
OWN_OFFLINE_INTERVALS = 3
# The estimate of a device's interval: how much the last gap counts, and what it counts as at most and at least.
_WEIGHT = 0.3
_MOST_GROWTH = 4.0
_SHORTEST_SECONDS = 1.0
_LONGEST_SECONDS = 3600.0
# What a first gap counts as at most: it may be an outage.
_LONGEST_FIRST_SECONDS = 300.0


def next_interval(before_seconds: float | None, gap_seconds: float) -> float:
    """The estimate of the time between a device's reports, after another gap. An outage changes it little."""
    if before_seconds is None:
        return max(_SHORTEST_SECONDS, min(gap_seconds, _LONGEST_FIRST_SECONDS))
    gap = min(gap_seconds, before_seconds * _MOST_GROWTH)
    estimate = before_seconds + _WEIGHT * (gap - before_seconds)
    return max(_SHORTEST_SECONDS, min(estimate, _LONGEST_SECONDS))


def stale_after(interval_seconds: float, presence_seconds: float) -> timedelta:
    """Silence after which a device is shown as stale. `last_seen` itself lags by up to `presence_seconds`.

    A device has one interval of its own more than that.
    """
    return timedelta(seconds=interval_seconds * STALE_INTERVALS + presence_seconds)


def offline_after(
    interval_seconds: float, presence_seconds: float, own_seconds: float | None = None
) -> timedelta:
    """Silence after which a device is offline."""
    own = timedelta(seconds=(own_seconds or 0.0) * OWN_OFFLINE_INTERVALS)
    silence = max(timedelta(seconds=interval_seconds * OFFLINE_INTERVALS), MINIMUM_SILENCE, own)
    return silence + timedelta(seconds=presence_seconds)


def shown_status(
    status: str, last_seen: datetime | None, stale_before: datetime, own_seconds: float | None = None
) -> str:
    """`stale` for a device that is online by its status and has been silent for too long."""
    is_silent = last_seen is None or last_seen + timedelta(seconds=own_seconds or 0.0) < stale_before
    return "stale" if status == "online" and is_silent else status
