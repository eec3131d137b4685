"""Durations as people write them: `10`, `10s`, `5m`, `1h30m`, `7d`."""

import re
from typing import Final

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def parse_duration(text: str) -> float:
    """Return the duration in seconds; a number alone is seconds.

    Raises ValueError, with a message for people, for anything else.
    """
    compact = text.strip().lower().replace(" ", "")
    if re.fullmatch(r"\d+(?:\.\d+)?", compact):
        return float(compact)
    if not re.fullmatch(f"(?:{_PART.pattern})+", compact):
        raise ValueError(f"{text!r} is no duration; write for example 90s, 10m, 1h30m or 7d")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(compact))
