"""Durations as Prometheus writes them, such as 1h30m (common/model/time.go)."""

import re

_UNITS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_SHAPE = re.compile("".join(rf"(?:([0-9]+){unit})?" for unit in _UNITS))
# Go keeps nanoseconds in 63 bits.
_MOST_MS = (2**63 - 1) // 1_000_000


def milliseconds(text: str) -> int:
    """How long a duration is. Raises ValueError."""
    found = _SHAPE.fullmatch(text) if len(text) <= 100 else None
    if text == "0":
        return 0
    if not text or found is None:
        raise ValueError("Not a duration; write 30s, 5m or 1h30m")
    total = sum(
        int(number) * unit for number, unit in zip(found.groups(), _UNITS.values(), strict=True) if number
    )
    if total > _MOST_MS:
        raise ValueError("Too long")
    return total


def duration(total: int) -> str:
    """The text of so many milliseconds."""
    parts = []
    for name, unit in _UNITS.items():
        # Years and weeks only where nothing is left over, as Prometheus does.
        if name in {"y", "w"} and total % unit:
            continue
        number, total = divmod(total, unit)
        parts += [f"{number}{name}"] if number else []
    return "".join(parts) or "0s"


def seconds_in(text: str) -> int:
    """How many seconds a person entered: a duration, or a plain number. Raises ValueError."""
    compact = "".join(text.split()).lower()
    total = milliseconds(f"{compact}s" if compact.isascii() and compact.isdigit() else compact)
    if total % 1000:
        raise ValueError("Must be whole seconds")
    return total // 1000


def duration_words(seconds: int) -> str:
    """So many seconds as people read and enter them, such as 5m."""
    return duration(seconds * 1000)
