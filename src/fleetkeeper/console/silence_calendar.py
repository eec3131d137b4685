"""A month of silences, day by day, on the reader's clock. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fleetkeeper.alerts.silences.occurrences import SilenceOccurrence, SilenceOccurrences
from fleetkeeper.console.contexts.alerts import CalendarDay, CalendarEntry, SilenceCalendar
from fleetkeeper.console.silence_list import HOME as SILENCES

HOME = "/alerts/calendar"
_SHOWN = 6
_DAY = timedelta(days=1)
_FIRST, _LAST = date(1971, 1, 1), date(9000, 12, 1)


def month_of(text: str, today: date) -> date:
    """The first day of the month that an address names; of this one where it names none."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        month = today
    return min(max(month, _FIRST), _LAST).replace(day=1)


def days_of(month: date) -> list[date]:
    """The days of the weeks, from Monday, in which a month lies."""
    begin = month - timedelta(days=month.weekday())
    following = (month + 31 * _DAY).replace(day=1)
    weeks = -(-(following - begin).days // 7)
    return [begin + index * _DAY for index in range(7 * weeks)]


def span_of(days: Sequence[date], zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the beginning of the first day until the end of the last."""
    return _midnight(days[0], zone), _midnight(days[-1] + _DAY, zone)


def calendar(
    month: date, found: SilenceOccurrences, now: datetime, zone: ZoneInfo, *, may_add: bool, knows_zone: bool
) -> SilenceCalendar:
    """The month as its page shows it."""
    kept = {"zone": zone.key} if knows_zone else {}

    def add_href(day: date) -> str:
        return f"{SILENCES}/new?{urlencode({'day': day.isoformat(), **kept})}" if may_add else ""

    def href(day: date) -> str:
        return f"{HOME}?{urlencode({'month': f'{day:%Y-%m}', **kept})}"

    days = days_of(month)
    today = now.astimezone(zone).date()
    shown = [_day(day, month, today, found.results, now, zone, add_href(day)) for day in days]
    return SilenceCalendar(
        title=f"{month:%B %Y}",
        zone=zone.key,
        previous=href(month - _DAY),
        today=href(today),
        following=href((month + 31 * _DAY).replace(day=1)),
        weeks=tuple(tuple(shown[index : index + 7]) for index in range(0, len(shown), 7)),
        is_empty=not any(one.entries for one in shown),
        is_complete=found.is_complete,
        add_href=add_href(max(today, month)),
        zone_href="" if knows_zone else href(month),
    )


def _day(
    day: date,
    month: date,
    today: date,
    found: Sequence[SilenceOccurrence],
    now: datetime,
    zone: ZoneInfo,
    add_href: str,
) -> CalendarDay:
    begin, end = _midnight(day, zone), _midnight(day + _DAY, zone)
    on_it = [one for one in found if one.starts_at < end and begin < one.ends_at]
    return CalendarDay(
        number=day.day,
        title=f"{day:%A, %B} {day.day}",
        is_today=day == today,
        is_of_month=day.month == month.month,
        entries=tuple(_entry(one, begin, end, now, zone) for one in on_it[:_SHOWN]),
        more=max(0, len(on_it) - _SHOWN),
        add_href=add_href if day >= today else "",
    )


def _entry(
    one: SilenceOccurrence, begin: datetime, end: datetime, now: datetime, zone: ZoneInfo
) -> CalendarEntry:
    start = "" if one.starts_at <= begin else f"{one.starts_at.astimezone(zone):%H:%M}"
    stop = "" if one.ends_at >= end else f"{one.ends_at.astimezone(zone):%H:%M}"
    if start and stop:
        hours = f"{start}\N{EN DASH}{stop}"
    else:
        hours = f"from {start}" if start else f"until {stop}" if stop else "all day"
    state = "past" if one.ends_at <= now else "active" if one.starts_at <= now else "planned"
    return CalendarEntry(one.name, f"{SILENCES}/{one.silence_id}", hours, state)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
