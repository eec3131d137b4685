"""A query's text as tokens, read as Prometheus 2.42 reads it (promql/parser/lex.go). Linear, and only as far as asked.

The parser has no other view of the text: what is a comment, a string or a bracket is decided here alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.formatting import quoted
from fleetkeeper.telemetry.promql.literals import unquoted

MAX_QUERY_LENGTH = 65_536
MAX_TOKENS = 20_000
AGGREGATIONS = frozenset(
    [
        "sum",
        "avg",
        "min",
        "max",
        "count",
        "stddev",
        "stdvar",
        "group",
        "topk",
        "bottomk",
        "quantile",
        "count_values",
    ]
)
KEYWORDS = AGGREGATIONS | frozenset(
    [
        "and",
        "or",
        "unless",
        "atan2",
        "offset",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "bool",
        "start",
        "end",
    ]
)
_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*)+")
_NUMBER = re.compile(
    r"(?:0[xX][0-9a-fA-F]*(?:\.[0-9a-fA-F]*)?|[0-9]*(?:\.[0-9]*)?)(?:[eE][+-]?[0-9]*)?(?![0-9A-Za-z_])"
)
_DURATION = re.compile(r"[0-9]+[smhdwy]s?(?:[0-9]+[smhdw]s?)*(?![0-9A-Za-z_])")
_STRING = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"|\'(?:[^\'\\\n]|\\[^\n])*\'|`[^`]*`')
_WORD = re.compile(r"[A-Za-z_:][0-9A-Za-z_:]*")
_LABEL = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")
_OPERATOR = re.compile(r"==|!=|<=|>=|[-+*/%^<>=(),@]")
_MATCH_OPERATOR = re.compile(r"=~|!~|!=|=")
# JSON can carry what no text holds: half of a surrogate pair.
_HALF = re.compile("[\ud800-\udfff]")
_JUNK = re.compile(r"[0-9A-Za-z_.]*")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text: characters [start, end).

    `kind` is `word`, `number`, `duration`, `string` or `eof`; keywords, operators and brackets are their own kind.
    `text` is the spelling, for a string its value.
    """

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens, with one of kind `eof` behind them. Raises BadDataError at what is no token."""
    return _Lexer(text).read()


def wrong(message: str, start: int, end: int) -> BadDataError:
    """The error for these characters of a query."""
    return BadDataError(f"parse error: {message}", (start, end))


class _Lexer:
    def __init__(self, text: str) -> None:
        if len(text) > MAX_QUERY_LENGTH:
            raise BadDataError(f"parse error: a query has at most {MAX_QUERY_LENGTH} characters")
        if half := _HALF.search(text):
            raise wrong("invalid UTF-8 rune", half.start(), half.end())
        self._text = text
        self._at = 0
        # Where brackets that are open began; inside braces and square brackets other rules hold.
        self._parentheses: list[int] = []
        self._brace: int | None = None
        self._bracket: int | None = None

    def read(self) -> Iterator[Token]:
        for _ in range(MAX_TOKENS):
            space = _SPACE.match(self._text, self._at)
            if space:
                self._at = space.end()
            if self._at == len(self._text):
                self._check_closed()
                yield Token("eof", "", self._at, self._at)
                return
            token = self._inside_braces() if self._brace is not None else self._outside()
            self._at = token.end
            yield token
        raise BadDataError(f"parse error: a query has at most {MAX_TOKENS} words and signs")

    def _check_closed(self) -> None:
        if self._brace is not None:
            raise wrong("unexpected end of input inside braces", self._brace, self._brace + 1)
        if self._parentheses:
            raise wrong("unclosed left parenthesis", self._parentheses[-1], self._parentheses[-1] + 1)
        if self._bracket is not None:
            raise wrong("unclosed left bracket", self._bracket, self._bracket + 1)

    def _sign(self, kind: str) -> Token:
        return Token(kind, kind, self._at, self._at + len(kind))

    def _unexpected(self, words: str, length: int = 1) -> BadDataError:
        return wrong(words, self._at, self._at + length)

    def _inside_braces(self) -> Token:
        mark = self._text[self._at]
        if found := _LABEL.match(self._text, self._at):
            return Token("word", found[0], self._at, found.end())
        if mark in "\"'`":
            return self._string()
        if found := _MATCH_OPERATOR.match(self._text, self._at):
            return self._sign(found[0])
        if mark == "}":
            self._brace = None
            return self._sign(mark)
        if mark == ",":
            return self._sign(mark)
        if mark == "{":
            raise self._unexpected("unexpected left brace '{'")
        if mark == "!":
            following = self._text[self._at + 1 : self._at + 2]
            raise self._unexpected(f"unexpected character after '!' inside braces: '{following}'", 2)
        raise self._unexpected(f"unexpected character inside braces: {_shown(mark)}")

    def _outside(self) -> Token:
        text, at = self._text, self._at
        mark = text[at]
        if mark in "0123456789" or (mark == "." and text[at + 1 : at + 2] in _DIGITS):
            return self._number()
        if mark in "\"'`":
            return self._string()
        if self._bracket is None and (found := _WORD.match(text, at)):
            return _word(found[0], at, found.end())
        if mark in _BRACKETS:
            return self._bracket_sign(mark)
        if self._bracket is not None and mark == ":":
            return self._sign(mark)
        if found := _OPERATOR.match(text, at):
            if text.startswith("=~", at):
                raise self._unexpected("unexpected character after '=': '~'", 2)
            return self._sign(found[0])
        if mark == "!":
            following = text[at + 1 : at + 2]
            raise self._unexpected(f"unexpected character after '!': {_shown(following)}", 1 + len(following))
        raise self._unexpected(f"unexpected character: {_shown(mark)}")

    def _bracket_sign(self, mark: str) -> Token:
        if mark == "{":
            self._brace = self._at
        elif mark == "}":
            raise self._unexpected("unexpected character: '}'")
        elif mark == "(":
            self._parentheses.append(self._at)
        elif mark == ")":
            if not self._parentheses:
                raise self._unexpected("unexpected right parenthesis ')'")
            self._parentheses.pop()
        elif mark == "[":
            if self._bracket is not None:
                raise self._unexpected("unexpected left bracket '['")
            self._bracket = self._at
        else:
            if self._bracket is None:
                raise self._unexpected("unexpected right bracket ']'")
            self._bracket = None
        return self._sign(mark)

    def _number(self) -> Token:
        found = _NUMBER.match(self._text, self._at)
        if found and found.end() > self._at:
            return Token("number", found[0], self._at, found.end())
        if found := _DURATION.match(self._text, self._at):
            return Token("duration", found[0], self._at, found.end())
        junk = _JUNK.match(self._text, self._at)
        end = max(self._at + 1, junk.end() if junk else 0)
        raise wrong(
            f"bad number or duration syntax: {quoted(self._text[self._at : end][:100])}", self._at, end
        )

    def _string(self) -> Token:
        found = _STRING.match(self._text, self._at)
        if found is None:
            kind = "raw" if self._text[self._at] == "`" else "quoted"
            raise wrong(f"unterminated {kind} string", self._at, len(self._text))
        return Token("string", unquoted(found[0], self._at), self._at, found.end())


_DIGITS = frozenset("0123456789")
_BRACKETS = frozenset("(){}[]")


def _word(text: str, start: int, end: int) -> Token:
    lower = text.lower()
    if lower in {"inf", "nan"}:
        return Token("number", lower, start, end)
    return Token(lower if lower in KEYWORDS else "word", text, start, end)


def _shown(mark: str) -> str:
    return f"'{mark}'" if mark.isprintable() else f"'{quoted(mark)[1:-1]}'"
