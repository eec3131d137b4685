"""The patterns of a query together, and what `label_replace` makes of their groups."""

import re
from collections.abc import Mapping
from typing import Any

from fleetkeeper.kit.expressions import MAX_WEIGHT, PatternError, compile_pattern, weight_of

MAX_PATTERNS = 100
_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))", re.ASCII)


class PatternBudget:
    """What patterns may cost together: those of a query, or of all queries that come in one request."""

    def __init__(self, times: int = 1) -> None:
        self._seen: set[str] = set()
        self._left = times * MAX_WEIGHT
        self._most = times * MAX_PATTERNS

    def problem_of(self, text: str) -> str | None:
        """What is wrong with a pattern."""
        if text in self._seen:
            return None
        self._seen.add(text)
        try:
            self._left -= weight_of(text)
            if self._left < 0 or len(self._seen) > self._most:
                return f"the patterns are too large together, or more than {self._most}"
            compile_pattern(text)
        except PatternError as error:
            return str(error)
        return None


def expand(template: str, found: Any, most: int) -> str | None:
    """`$1`, `${1}`, `$name` and `$$` in a template replaced as Go's `Expand` does; unknown groups are empty.

    None when it would be longer than `most` characters.
    """
    names = found.re.groupindex
    pieces: list[str] = []
    left, last = most, 0
    for reference in _REFERENCE.finditer(template):
        pieces += (template[last : reference.start()], _group(reference, found, names))
        last = reference.end()
        left -= len(pieces[-2]) + len(pieces[-1])
        if left < 0:
            return None
    pieces.append(template[last:])
    return "".join(pieces) if len(pieces[-1]) <= left else None


def _group(reference: re.Match[str], found: Any, names: Mapping[str, int]) -> str:
    if reference[1]:
        return "$"
    name = reference[2] or reference[3]
    index = int(name) if name.isdigit() and len(name) < 6 else names.get(name, -1)
    if not 0 <= index <= found.re.groups:
        return ""
    return found.group(index) or ""
