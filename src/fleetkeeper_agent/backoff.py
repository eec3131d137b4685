"""Exponential back-off with full jitter, and what `Retry-After` asks for."""

from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 3600.0


class Backoff:
    """The wait before the next attempt: random up to a ceiling that doubles from 1 s to 60 s.

    Full jitter spreads the agents of a fleet whose server comes back, see "Exponential Backoff And Jitter" of
    the AWS Architecture Blog. A `Retry-After` is a lower bound; the jitter comes on top.
    """

    def __init__(
        self,
        uniform: Callable[[float, float], float],
        first: float = FIRST_SECONDS,
        longest: float = LONGEST_SECONDS,
    ) -> None:
        self._uniform = uniform
        self._first = first
        self._longest = longest
        self.attempts = 0

    def next_delay(self, retry_after: float | None = None) -> float:
        """Count one failed attempt and return the seconds to wait."""
        ceiling = min(self._longest, self._first * 2.0 ** min(self.attempts, 30))
        self.attempts += 1
        jitter = self._uniform(0.0, ceiling)
        if retry_after is None:
            return jitter
        return min(retry_after, LONGEST_RETRY_AFTER_SECONDS) + jitter

    def reset(self) -> None:
        """Forget the failures: the next wait is short again."""
        self.attempts = 0


def parse_retry_after(value: str | None, wall_time: float) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds or a date. None when absent or unreadable."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - wall_time)
