"""Moments in templates: what `toTime` gives, and Go's layouts of them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from fleetkeeper.alerts.templates.errors import FunctionError
from fleetkeeper.alerts.templates.numbers import named

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Go counts nanoseconds in 64 bits.
_MOST_NANOSECONDS = 2**63
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LAYOUT = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|__2|002|_2|0[1-6]|15|PM|pm"
    r"|Z07:00:00|Z070000|Z07:00|Z0700|Z07|-07:00:00|-070000|-07:00|-0700|-07|[.,]0+(?!\d)|[.,]9+(?!\d)|[1-5]"
)


class Moment:
    """A time in UTC, in milliseconds as Prometheus has them."""

    def __init__(self, seconds: float) -> None:
        """Raises FunctionError for a number that is no moment."""
        if seconds != seconds or seconds in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN
            raise FunctionError("value is NaN or Inf")
        nanoseconds = seconds * 1e9
        if not -_MOST_NANOSECONDS <= nanoseconds < _MOST_NANOSECONDS:
            raise FunctionError(f"{seconds} is too far away to be a time")
        self.milliseconds = (
            int(int(nanoseconds) / 1_000_000) if nanoseconds >= 0 else -(-int(nanoseconds) // 1_000_000)
        )

    @property
    def utc(self) -> datetime:
        """The moment as Python has it."""
        return _EPOCH + timedelta(milliseconds=self.milliseconds)

    def __str__(self) -> str:
        return self.format("2006-01-02 15:04:05.999999999 -0700 MST")

    def format(self, layout: str) -> str:
        """The moment in a layout, which is how Go would write 2006-01-02 15:04:05."""
        return _LAYOUT.sub(lambda found: _part(self.utc, found[0]), layout)


def _part(moment: datetime, part: str) -> str:
    if part in _PARTS:
        return _PARTS[part](moment)
    if part[0] in ".,":
        digits = f"{moment.microsecond:06d}000"[: len(part) - 1].ljust(len(part) - 1, "0")
        digits = digits.rstrip("0") if part[1] == "9" else digits
        return part[0] + digits if digits else ""
    # What is left are spellings of the distance from UTC.
    return "Z" if part[0] == "Z" else re.sub("[0-9]", "0", part).replace("-", "+")


_PARTS: dict[str, Callable[[datetime], str]] = {
    "2006": lambda moment: f"{moment.year:04d}",
    "06": lambda moment: f"{moment.year % 100:02d}",
    "January": lambda moment: _MONTHS[moment.month - 1],
    "Jan": lambda moment: _MONTHS[moment.month - 1][:3],
    "01": lambda moment: f"{moment.month:02d}",
    "1": lambda moment: str(moment.month),
    "Monday": lambda moment: _DAYS[moment.weekday()],
    "Mon": lambda moment: _DAYS[moment.weekday()][:3],
    "02": lambda moment: f"{moment.day:02d}",
    "_2": lambda moment: f"{moment.day:2d}",
    "2": lambda moment: str(moment.day),
    "002": lambda moment: f"{moment.timetuple().tm_yday:03d}",
    "__2": lambda moment: f"{moment.timetuple().tm_yday:3d}",
    "15": lambda moment: f"{moment.hour:02d}",
    "03": lambda moment: f"{moment.hour % 12 or 12:02d}",
    "3": lambda moment: str(moment.hour % 12 or 12),
    "04": lambda moment: f"{moment.minute:02d}",
    "4": lambda moment: str(moment.minute),
    "05": lambda moment: f"{moment.second:02d}",
    "5": lambda moment: str(moment.second),
    "PM": lambda moment: "PM" if moment.hour >= 12 else "AM",
    "pm": lambda moment: "pm" if moment.hour >= 12 else "am",
    "MST": lambda _: "UTC",
}
_METHODS: dict[str, Callable[[Moment], object]] = {
    "Year": lambda moment: moment.utc.year,
    "Month": lambda moment: _MONTHS[moment.utc.month - 1],
    "Day": lambda moment: moment.utc.day,
    "Weekday": lambda moment: _DAYS[moment.utc.weekday()],
    "YearDay": lambda moment: moment.utc.timetuple().tm_yday,
    "Hour": lambda moment: moment.utc.hour,
    "Minute": lambda moment: moment.utc.minute,
    "Second": lambda moment: moment.utc.second,
    "Unix": lambda moment: moment.milliseconds // 1000,
    "UnixMilli": lambda moment: moment.milliseconds,
    "String": str,
    "UTC": lambda moment: moment,
}


def call_method(moment: Moment, name: str, arguments: list[object]) -> object:
    """What a method of Go's time.Time gives. Raises FunctionError."""
    if name == "Format":
        if len(arguments) != 1 or not isinstance(arguments[0], str):
            raise FunctionError("Format takes a layout such as “2006-01-02”")
        return moment.format(arguments[0])
    method = _METHODS.get(name)
    if method is None:
        raise FunctionError(f"a time has no field {name[:50]!r}")
    if arguments:
        raise FunctionError(f"{name} takes no arguments")
    return method(moment)


def humanize_timestamp(seconds: float) -> str:
    """The moment as text; numbers that are not finite by their names."""
    try:
        return str(Moment(seconds))
    except FunctionError:
        if seconds - seconds != 0:
            return named(seconds)
        raise
