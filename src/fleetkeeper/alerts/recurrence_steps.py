"""The local moments of a recurrence rule, period by period. Each day that is looked at is one step.

Within a period all days are taken that no BY part rules out, which is how RFC 5545's table of expanding and limiting
parts comes out for each frequency.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from fleetkeeper.alerts.recurrence_rules import MAX_YEAR, Rule

_ONE_DAY = timedelta(days=1)
_MOMENTS_A_STEP = 4
_MOST_KNOWN = 4


class Steps:
    """The moments of a rule that starts at a local moment. COUNT and UNTIL are left to the caller."""

    def __init__(self, rule: Rule, start: datetime) -> None:
        self._rule = _with_defaults(rule, start)
        self._start = start
        self._hours = self._rule.hours or (start.hour,)
        self._minutes = self._rule.minutes or (start.minute,)
        # What BYSETPOS takes, by the numbers of periods.
        self._known: dict[int, list[datetime]] = {}

    def since(self, moment: datetime, most_steps: int, until: datetime | None = None) -> Iterator[datetime]:
        """The moments from about a local moment on, those of one period in their order, for so many steps.

        It may begin with some before the moment. No period is looked at that begins after `until`: what happens next
        may be years away.
        """
        number = max(0, self._number_of(moment))
        while most_steps > 0 and (first := self._period(number)) is not None:
            if until is not None and first > until:
                return
            days = self._days(first)
            if self._rule.frequency == "HOURLY" and not self._takes(days[0]):
                most_steps -= 1
                number = self._on_next_day(number, first)
                continue
            built = 0
            if self._rule.positions:
                # What is thrown away was made, too.
                built = 0 if number in self._known else len(days) * len(self._hours) * len(self._minutes)
                moments = self._taken_of(number, first, days)
            else:
                moments = self._moments(first, _between(days, moment, until))
            # Many times of a day cost as much as many days.
            most_steps -= max(1, len(days), max(built, len(moments)) // _MOMENTS_A_STEP)
            for found in moments:
                if found >= self._start:
                    yield found
            number += 1

    def _number_of(self, moment: datetime) -> int:
        """The number of the period, counted from the start, in which a moment lies or which is the last before it."""
        start, frequency = self._start, self._rule.frequency
        if frequency == "YEARLY":
            passed = moment.year - start.year
        elif frequency == "MONTHLY":
            passed = (moment.year - start.year) * 12 + moment.month - start.month
        elif frequency == "WEEKLY":
            passed = (moment.date() - self._week_of(start.date())).days // 7
        elif frequency == "DAILY":
            passed = (moment.date() - start.date()).days
        else:
            passed = (moment - start.replace(minute=0, second=0)) // timedelta(hours=1)
        return passed // self._rule.interval

    def _period(self, number: int) -> datetime | None:
        """The beginning of a period; None when it is too far away."""
        start, passed, frequency = self._start, number * self._rule.interval, self._rule.frequency
        if frequency in {"YEARLY", "MONTHLY"}:
            months = passed * 12 if frequency == "YEARLY" else passed + start.month - 1
            year = start.year + months // 12
            return None if year > MAX_YEAR else datetime(year, months % 12 + 1, 1)  # noqa: DTZ001
        hours = passed * {"WEEKLY": 168, "DAILY": 24}.get(frequency, 1)
        if hours > (MAX_YEAR - start.year) * 8766:
            return None
        first = self._week_of(start.date()) if frequency == "WEEKLY" else start.date()
        begin = datetime(first.year, first.month, first.day)  # noqa: DTZ001
        if frequency == "HOURLY":
            begin = begin.replace(hour=start.hour)
        return begin + timedelta(hours=hours)

    def _on_next_day(self, number: int, first: datetime) -> int:
        """The number of the first hour after the day of another, none of whose hours is taken."""
        left = 24 - first.hour
        return number + -(-left // self._rule.interval)

    def _week_of(self, day: date) -> date:
        return day - timedelta(days=(day.weekday() - self._rule.week_start) % 7)

    def _days(self, first: datetime) -> list[date]:
        begin, frequency = first.date(), self._rule.frequency
        if frequency == "YEARLY":
            length = (date(begin.year + 1, 1, 1) - begin).days
        elif frequency == "MONTHLY":
            length = _length_of_month(begin)
        else:
            length = 7 if frequency == "WEEKLY" else 1
        return [begin + timedelta(days=index) for index in range(length)]

    def _moments(self, first: datetime, days: list[date]) -> list[datetime]:
        hours = self._hours
        if self._rule.frequency == "HOURLY":
            hours = (first.hour,) if first.hour in (self._rule.hours or (first.hour,)) else ()
        return [
            datetime(day.year, day.month, day.day, hour, minute, self._start.second)  # noqa: DTZ001
            for day in days
            if self._takes(day)
            for hour in hours
            for minute in self._minutes
        ]

    def _taken_of(self, number: int, first: datetime, days: list[date]) -> list[datetime]:
        """Those of a period's moments that BYSETPOS takes: all must be counted, so they are remembered."""
        if number not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._moments(first, days)
            places = {place - 1 if place > 0 else len(found) + place for place in self._rule.positions}
            self._known[number] = [found[place] for place in sorted(places) if 0 <= place < len(found)]
        return self._known[number]

    def _takes(self, day: date) -> bool:
        rule = self._rule
        if rule.months and day.month not in rule.months:
            return False
        if rule.month_days and not _is_listed(day.day, _length_of_month(day), rule.month_days):
            return False
        if rule.year_days:
            year = (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
            if not _is_listed(day.timetuple().tm_yday, year, rule.year_days):
                return False
        return not rule.week_days or self._takes_week_day(day)

    def _takes_week_day(self, day: date) -> bool:
        wanted = [nth for week_day, nth in self._rule.week_days if week_day == day.weekday()]
        if not wanted or 0 in wanted:
            return bool(wanted)
        if self._rule.frequency == "YEARLY" and not self._rule.months:
            begin, end = date(day.year, 1, 1), date(day.year, 12, 31)
        else:
            begin = day.replace(day=1)
            end = day.replace(day=_length_of_month(day))
        return (day - begin).days // 7 + 1 in wanted or -((end - day).days // 7 + 1) in wanted


def _with_defaults(rule: Rule, start: datetime) -> Rule:
    """The rule with what RFC 5545 takes from the start where the rule does not say it."""
    if rule.month_days or rule.year_days or rule.week_days:
        return rule
    if rule.frequency == "YEARLY":
        return replace(rule, months=rule.months or (start.month,), month_days=(start.day,))
    if rule.frequency == "MONTHLY":
        return replace(rule, month_days=(start.day,))
    if rule.frequency == "WEEKLY":
        return replace(rule, week_days=((start.weekday(), 0),))
    return rule


def _between(days: list[date], moment: datetime, until: datetime | None) -> list[date]:
    """Those of the days that lie within a span."""
    low, high = moment.date(), until.date() if until is not None else date.max
    return days if low <= days[0] and days[-1] <= high else [day for day in days if low <= day <= high]


def _length_of_month(day: date) -> int:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return (following - _ONE_DAY).day


def _is_listed(place: int, length: int, listed: tuple[int, ...]) -> bool:
    """Whether a day's place from 1 is listed, by itself or counted from the end."""
    return place in listed or place - length - 1 in listed
