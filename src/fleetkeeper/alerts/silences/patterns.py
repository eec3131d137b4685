"""The recurrences that have plain words: a choice and its details on one side, an RRULE on the other. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from fleetkeeper.alerts.recurrence_rules import DAYS, Rule, parse_rule

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
LAST = -1


class Repeats(StrEnum):
    """How often something happens again."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY_ON_DAY = "monthly_on_day"
    MONTHLY_ON_WEEKDAY = "monthly_on_weekday"
    CUSTOM = "custom"


@dataclass(frozen=True)
class Pattern:
    """A recurrence in plain words. Days of the week count from Monday, 0; `LAST` is the last day or weekday."""

    repeats: Repeats
    week_days: tuple[int, ...] = ()
    month_day: int = 1
    ordinal: int = 1

    @property
    def rrule(self) -> str | None:
        """The same as an RRULE; None for what never repeats. A custom one has a text of its own."""
        days = ",".join(DAYS[day] for day in self.week_days)
        match self.repeats:
            case Repeats.DAILY:
                return "FREQ=DAILY"
            case Repeats.WEEKLY:
                return f"FREQ=WEEKLY;BYDAY={days}" if days else "FREQ=WEEKLY"
            case Repeats.MONTHLY_ON_DAY:
                return f"FREQ=MONTHLY;BYMONTHDAY={self.month_day}"
            case Repeats.MONTHLY_ON_WEEKDAY:
                return f"FREQ=MONTHLY;BYDAY={self.ordinal}{days}"
            case _:
                return None

    @property
    def words(self) -> str:
        """As people say it, such as `Every Monday and Friday`."""
        names = [DAY_NAMES[day] for day in self.week_days]
        match self.repeats:
            case Repeats.DAILY:
                return "Every day"
            case Repeats.WEEKLY:
                *others, last = names
                return f"Every {', '.join(others)} and {last}" if others else f"Every {last}"
            case Repeats.MONTHLY_ON_DAY:
                day = "the last day" if self.month_day == LAST else f"day {self.month_day}"
                return f"On {day} of every month"
            case Repeats.MONTHLY_ON_WEEKDAY:
                return f"On the {ORDINALS[self.ordinal]} {names[0]} of every month"
            case _:
                return ""


def pattern_of(rrule: str, start: datetime) -> Pattern | None:
    """The plain words for an RRULE that starts at a local time; None where there are none. Raises RecurrenceError."""
    rule = parse_rule(rrule)
    days = tuple(sorted({day for day, _ in rule.week_days}))
    if rule == Rule("DAILY"):
        return Pattern(Repeats.DAILY)
    if rule == Rule("WEEKLY", week_days=tuple((day, 0) for day in days)):
        return Pattern(Repeats.WEEKLY, days or (start.weekday(),))
    if rule.frequency != "MONTHLY" or replace(rule, month_days=(), week_days=()) != Rule("MONTHLY"):
        return None
    return _monthly(rule, start)


def _monthly(rule: Rule, start: datetime) -> Pattern | None:
    if not rule.week_days:
        month_days = rule.month_days or (start.day,)
        is_plain = len(month_days) == 1 and month_days[0] >= LAST
        return Pattern(Repeats.MONTHLY_ON_DAY, month_day=month_days[0]) if is_plain else None
    (day, ordinal), *others = rule.week_days
    if others or rule.month_days or ordinal not in ORDINALS:
        return None
    return Pattern(Repeats.MONTHLY_ON_WEEKDAY, (day,), ordinal=ordinal)
