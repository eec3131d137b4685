"""When silences apply, in words and as windows. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fleetkeeper.alerts.recurrence import Window
from fleetkeeper.alerts.silences.patterns import pattern_of
from fleetkeeper.alerts.silences.schemas import AlertSilenceWrite, recurrence_of
from fleetkeeper.kit.durations import duration_words

# A silence that recurs more rarely is said to have no next time.
LOOKS_AHEAD = timedelta(days=400)
_DAY = timedelta(days=1)


def schedule_words(silence: AlertSilenceWrite) -> str:
    """When a recurring silence applies, such as `Every Sunday 02:00 to 04:00 Europe/Berlin`; else nothing."""
    if silence.recurrence is None:
        return ""
    start = silence.starts_at.astimezone(ZoneInfo(silence.time_zone))
    duration = timedelta(seconds=silence.duration_seconds or 0)
    pattern = pattern_of(silence.recurrence, start)
    if pattern is None:
        return (
            f"{silence.recurrence} for {duration_words(silence.duration_seconds or 0)}, {silence.time_zone}"
        )
    end = start.replace(tzinfo=None) + duration
    hours = (
        f"{start:%H:%M}\N{EN DASH}{end:%H:%M}"
        if duration < _DAY
        else f"{start:%H:%M} for {duration_words(silence.duration_seconds or 0)}"
    )
    return f"{pattern.words} {hours} {silence.time_zone}"


def windows_of(silence: AlertSilenceWrite, begin: datetime, end: datetime, limit: int) -> list[Window]:
    """The first times, at most `limit`, at which a silence applies between two moments, its end cut off."""
    begin = max(begin, silence.starts_at)
    if silence.ends_at is not None:
        end = min(end, silence.ends_at)
    if begin >= end:
        return []
    if silence.recurrence is None:
        return [(silence.starts_at, end if silence.ends_at is None else silence.ends_at)]
    found = recurrence_of(silence).windows(begin, end, limit)
    return [(start, stop if silence.ends_at is None else min(stop, silence.ends_at)) for start, stop in found]


def current_or_next(silence: AlertSilenceWrite, now: datetime) -> Window | None:
    """The time at which a silence applies now or next; None where it is over or too far away."""
    return next(iter(windows_of(silence, now, now + LOOKS_AHEAD, 1)), None)
