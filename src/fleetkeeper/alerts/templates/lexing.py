"""A template's text as tokens, as text/template/parse/lex.go of Go 1.19 cuts it."""

import re
from dataclasses import dataclass

from fleetkeeper.alerts.templates.errors import TemplateError, error_at
from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.literals import unquoted

MAX_TEXT_LENGTH = 32_768
_BLANKS = " \t\r\n"
_SPACE = re.compile(r"[ \t\r\n]+")
_LEFT_TRIM = re.compile(r"-[ \t\r\n]")
_RIGHT = re.compile(r"}}|[ \t\r\n]-}}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]+)?|0[oO][0-7_]*|0[bB][01_]*"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]+)?)"
)
_WORD = re.compile(r"\w+")
_STRING = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')
_CHARACTER = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'")
_RAW = re.compile(r"`[^`]*`")
_SIGN = re.compile(r":=|[=|(),]")
_ENDS_WORD = frozenset(" \t\r\n.,|:)(")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a template, and where it begins.

    `kind` is `text`, `right` (the end of an action), `word`, `field`, `dot`, `variable`, `number`, `string`,
    `character`, `eof`, or the sign itself. `text` is the spelling, for strings the value. `spaced` says that
    blanks stand before it.
    """

    kind: str
    text: str
    at: int
    spaced: bool = False


def tokens(text: str) -> list[Token]:
    """The tokens of a template, `eof` last. Raises TemplateError."""
    if len(text) > MAX_TEXT_LENGTH:
        raise error_at(text, MAX_TEXT_LENGTH, f"a template has at most {MAX_TEXT_LENGTH} characters")
    return _Lexer(text).read()


class _Lexer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: list[Token] = []

    def read(self) -> list[Token]:
        trims = False
        while (left := self._text.find("{{", self._at)) >= 0:
            inside = left + 2
            trims_before = _LEFT_TRIM.match(self._text, inside) is not None
            self._add_text(left, before=trims, behind=trims_before)
            self._at = inside + (1 if trims_before else 0)
            trims = self._comment(left) if self._starts_comment() else self._action(left)
        self._add_text(len(self._text), before=trims, behind=False)
        self._found.append(Token("eof", "", len(self._text)))
        return self._found

    def _add_text(self, end: int, *, before: bool, behind: bool) -> None:
        text = self._text[self._at : end]
        text = text.lstrip(_BLANKS) if before else text
        text = text.rstrip(_BLANKS) if behind else text
        if text:
            self._found.append(Token("text", text, self._at))

    def _wrong(self, message: str, at: int | None = None) -> TemplateError:
        return error_at(self._text, self._at if at is None else at, message)

    def _starts_comment(self) -> bool:
        # Behind a trim marker blanks may stand before it.
        at = self._at + (1 if self._text[self._at - 1] == "-" else 0)
        return self._text.startswith("/*", at)

    def _comment(self, left: int) -> bool:
        found = _COMMENT.match(self._text, self._text.index("/*", self._at))
        if found is None:
            raise self._wrong("unclosed comment", left)
        right = _RIGHT.match(self._text, found.end())
        if right is None:
            raise self._wrong("comment ends before closing delimiter", found.end())
        self._at = right.end()
        return right[0] != "}}"

    def _action(self, left: int) -> bool:
        """The tokens until the end of an action; gives whether blanks behind it are trimmed."""
        depth = 0
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            trims = space is not None and self._text.startswith("-}}", self._at)
            if trims or self._text.startswith("}}", self._at):
                if depth:
                    raise self._wrong("unclosed left paren")
                self._found.append(Token("right", "}}", self._at, spaced=True))
                self._at += 3 if trims else 2
                return trims
            if self._at == len(self._text):
                raise self._wrong("unclosed action", left)
            token = self._token(spaced=space is not None)
            depth += {"(": 1, ")": -1}.get(token.kind, 0)
            if depth < 0:
                raise self._wrong("unexpected right paren")
            self._found.append(token)
            self._at += self._length

    def _token(self, *, spaced: bool) -> Token:
        mark = self._text[self._at]
        if found := _SIGN.match(self._text, self._at):
            return self._made(found[0], found[0], spaced=spaced, length=len(found[0]))
        if mark in "\"'`":
            return self._quoted(mark, spaced=spaced)
        following = self._text[self._at + 1 : self._at + 2]
        if mark in "+-" or mark in "0123456789" or (mark == "." and following in set("0123456789")):
            return self._number(spaced=spaced)
        word = _WORD.match(self._text, self._at + (1 if mark in ".$" else 0))
        if mark not in ".$" and word is None:
            raise self._wrong(f"unexpected character {mark!r} in action")
        kind = {".": "field" if word else "dot", "$": "variable"}.get(mark, "word")
        spelling = (mark if mark in ".$" else "") + (word[0] if word else "")
        end = self._at + len(spelling)
        if end < len(self._text) and self._text[end] not in _ENDS_WORD and self._text[end : end + 2] != "}}":
            raise self._wrong(f"bad character {self._text[end]!r}", end)
        return self._made(kind, spelling, spaced=spaced, length=len(spelling))

    def _made(self, kind: str, text: str, *, spaced: bool, length: int) -> Token:
        self._length = length
        return Token(kind, text, self._at, spaced)

    def _quoted(self, mark: str, *, spaced: bool) -> Token:
        pattern, kind, name = {
            '"': (_STRING, "string", "quoted string"),
            "`": (_RAW, "string", "raw quoted string"),
            "'": (_CHARACTER, "character", "character constant"),
        }[mark]
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self._wrong(f"unterminated {name}")
        try:
            value = unquoted(found[0], self._at)
        except BadDataError as error:
            raise self._wrong(str(error).removeprefix("parse error: ")) from None
        if kind == "character" and len(value) != 1:
            raise self._wrong("a character constant holds one character")
        # Go takes carriage returns out of raw strings.
        value = value.replace("\r", "") if mark == "`" else value
        return self._made(kind, value, spaced=spaced, length=len(found[0]))

    def _number(self, *, spaced: bool) -> Token:
        found = _NUMBER.match(self._text, self._at)
        spelling = found[0] if found else ""
        behind = self._text[self._at + len(spelling) : self._at + len(spelling) + 1]
        if not spelling.strip("+-._") or behind == "_" or behind.isalnum():
            raise self._wrong(f"bad number syntax: {spelling + behind!r}")
        return self._made("number", spelling, spaced=spaced, length=len(spelling))
