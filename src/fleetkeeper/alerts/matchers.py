r"""Conditions on labels in Alertmanager's spelling, as amtool, silences and routes write them.

The grammar is that of Alertmanager 0.25 (pkg/labels/parse.go, "classic" matchers): `foo = bar`, `{a="b", c!~"d|e"}`;
in values `\"`, `\\` and `\n` are escapes, and any other backslash stands for itself. As since Alertmanager 0.27, a
label's name may stand in quotes, so that names like `"k8s.pod.name"` can be used.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from fleetkeeper.kit.expressions import PatternError, compile_pattern
from fleetkeeper.kit.text import is_storable

MAX_TEXT_LENGTH = 16_384
MAX_MATCHERS = 100
Operator = Literal["=", "!=", "=~", "!~"]
OPERATORS = frozenset({"=", "!=", "=~", "!~"})
_PLAIN_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_HEAD = re.compile(
    r'[ \t\n\f\r]*(?:([a-zA-Z_:][a-zA-Z0-9_:]*)|"((?:[^"\\]|\\.)*)")[ \t\n\f\r]*(=~|=|!=|!~)[ \t\n\f\r]*',
    re.DOTALL,
)
_PART = re.compile(r'(?:[^",\\]|\\.|\\\Z|"(?:[^"\\]|\\.|\\\Z)*(?:"|\Z))*', re.DOTALL)
_ESCAPE = re.compile(r'\\([n"\\])')
_BARE_QUOTE = re.compile(r'(?:[^"\\]|\\.|\\\Z)*(")', re.DOTALL)


class MatcherError(ValueError):
    """Why a text is no list of matchers. `column` is the place in the text, from 1; None where there is no text."""

    def __init__(self, message: str, column: int | None = None) -> None:
        super().__init__(message if column is None else f"Column {column}: {message}")
        self.message = message
        self.column = column


@dataclass(frozen=True, order=True)
class LabelMatcher:
    """A condition on one label. Patterns are RE2's and match the whole value; a missing label is an empty one.

    Raises MatcherError when it is made with a name, an operator or a pattern that is none.
    """

    name: str
    op: Operator
    value: str

    def __post_init__(self) -> None:
        if not self.name:
            raise MatcherError("The label's name is missing.")
        if self.op not in OPERATORS:
            raise MatcherError("The operator is one of =, !=, =~ and !~.")
        if not is_storable(self.name + self.value):
            raise MatcherError("Names and values hold neither NUL nor half of a surrogate pair.")
        if len(self.name) + len(self.value) > MAX_TEXT_LENGTH:
            raise MatcherError(f"A matcher has at most {MAX_TEXT_LENGTH} characters.")
        if self.is_regex:
            try:
                compile_pattern(self.value)
            except PatternError as error:
                raise MatcherError(f"The pattern is not a regular expression of RE2: {error}.") from None

    def __str__(self) -> str:
        name = self.name if _PLAIN_NAME.fullmatch(self.name) else _quoted(self.name)
        return f"{name}{self.op}{_quoted(self.value)}"

    @property
    def is_regex(self) -> bool:
        """Whether the value is a pattern."""
        return self.op in {"=~", "!~"}

    @property
    def is_equal(self) -> bool:
        """Whether what fits the value matches, and not all else."""
        return self.op in {"=", "=~"}

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fulfill it."""
        value = labels.get(self.name, "")
        fits = (
            compile_pattern(self.value).fullmatch(value) is not None if self.is_regex else value == self.value
        )
        return fits is self.is_equal

    def to_json(self) -> dict[str, Any]:
        """The matcher as Alertmanager's API has it."""
        return {
            "name": self.name,
            "value": self.value,
            "isRegex": self.is_regex,
            "isEqual": self.is_equal,
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "LabelMatcher":
        """A matcher from Alertmanager's API; without `isEqual` it is one. Raises MatcherError."""
        name, value = fields.get("name"), fields.get("value")
        is_regex, is_equal = fields.get("isRegex", False), fields.get("isEqual", True)
        if not isinstance(name, str) or not isinstance(value, str):
            raise MatcherError("A matcher has a name and a value, both texts.")
        if not isinstance(is_regex, bool) or not isinstance(is_equal, bool):
            raise MatcherError("isRegex and isEqual are true or false.")
        return cls(name, cast("Operator", ("=" if is_equal else "!") + _SECOND[is_regex, is_equal]), value)


_SECOND = {(False, True): "", (True, True): "~", (False, False): "=", (True, False): "~"}


def match_all(matchers: Iterable[LabelMatcher], labels: Mapping[str, str]) -> bool:
    """Whether the labels fulfill each of them."""
    return all(matcher.matches(labels) for matcher in matchers)


def format_matchers(matchers: Iterable[LabelMatcher]) -> str:
    """The matchers as one text in braces, which parses to the same."""
    return f"{{{', '.join(map(str, matchers))}}}"


def parse_matchers(text: str) -> tuple[LabelMatcher, ...]:
    """The matchers of a text, with or without braces around them. Raises MatcherError with the place."""
    if len(text) > MAX_TEXT_LENGTH:
        raise MatcherError(f"Matchers have at most {MAX_TEXT_LENGTH} characters.", MAX_TEXT_LENGTH + 1)
    start = 1 if text.startswith("{") else 0
    end = len(text) - 1 if text.endswith("}") and len(text) > start else len(text)
    found: list[LabelMatcher] = []
    for first, part in _parts(text, start, end):
        if len(found) == MAX_MATCHERS:
            raise MatcherError(f"There are at most {MAX_MATCHERS} matchers.", first + 1)
        found.append(_matcher(part, first))
    return tuple(found)


def _parts(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    """What stands between commas outside of quotes, and where it begins; not a blank rest behind the last comma."""
    while start < end:
        part = cast("re.Match[str]", _PART.match(text, start, end))
        is_last = part.end() == end
        if is_last and not part[0].strip():
            return
        yield start, part[0]
        start = part.end() + 1


def _matcher(part: str, first: int) -> LabelMatcher:
    head = _HEAD.match(part)
    if head is None:
        column = first + len(part) - len(part.lstrip()) + 1
        raise MatcherError('Expected a matcher like name="value", with one of =, !=, =~ and !~.', column)
    name = head[1] if head[1] is not None else _unescaped(head[2])
    at = first + head.end() + 1
    try:
        return LabelMatcher(name, cast("Operator", head[3]), _value(part[head.end() :].rstrip(), at))
    except MatcherError as error:
        raise error if error.column is not None else MatcherError(error.message, at) from None


def _value(raw: str, column: int) -> str:
    is_quoted = raw.startswith('"')
    inner = raw[1:] if is_quoted else raw
    quote = _BARE_QUOTE.match(inner)
    if not is_quoted:
        if quote is not None:
            raise MatcherError('A double quote within a value is written \\".', column + quote.start(1))
        return _unescaped(inner)
    if quote is None:
        raise MatcherError("The closing double quote is missing.", column)
    if quote.end() < len(inner):
        raise MatcherError("Expected a comma or the end behind the closing quote.", column + quote.end() + 1)
    return _unescaped(inner[:-1])


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'"{escaped}"'
