"""Exponential back-off with full jitter."""

import random
from dataclasses import dataclass


@dataclass
class Backoff:
    """Waits that double from `first_seconds` to `most_seconds`, each drawn between nothing and that bound."""

    first_seconds: float
    most_seconds: float
    _attempts: int = 0

    def next_seconds(self) -> float:
        """How long to wait before the next attempt (seconds)."""
        bound = min(self.most_seconds, self.first_seconds * 2 ** min(self._attempts, 30))
        self._attempts += 1
        return random.uniform(0, bound)  # noqa: S311 - jitter is no secret

    def reset(self) -> None:
        """The last attempt worked."""
        self._attempts = 0
