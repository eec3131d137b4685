"""Time as the agent sees it, in one place so that tests can bring their own."""

import time
from secrets import SystemRandom
from threading import Event
from typing import Protocol

_RANDOM = SystemRandom()


class Clock(Protocol):
    """Wall time, monotonic time, waiting, and the randomness that spreads agents in time."""

    def wall(self) -> float:
        """Epoch seconds, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never step back."""
        ...

    def wait(self, event: Event, seconds: float) -> bool:
        """Wait until the event is set, at most so long; return whether it is set."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """A random number between both."""
        ...


class SystemClock:
    """The real clock."""

    def wall(self) -> float:
        """Epoch seconds, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never step back."""
        return time.monotonic()

    def wait(self, event: Event, seconds: float) -> bool:
        """Wait until the event is set, at most so long; return whether it is set."""
        return event.wait(max(0.0, seconds))

    def uniform(self, low: float, high: float) -> float:
        """A random number between both."""
        return _RANDOM.uniform(low, high)
