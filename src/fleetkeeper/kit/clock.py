"""The time, always aware and in UTC."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """Read epoch seconds or RFC 3339.

    Raises ValueError for anything else, for a time without zone, and for years outside 1970 to 9999.
    """
    try:
        seconds = float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("a time needs its zone, such as 2026-11-21T10:00:00Z") from None
        # Near the ends of what `datetime` holds, a change of zone would overflow.
        if not 1970 <= moment.year < 9999:
            raise ValueError("a time lies between 1970 and 9999") from None
        return moment.astimezone(UTC)
    if not 0 <= seconds < 253_402_300_800:
        raise ValueError("a time in epoch seconds lies between 1970 and 9999")
    return datetime.fromtimestamp(seconds, UTC)
