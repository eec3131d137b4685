"""When a unit is evaluated: at the newest instant, or, where a worker was away for a while, at those that it missed.

Missed instants are evaluated from what is stored, so only where telemetry came in meanwhile, and only by a worker that
started recently: one that is too slow leaves instants out, as Prometheus does.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

LONGEST_GAP = timedelta(minutes=15)
MOST_MISSED = 100
# How long a worker that begins makes up for what was missed.
CATCH_UP_FOR = timedelta(minutes=2)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(unit: UUID, interval: timedelta, now: datetime) -> datetime:
    """The newest moment at which a unit is due: units of one interval are spread over it, as Prometheus does."""
    step = round(interval.total_seconds() * 1_000_000)
    offset = unit.int % step
    since = (now - _EPOCH) // timedelta(microseconds=1)
    return _EPOCH + timedelta(microseconds=(since - offset) // step * step + offset)


def is_gap(claimed: Any, interval: timedelta, at: datetime) -> bool:
    """Whether a unit was left alone before an instant for so long that nobody knows what was."""
    return claimed.evaluated_at is None or at - claimed.evaluated_at > interval * 2 + timedelta(seconds=5)


def oldest_missed(
    claimed: Any, interval: timedelta, newest: datetime, started: datetime, open_since: datetime | None
) -> datetime | None:
    """The oldest instant that was missed and can be made up for; `open_since` is since when telemetry came in."""
    evaluated_at: datetime | None = claimed.evaluated_at
    if evaluated_at is None or claimed.now - started > CATCH_UP_FOR:
        return None
    first = instant(claimed.unit, interval, evaluated_at + interval)
    missed = (newest - first) // interval
    if not 0 < missed <= MOST_MISSED or newest - evaluated_at > LONGEST_GAP:
        return None
    return first if open_since is not None and open_since <= evaluated_at else None
