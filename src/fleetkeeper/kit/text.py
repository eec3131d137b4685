"""What texts from outside may hold."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether PostgreSQL's UTF-8 knows each character: there is no NUL and no half of a surrogate pair."""
    return _UNSTORABLE.search(text) is None


def spelled_out(text: str) -> str:
    """The text with an escape in the place of each character that shows nothing, or turns others round."""
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


def printable(text: str) -> str:
    """The text with a mark in the place of each character that shows nothing, turns others round or moves a cursor."""
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)
