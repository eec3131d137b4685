"""Days that a list is narrowed to, as the reader's calendar has them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.clock import parse_time


@dataclass(frozen=True)
class DayFilter:
    """A filter for a day that is always in sight."""

    name: str
    title: str
    # The field and operator that the day's beginning is compared by, such as `timestamp__gte`.
    compared: str
    zone: ZoneInfo
    # Whether the day itself is still meant: then its end is compared.
    is_last: bool = False

    kind = "date"
    choices = ()
    otherwise: tuple[tuple[str, str], ...] = ()
    everything = ""

    def meaning(self, text: str) -> tuple[tuple[str, str], ...]:
        """What the service is asked for. Raises InvalidInputError for a day that is none."""
        try:
            return ((self.compared, begin_of(text, self.zone, is_following=self.is_last)),)
        except (ValueError, OverflowError):
            raise day_wrong(self.name) from None

    @property
    def hint(self) -> str:
        """Where the day begins."""
        return f"Days in {self.zone.key}"


def begin_of(text: str, zone: ZoneInfo, *, is_following: bool = False) -> str:
    """When a day begins, or the one after it. Raises ValueError or OverflowError for what is no day of a sample."""
    day = date.fromisoformat(text) + timedelta(days=is_following)
    begin = datetime.combine(day, time(), zone).isoformat()
    parse_time(begin)
    return begin


def day_wrong(name: str) -> InvalidInputError:
    """A filter's value is no day."""
    return InvalidInputError(
        "The filter is wrong.", fields=[FieldError(name, "Must be a day, such as 2026-11-21")]
    )


def zone_of(name: str | None) -> ZoneInfo:
    """A reader's time zone; UTC for one that is not set or not known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
