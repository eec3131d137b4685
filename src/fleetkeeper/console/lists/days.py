"""Days that a list is narrowed to, as the reader's calendar has them. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fleetkeeper.errors import FieldError, InvalidInputError


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
            day = date.fromisoformat(text) + timedelta(days=self.is_last)
            return ((self.compared, datetime.combine(day, time(), self.zone).isoformat()),)
        except (ValueError, OverflowError):
            raise InvalidInputError(
                "The filter is wrong.", fields=[FieldError(self.name, "Must be a day, such as 2026-11-21")]
            ) from None

    @property
    def hint(self) -> str:
        """Where the day begins."""
        return f"Days in {self.zone.key}"


def zone_of(name: str | None) -> ZoneInfo:
    """A reader's time zone; UTC for one that is not set or not known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
