"""Regular expressions that people enter: RE2's syntax, in linear time, and never larger than a bound."""

import re
from functools import lru_cache
from typing import Any

import re2

# A pattern that is ready may take so much memory while it matches, and so many are kept.
MAX_PATTERN_MEMORY = 1024 * 1024
KEPT_PATTERNS = 512
# What patterns may cost to make ready, in about a microsecond each.
MAX_WEIGHT = 150_000
_CLASS = 12
_UNICODE_CLASS = 4000
_REPEATS = frozenset("*+?")
_ATOM = re.compile(
    r"""
    \\Q(?P<quoted>.*?)(?:\\E|\Z)
    | \\[pP](?P<unicode>\{[^}]*\}|.)
    | \\[dDwWsS](?P<perl>)
    | \\x\{[0-9a-fA-F]*\}
    | \\.
    | \{(?P<least>\d{1,5})(?P<comma>,(?P<most>\d{0,5}))?\}
    | (?P<mark>[()\[|.])
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


class PatternError(ValueError):
    """Why a text is no pattern, or one that is too large."""


@lru_cache(maxsize=KEPT_PATTERNS)
def compile_pattern(text: str, *, groups: bool = False) -> Any:
    """The pattern ready for `fullmatch`, without its groups if they are not asked for. Raises PatternError."""
    if weight_of(text) > MAX_WEIGHT:
        raise PatternError("expression too large")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_PATTERN_MEMORY
    # To remember where thousands of groups begin takes gigabytes.
    options.never_capture = not groups
    try:
        return re2.compile(text, options)
    except re2.error as error:
        message = error.args[0] if error.args else error
        raise PatternError(
            message.decode(errors="replace") if isinstance(message, bytes) else str(message)
        ) from None
    except UnicodeError:
        raise PatternError("invalid UTF-8") from None


def weight_of(text: str) -> int:
    """What it may cost to make a pattern ready: its length, with classes and repetitions as what becomes of them.

    Raises PatternError for what RE2 knows and Go does not.
    """
    # The weights of the groups that are open, and of what came last, which a repetition takes several times.
    groups, last = [0], 0
    position = 0
    while found := _ATOM.match(text, position):
        _check_known(text, found)
        position = found.end()
        if found["least"] is not None:
            last, groups[-1] = _repeated(found, last, groups[-1])
        elif found["mark"] == "(":
            groups.append(0)
            last = 0
        else:
            if found["mark"] == ")" and len(groups) > 1:
                last = groups.pop() + 2
            elif found["mark"] == "[":
                last, position = _bracketed(text, position)
            elif found[0] not in _REPEATS:
                last = _weight_of_atom(found)
            groups[-1] = min(groups[-1] + (1 if found[0] in _REPEATS else last), 2 * MAX_WEIGHT)
    return sum(groups)


def _check_known(text: str, found: re.Match[str]) -> None:
    r"""`\C` is a byte to RE2, and `(?<name>…)` newer than Prometheus 2.42."""
    if found[0] == "\\C" or text.startswith("(?<", found.start()):
        raise PatternError(f"invalid escape sequence or group: {text[found.start() : found.end() + 2]}")
    if found["quoted"] is not None and not found[0].endswith("\\E"):
        # Prometheus puts its own brackets around a pattern, and this would swallow them.
        raise PatternError("missing closing )")


def _weight_of_atom(found: re.Match[str]) -> int:
    if found["quoted"] is not None:
        return len(found["quoted"])
    if found["unicode"] is not None:
        return _UNICODE_CLASS
    return _CLASS if found["perl"] is not None or found["mark"] == "." else 1


def _repeated(found: re.Match[str], last: int, total: int) -> tuple[int, int]:
    least = int(found["least"])
    times = max(1, least, int(found["most"] or (least + 1 if found["comma"] else 0)))
    weight = min(last * times, 2 * MAX_WEIGHT)
    return weight, min(total + weight - last, 2 * MAX_WEIGHT)


_IN_CLASS = re.compile(r"\\[pP](?P<unicode>\{[^}]*\}|.)|\[:\^?\w+:\]|\\.|[^\]]", re.DOTALL)


def _bracketed(text: str, position: int) -> tuple[int, int]:
    """The weight of a class whose bracket was read, and where it ends. A bracket that comes first is one of it."""
    weight = _CLASS
    for first in ("^", "]"):
        if text.startswith(first, position):
            position += 1
    while found := _IN_CLASS.match(text, position):
        weight += _UNICODE_CLASS if found["unicode"] is not None else 2
        position = found.end()
    return weight, position + 1
