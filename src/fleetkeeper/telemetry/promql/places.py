"""Where in a query its error is: the parser says what is wrong, and not where. Pure."""

import re
from collections.abc import Callable

# Longer queries get the message alone: to look for the place means to parse them some more times.
MAX_LENGTH = 1000
Place = tuple[int, int]
Problem = Callable[[str], str | None]
_TOKENS = re.compile(
    r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`|#[^\n]*|[A-Za-z0-9_:.]+|=~|!~|[=!<>]=|\S', re.DOTALL
)
_CLOSED = {"(": ")", "{": "}", "[": "]"}
_QUOTES = "\"'`"
# What can follow a beginning; one of them makes a whole query out of each beginning that is right so far.
_ENDINGS = (
    "",
    " x",
    "x",
    "1",
    "(x)",
    "x)",
    ") (x)",
    "(x) (x)",
    "5m]",
    "[5m]",
    ":1m]",
    '="a"}',
    '"a"}',
    "}",
    "x}",
    " x[5m]",
    "=1",
)
_SYNTAX = (
    "invalid promql query",
    "invalid label",
    "unexpected",
    "unclosed",
    "no expression",
    "unterminated",
    "bad number",
)
# Words of the parser that name the token which it stumbled over.
_NAMED = (
    re.compile(r"unexpected character: '(.)'"),
    re.compile(r"""unknown (?:function with name|aggregation) ["']([^"']+)["']"""),
    re.compile(r"unexpected \w+ '([^']+)' in label matching"),
    re.compile(r"bad number or duration syntax: (\S+)"),
    re.compile(r"call to function '([^']+)'"),
    re.compile(r'error parsing regexp: "(.+)"$'),
    re.compile(r"illegal regex for (.+)$"),
)


def place_of(text: str, message: str, problem: Problem) -> Place | None:
    """The characters [start, end) that an error is about; None where that is not known.

    `problem` says what the parser has against a text, or None.
    """
    if not text.strip() or len(text) > MAX_LENGTH:
        return None
    tokens = [found.span() for found in _TOKENS.finditer(text) if text[found.start()] != "#"]
    if not tokens:
        return None
    return (
        _named(text, message, tokens)
        or _unbalanced(text, message, tokens)
        or (_empty_selector(text) if "vector selector" in message else None)
        or (_stumble(text, tokens, problem) if message.startswith(_SYNTAX) else None)
        or (tokens[0][0], tokens[-1][1])
    )


def _named(text: str, message: str, tokens: list[Place]) -> Place | None:
    for pattern in _NAMED:
        if found := pattern.search(message):
            break
    else:
        return None
    name = found[1]
    for start, end in tokens:
        token = text[start:end]
        if name in {token, token.strip(_QUOTES)}:
            return start, end
    start = text.find(name)
    return (start, start + len(name)) if start >= 0 else None


def _unbalanced(text: str, message: str, tokens: list[Place]) -> Place | None:
    """The bracket or quote that has no other half."""
    if "unterminated" in message:
        return next(((start, len(text)) for start, end in tokens if text[start:end] in _QUOTES), None)
    opened: list[Place] = []
    for start, end in tokens:
        token = text[start:end]
        if token in _CLOSED:
            opened.append((start, end))
        elif token in _CLOSED.values():
            if not opened or _CLOSED[text[opened[-1][0]]] != token:
                return start, end
            opened.pop()
    return opened[-1] if opened else None


def _empty_selector(text: str) -> Place | None:
    found = re.search(r"(?<![\w:])\{[^{}]*\}", text)
    return found.span() if found else None


def _stumble(text: str, tokens: list[Place], problem: Problem) -> Place | None:
    """The first token after which nothing can make the query right; the end when there is none."""

    def goes_on(count: int) -> bool:
        beginning = text[: tokens[count - 1][1]]
        return any(_is_viable(beginning + ending, problem) for ending in _ENDINGS)

    low, high = 0, len(tokens)
    if goes_on(high):
        return tokens[-1]
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if goes_on(middle) else (low, middle)
    return tokens[high - 1]


def _is_viable(text: str, problem: Problem) -> bool:
    closers: list[str] = []
    for found in _TOKENS.finditer(text):
        if found[0] in _CLOSED:
            closers.append(_CLOSED[found[0]])
        elif closers and found[0] == closers[-1]:
            closers.pop()
    message = problem(text + "".join(reversed(closers)))
    return message is None or not message.startswith(_SYNTAX)
