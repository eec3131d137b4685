"""RRULE texts (RFC 5545, section 3.3.10) and the local moments that they give, by counted steps.

One period of the frequency after the other is looked at, and any of them can be looked at first: what happens in a
year costs the same ten years after the start as on its first day, and a rule that never occurs ends. Libraries that
walk from the start to the year 9999 do neither. SECONDLY, MINUTELY, BYSECOND and BYWEEKNO are refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

MAX_RULE_LENGTH = 500
MAX_INTERVAL = 1000
MAX_COUNT = 1000
MAX_TIMES_A_DAY = 48
MAX_YEAR = 9000
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
Frequency = Literal["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]
FREQUENCIES: tuple[Frequency, ...] = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")
_BY_DAY = re.compile(rf"([+-]?\d{{1,2}})?({'|'.join(DAYS)})", re.ASCII)
_UNTIL = re.compile(r"\d{8}(T\d{6}Z?)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,4}", re.ASCII)


class RecurrenceError(ValueError):
    """What is wrong with a recurrence; `field` says where: rrule, timezone, starts_at or duration."""

    def __init__(self, message: str, field: str = "rrule") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


@dataclass(frozen=True)
class Rule:
    """An RRULE with all its parts; lists that are empty do not limit. Days of the week count from Monday, 0."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    week_start: int = 0
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    # The day of the week and which of them in the month or year, 0 for each.
    week_days: tuple[tuple[int, int], ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()


def parse_rule(text: str) -> Rule:
    """The rule of a text, with or without `RRULE:` before it. Raises RecurrenceError."""
    if len(text) > MAX_RULE_LENGTH:
        raise RecurrenceError(f"A rule has at most {MAX_RULE_LENGTH} characters.")
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, sign, value = part.partition("=")
        if not sign or not value:
            raise RecurrenceError("Write the rule as NAME=value parts, such as FREQ=WEEKLY;BYDAY=MO.")
        if name in parts:
            raise RecurrenceError(f"{name} is there twice.")
        if name not in _PARTS:
            raise RecurrenceError(f"{_shown(name)} is not supported. Use {', '.join(_PARTS)}.")
        parts[name] = value
    if "FREQ" not in parts:
        raise RecurrenceError("FREQ is missing.")
    rule = Rule(**{_PARTS[name][0]: _PARTS[name][1](name, value) for name, value in parts.items()})
    _check_together(rule)
    return rule


def _check_together(rule: Rule) -> None:
    if rule.count is not None and rule.until is not None:
        raise RecurrenceError("Use COUNT or UNTIL, not both.")
    if rule.frequency not in {"YEARLY", "MONTHLY"} and any(nth for _, nth in rule.week_days):
        raise RecurrenceError("BYDAY takes numbers (1MO, -1FR) with FREQ=MONTHLY and FREQ=YEARLY only.")
    if rule.frequency == "WEEKLY" and rule.month_days:
        raise RecurrenceError("BYMONTHDAY does not go with FREQ=WEEKLY.")
    if rule.frequency in {"DAILY", "WEEKLY", "MONTHLY"} and rule.year_days:
        raise RecurrenceError("BYYEARDAY goes with FREQ=YEARLY and FREQ=HOURLY only.")
    if max(1, len(rule.hours)) * max(1, len(rule.minutes)) > MAX_TIMES_A_DAY:
        raise RecurrenceError(f"BYHOUR and BYMINUTE give at most {MAX_TIMES_A_DAY} times a day.")
    is_by_something = (
        rule.months or rule.month_days or rule.year_days or rule.week_days or rule.hours or rule.minutes
    )
    if rule.positions and not is_by_something:
        raise RecurrenceError("BYSETPOS needs another BY part.")


def _shown(name: str) -> str:
    return name[:20] if name.isidentifier() else "A part of the rule"


def _frequency(name: str, value: str) -> Frequency:
    for frequency in FREQUENCIES:
        if value == frequency:
            return frequency
    raise RecurrenceError(f"{name} is one of {', '.join(FREQUENCIES)}.")


def _whole(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        number = int(value) if _NUMBER.fullmatch(value) else least - 1
        if not least <= number <= most:
            raise RecurrenceError(f"{name} is a number from {least} to {most}.")
        return number

    return read


def _numbers(least: int, most: int, *, signed: bool = False) -> Callable[[str, str], tuple[int, ...]]:
    def read(name: str, value: str) -> tuple[int, ...]:
        found: set[int] = set()
        for item in value.split(","):
            number = int(item) if _NUMBER.fullmatch(item) else most + 1
            if not least <= (abs(number) if signed else number) <= most:
                words = f"{least} to {most}" + (f" or -{most} to -{least}" if signed else "")
                raise RecurrenceError(f"{name} lists numbers from {words}.")
            found.add(number)
        return tuple(sorted(found))

    return read


def _week_day(name: str, value: str) -> int:
    if value not in DAYS:
        raise RecurrenceError(f"{name} is one of {', '.join(DAYS)}.")
    return DAYS.index(value)


def _week_days(name: str, value: str) -> tuple[tuple[int, int], ...]:
    found: set[tuple[int, int]] = set()
    for item in value.split(","):
        day = _BY_DAY.fullmatch(item)
        nth = int(day[1] or 0) if day else 0
        if day is None or abs(nth) > 53 or (day[1] and nth == 0):
            raise RecurrenceError(f"{name} lists days such as MO,FR, or with numbers from 1 to 53: 1MO,-1FR.")
        found.add((DAYS.index(day[2]), nth))
    return tuple(sorted(found))


def _until(name: str, value: str) -> datetime:
    """A moment in UTC, or a local one; of a date alone its last second."""
    spelling = _UNTIL.fullmatch(value)
    text = value if spelling is None or spelling[1] else f"{value}T235959"
    try:
        moment = datetime.fromisoformat(text) if spelling else None
    except ValueError:
        moment = None
    if moment is None:
        raise RecurrenceError(f"{name} is a date or a time: 20271231 or 20271231T220000Z.")
    return moment.astimezone(UTC) if moment.tzinfo else moment


_PARTS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "FREQ": ("frequency", _frequency),
    "INTERVAL": ("interval", _whole(1, MAX_INTERVAL)),
    "COUNT": ("count", _whole(1, MAX_COUNT)),
    "UNTIL": ("until", _until),
    "BYMONTH": ("months", _numbers(1, 12)),
    "BYMONTHDAY": ("month_days", _numbers(1, 31, signed=True)),
    "BYYEARDAY": ("year_days", _numbers(1, 366, signed=True)),
    "BYDAY": ("week_days", _week_days),
    "BYHOUR": ("hours", _numbers(0, 23)),
    "BYMINUTE": ("minutes", _numbers(0, 59)),
    "BYSETPOS": ("positions", _numbers(1, 366, signed=True)),
    "WKST": ("week_start", _week_day),
}
