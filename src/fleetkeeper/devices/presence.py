"""When a device counts as stale and when as offline. Pure."""

from datetime import timedelta

STALE_INTERVALS = 3
OFFLINE_INTERVALS = 4
MINIMUM_SILENCE = timedelta(seconds=30)


def stale_after(interval_seconds: float, presence_seconds: float) -> timedelta:
    """Silence after which a device is shown as stale. `last_seen` itself lags by up to `presence_seconds`."""
    return timedelta(seconds=interval_seconds * STALE_INTERVALS + presence_seconds)


def offline_after(interval_seconds: float, presence_seconds: float) -> timedelta:
    """Silence after which a device is offline."""
    silence = timedelta(seconds=interval_seconds * OFFLINE_INTERVALS)
    return max(silence, MINIMUM_SILENCE) + timedelta(seconds=presence_seconds)
