"""Windows of time that come again by an RRULE (RFC 5545), on the clock of a time zone.

A window begins at a local time. One that the clock skips (02:30 in the night that loses an hour) moves forward by what
is skipped, to 03:30; of one that comes twice the first counts, both as RFC 5545 has it. From its beginning a window
lasts its duration in elapsed time: two hours are two hours, and end at another time on the clock in such a night.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from zoneinfo import ZoneInfo

from fleetkeeper.alerts.recurrence_rules import RecurrenceError, Rule, parse_rule
from fleetkeeper.alerts.recurrence_steps import Steps

MAX_DURATION = timedelta(days=31)
MAX_WINDOWS = 1000
# How many days a rule may look at until it has found what it looks for.
MAX_STEPS = 20_000
_FIRST_YEAR, _LAST_YEAR = 1970, 2500
# The local clock differs so much from UTC at most, with what a night may skip.
_SLACK = timedelta(days=2)

Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Recurrence:
    """Windows of one duration. `starts_at` is the earliest beginning, local and without a time zone.

    Raises RecurrenceError when it is made of a rule that is wrong or never occurs.
    """

    rrule: str
    timezone: str
    starts_at: datetime
    duration: timedelta

    def __post_init__(self) -> None:
        if self.starts_at.tzinfo is not None or self.starts_at.microsecond:
            raise RecurrenceError("The start is a local time in whole seconds.", "starts_at")
        if not _FIRST_YEAR <= self.starts_at.year <= _LAST_YEAR:
            raise RecurrenceError(f"The start lies between {_FIRST_YEAR} and {_LAST_YEAR}.", "starts_at")
        if not timedelta(0) < self.duration <= MAX_DURATION:
            raise RecurrenceError(f"A window lasts at most {MAX_DURATION.days} days.", "duration")
        _ = self._zone
        if next(self._since(self.starts_at), None) is None:
            raise RecurrenceError("The rule never occurs, or too rarely to be found.")
        if self._rule.count is not None and self._last is None:
            raise RecurrenceError("COUNT is not reached within a reasonable time. Use UNTIL instead.")

    def window_at(self, moment: datetime) -> Window | None:
        """The window in which an aware moment lies, beginning and end in UTC; of several the one that began last.

        The beginning is part of a window, the end is not.
        """
        started = [
            start
            for start in self._starts(moment - self.duration, moment)
            if start <= moment < start + self.duration
        ]
        return (max(started), max(started) + self.duration) if started else None

    def windows(self, begin: datetime, end: datetime, limit: int) -> list[Window]:
        """The first windows, at most `limit`, that overlap the time from `begin` until before `end`, in their order."""
        limit = min(limit, MAX_WINDOWS)
        if begin >= end or limit <= 0:
            return []
        wanted = (
            start
            for start in self._starts(begin - self.duration, end)
            if begin < start + self.duration and start < end
        )
        # In a night that skips an hour two beginnings may change places, or become one.
        found = sorted(set(islice(wanted, limit + 48)))
        return [(start, start + self.duration) for start in found[:limit]]

    @cached_property
    def _rule(self) -> Rule:
        return parse_rule(self.rrule)

    @cached_property
    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            words = "Unknown time zone. Use a name of the IANA database, such as Europe/Berlin."
            raise RecurrenceError(words, "timezone") from None

    @cached_property
    def _steps(self) -> Steps:
        return Steps(self._rule, self.starts_at)

    @cached_property
    def _last(self) -> datetime | None:
        """The local beginning that COUNT ends with; None when that is not found."""
        moments = self._steps.since(self.starts_at, MAX_STEPS)
        return next(islice(moments, (self._rule.count or 1) - 1, None), None)

    def _since(self, local: datetime, high: datetime | None = None) -> Iterator[datetime]:
        """The local beginnings from about a local moment until about another."""
        last = self._last if self._rule.count is not None else None
        until = self._rule.until
        for moment in self._steps.since(local, MAX_STEPS, high):
            if last is not None and moment > last:
                return
            if until is not None and (self._utc(moment) if until.tzinfo else moment) > until:
                return
            yield moment

    def _starts(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """The beginnings in UTC from about `begin` until about `end`."""
        # Nothing lies outside of the years that a rule can have, and at the edge of the calendar there is no slack.
        low = max(begin, datetime(_FIRST_YEAR - 1, 1, 1, tzinfo=UTC)).astimezone(UTC).replace(tzinfo=None)
        high = min(end, datetime(9990, 1, 1, tzinfo=UTC)).astimezone(UTC).replace(tzinfo=None) + _SLACK
        for moment in self._since(low - _SLACK, high):
            if moment > high:
                return
            yield self._utc(moment)

    def _utc(self, local: datetime) -> datetime:
        """The moment of a local time. With fold 0 a time that is skipped has the offset from before."""
        return local.replace(tzinfo=self._zone, fold=0).astimezone(UTC)
