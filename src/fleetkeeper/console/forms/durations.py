"""Durations in forms: entered as 30s, 5m or 1h30m, kept as seconds. Pure."""

from pydantic.fields import FieldInfo

from fleetkeeper.console.forms.schema_fields import bounds_of
from fleetkeeper.kit.durations import duration_words, seconds_in

EXAMPLES = "Such as 30s, 5m or 1h"


def duration_text(value: object) -> str:
    """A number of seconds as its field shows it."""
    return duration_words(value) if isinstance(value, int) else ""


def entered_seconds(text: str, info: FieldInfo) -> int:
    """What was entered, within the schema's bounds. Raises ValueError with the cure."""
    try:
        seconds = seconds_in(text)
    except ValueError:
        raise ValueError("Enter a duration such as 30s, 5m or 1h") from None
    least, most = bounds_of(info)
    if least and seconds < int(least):
        raise ValueError(f"Enter at least {duration_words(int(least))}")
    if most and seconds > int(most):
        raise ValueError(f"Enter at most {duration_words(int(most))}")
    return seconds
