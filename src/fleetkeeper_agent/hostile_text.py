"""Text that others chose: names of processes, hosts, mounts and users may hold any bytes."""

import re

# Control characters, surrogates, and the marks that reverse the direction of what follows them on a screen.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def clean(value: str | bytes, limit: int = 300) -> str:
    """Return the value as text for every sink: valid Unicode, one line, no NUL, at most `limit` long."""
    if isinstance(value, bytes):
        value = value[: limit * 4].decode("utf-8", "replace")
    return _UNSAFE.sub(_replacement, value[:limit]).strip()


def _replacement(match: re.Match[str]) -> str:
    return " " if match[0] in "\t\n\r\v\f" else "\ufffd"


def clean_or_none(value: str | bytes | None, limit: int = 300) -> str | None:
    """Like `clean`, but nothing stays None, and so does a text with nothing in it."""
    return (clean(value, limit) or None) if value else None
