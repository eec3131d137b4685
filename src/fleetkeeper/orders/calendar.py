"""Expected deliveries as a calendar file (RFC 5545), which other calendars import. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

# A line has so many octets at most; longer ones go on after a space.
_LINE_OCTETS = 75
_MARKS = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": ""}


@dataclass(frozen=True)
class Delivery:
    """What is expected on a day, and where it is read about."""

    id: UUID
    day: date
    title: str
    details: str
    url: str
    # Calendars take the newer of two versions.
    version: int
    changed_at: datetime


def to_calendar(deliveries: Sequence[Delivery]) -> str:
    """The file: an event of a whole day for each delivery."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Fleetkeeper//Deliveries//EN", "METHOD:PUBLISH"]
    lines += ["NAME:Deliveries", "X-WR-CALNAME:Deliveries"]
    for one in deliveries:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one.id}@fleetkeeper",
            f"DTSTAMP:{one.changed_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"SEQUENCE:{one.version}",
            f"DTSTART;VALUE=DATE:{one.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{one.day + timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_text(one.title)}",
            f"DESCRIPTION:{_text(one.details)}",
            f"URL:{one.url}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _text(value: str) -> str:
    plain = "".join(mark for mark in value if mark in "\n\t" or mark.isprintable())
    return "".join(_MARKS.get(mark, mark) for mark in plain)


def _folded(line: str) -> Iterator[str]:
    """The line in parts of so many octets; no character is cut."""
    part, octets = "", 0
    for mark in line:
        size = len(mark.encode())
        if octets + size > _LINE_OCTETS:
            yield part
            part, octets = " ", 1
        part += mark
        octets += size
    yield part
