"""Ticks at a fixed distance, without drift and without bursts."""

import math


class TickSchedule:
    """Ticks at `start + k * interval` on monotonic time.

    Whoever comes late gets the next tick that is still ahead: a slow collection skips ticks, it never catches
    up in a burst.
    """

    def __init__(self, start: float, interval: float) -> None:
        self.start = start
        self.interval = interval

    def next_tick(self, now: float) -> float:
        """The first tick after `now`."""
        if now < self.start:
            return self.start
        tick = self.start + (math.floor((now - self.start) / self.interval) + 1) * self.interval
        # Floating point may round the product onto `now` itself, which would tick twice.
        return tick if tick > now else tick + self.interval
