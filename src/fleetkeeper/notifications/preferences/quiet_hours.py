"""When a mail may go out to somebody who wants quiet at night, or one mail for many events. Pure."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# When a daily digest comes, in the reader's own time zone.
DIGEST_HOUR = time(8, 0)


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name; UTC for an unknown one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def earliest(now: datetime, time_zone: str, quiet_from: time | None, quiet_until: time | None) -> datetime:
    """The first moment from `now` on that does not lie in the quiet hours (UTC).

    They begin at `quiet_from` and end before `quiet_until` of the zone's own clock, perhaps on the next day. Where
    both are the same, or one is missing, no hours are quiet.
    """
    if quiet_from is None or quiet_until is None or quiet_from == quiet_until:
        return now
    local = now.astimezone(zone_of(time_zone))
    clock = local.time().replace(fold=0)
    if quiet_from < quiet_until:
        is_quiet, day = quiet_from <= clock < quiet_until, local.date()
    else:
        is_quiet = clock >= quiet_from or clock < quiet_until
        day = local.date() + timedelta(days=1 if clock >= quiet_from else 0)
    if not is_quiet:
        return now
    # Where clocks are put back, the hour that comes twice counts once.
    return max(now, datetime.combine(day, quiet_until, local.tzinfo).astimezone(UTC))


def next_digest(now: datetime, time_zone: str, digest: str) -> datetime:
    """When the next digest goes out (UTC): at the next full hour, or at eight in the reader's own zone."""
    if digest == "hourly":
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    local = now.astimezone(zone_of(time_zone))
    day = local.date() + timedelta(days=0 if local.time() < DIGEST_HOUR else 1)
    return datetime.combine(day, DIGEST_HOUR, local.tzinfo).astimezone(UTC)
