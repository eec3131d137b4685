"""Regular expressions as Prometheus has them: RE2's syntax, linear time, always over the whole value."""

import re
from functools import lru_cache
from typing import Any

import re2

MAX_PATTERN_MEMORY = 8 * 1024 * 1024
_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))", re.ASCII)


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Any:
    """The pattern ready for `fullmatch`; None when it is none, or too large."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_PATTERN_MEMORY
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError):
        return None


def expand(template: str, found: Any) -> str:
    """`$1`, `${1}`, `$name` and `$$` in a template replaced as Go's `Expand` does; unknown groups are empty."""
    names = found.re.groupindex

    def group(reference: re.Match[str]) -> str:
        if reference.group(1):
            return "$"
        name = reference.group(2) or reference.group(3)
        index = int(name) if name.isdigit() and len(name) < 6 else names.get(name, -1)
        if not 0 <= index <= found.re.groups:
            return ""
        return found.group(index) or ""

    return _REFERENCE.sub(group, template)
