"""A place in a query's tokens, and what is read there whatever surrounds it: signs, numbers, durations."""

import math
from typing import NoReturn

from fleetkeeper.telemetry.promql.formatting import quoted
from fleetkeeper.telemetry.promql.lexing import KEYWORDS, Token, tokens, wrong
from fleetkeeper.telemetry.promql.literals import MAX_DURATION_US, duration_of, number_of


class Cursor:
    """Reads tokens one by one. Raises BadDataError where another one is expected."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self.last = Token("eof", "", 0, 0)
        self.now = next(self._tokens)

    def next(self) -> Token:
        """Go on by one token; gives the one that was there."""
        self.last = self.now
        self.now = next(self._tokens)
        return self.last

    def take(self, kind: str, context: str) -> Token:
        """The token, which has to be of a kind."""
        if self.now.kind != kind:
            self.unexpected(context, quoted(kind) if len(kind) == 1 else kind)
        return self.next()

    def accept(self, *kinds: str) -> Token | None:
        """The token if it is of one of these kinds."""
        return self.next() if self.now.kind in kinds else None

    def unexpected(self, context: str, expected: str = "") -> NoReturn:
        """Refuse the token."""
        token = self.now
        words = f"unexpected {_described(token)}"
        if context:
            words += f" in {context}"
        if expected:
            words += f", expected {expected}"
        # Behind the end there is nothing to point at; what came last is what lacks something.
        place = self.last if token.kind == "eof" else token
        raise wrong(words, place.start, place.end)

    def number(self) -> float:
        """A number."""
        token = self.next()
        value = number_of(token.text)
        if value is None:
            raise wrong(f"error parsing number: {quoted(token.text[:100])}", token.start, token.end)
        return value

    def duration(self, context: str) -> int:
        """A duration in microseconds, or a number of seconds."""
        token = self.now
        if token.kind == "number":
            # Newer versions understand plain seconds.
            return self._plain_seconds()
        if token.kind != "duration":
            self.unexpected(context, "duration")
        self.next()
        micros = duration_of(token.text)
        if micros is None:
            raise wrong(f"not a valid duration string: {quoted(token.text[:100])}", token.start, token.end)
        return self._positive(micros, token)

    def _plain_seconds(self) -> int:
        token = self.now
        seconds = self.number()
        micros = round(seconds * 1_000_000) if math.isfinite(seconds) else 2**63
        if micros > MAX_DURATION_US:
            raise wrong("duration out of range", token.start, token.end)
        return self._positive(micros, token)

    def _positive(self, micros: int, token: Token) -> int:
        if micros <= 0:
            raise wrong("duration must be greater than 0", token.start, token.end)
        return micros


def _described(token: Token) -> str:
    if token.kind == "eof":
        return "end of input"
    if token.kind == "word":
        return f"identifier {quoted(token.text[:50])}"
    if token.kind in {"number", "duration", "string"}:
        return f"{token.kind} {quoted(token.text[:50])}"
    if token.kind in KEYWORDS:
        return f"<{token.kind}>"
    return quoted(token.text)
