"""Tiers and their periods, in microseconds since 1970 (UTC). Pure."""

from datetime import UTC, datetime, timedelta
from enum import IntEnum

from fleetkeeper.telemetry.chunks.blocks import DAY

HOUR = DAY // 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The first of January 1970 was a Thursday.
_THURSDAY = 3


class Tier(IntEnum):
    """How wide a bucket is."""

    HOUR = 1
    DAY = 2
    WEEK = 3
    MONTH = 4


def start_of(tier: Tier, day: int) -> int:
    """The first day (number since 1970) of the period that holds a day; weeks begin on Monday."""
    if tier is Tier.WEEK:
        return day - (day + _THURSDAY) % 7
    if tier is Tier.MONTH:
        return (_date(day).replace(day=1) - _EPOCH).days
    return day


def end_of(tier: Tier, day: int) -> int:
    """The day after the period that holds a day."""
    start = start_of(tier, day)
    if tier is Tier.WEEK:
        return start + 7
    if tier is Tier.MONTH:
        return start_of(Tier.MONTH, start + 31)
    return start + 1


def _date(day: int) -> datetime:
    return _EPOCH + timedelta(days=day)
