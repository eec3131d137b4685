"""What texts from outside may hold."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether PostgreSQL's UTF-8 knows each character: there is no NUL and no half of a surrogate pair."""
    return _UNSTORABLE.search(text) is None
