"""Numbers for people: the humanize functions of Prometheus 2.42 (template/template.go)."""

from fleetkeeper.alerts.templates.numbers import general

_LARGE = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_LARGE_BINARY = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_SMALL = ("m", "u", "n", "p", "f", "a", "z", "y")


def _is_special(value: float) -> bool:
    return value == 0 or value - value != 0


def _scaled(value: float, prefixes: tuple[str, ...], factor: float) -> tuple[float, str]:
    prefix = ""
    for item in prefixes:
        if abs(value) < factor:
            break
        prefix, value = item, value / factor
    return value, prefix


def _enlarged(value: float) -> tuple[float, str]:
    prefix = ""
    for item in _SMALL:
        if abs(value) >= 1:
            break
        prefix, value = item, value * 1000
    return value, prefix


def humanize(value: float) -> str:
    """With a metric prefix: 1.235M, 120m."""
    if _is_special(value):
        return general(value, 4)
    scaled, prefix = _scaled(value, _LARGE, 1000) if abs(value) >= 1 else _enlarged(value)
    return general(scaled, 4) + prefix


def humanize_1024(value: float) -> str:
    """With a binary prefix: 1.177Mi."""
    if _is_special(value) or abs(value) <= 1:
        return general(value, 4)
    scaled, prefix = _scaled(value, _LARGE_BINARY, 1024)
    return general(scaled, 4) + prefix


def humanize_duration(seconds: float) -> str:
    """Seconds as days to seconds, or with a prefix where they are fewer than one: 1d 0h 0m 0s, 120ms."""
    if _is_special(seconds):
        return general(seconds, 4) + ("s" if seconds == 0 else "")
    if abs(seconds) < 1:
        scaled, prefix = _enlarged(seconds)
        return f"{general(scaled, 4)}{prefix}s"
    sign = "-" if seconds < 0 else ""
    minutes, rest = divmod(int(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {rest}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {rest}s"
    if minutes:
        return f"{sign}{minutes}m {rest}s"
    return f"{sign}{general(abs(seconds), 4)}s"


def humanize_percentage(ratio: float) -> str:
    """A ratio as a percentage: 12.35%."""
    return general(ratio * 100, 4) + "%"
