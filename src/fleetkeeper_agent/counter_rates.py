"""Arithmetic between two readings of counters that may reset, wrap, appear and vanish."""

from collections.abc import Mapping


def rate(previous: float | None, current: float | None, seconds: float) -> float | None:
    """Increase per second. None without a previous reading and after a reset or wrap: a gap, no spike."""
    if previous is None or current is None or seconds <= 0 or current < previous:
        return None
    return (current - previous) / seconds


class CounterSum:
    """A sum over counters of things that come and go, which never falls while the agent runs.

    A plain sum falls when an interface is unplugged, and whoever reads the counter takes that for a restart
    and counts the rest as new traffic. Here a thing that vanishes keeps its share, a thing that restarts
    counts from zero, and a thing that appears later counts from what it shows at first.
    """

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._total: float | None = None

    def add(self, readings: Mapping[str, float]) -> float | None:
        """Take all readings of one moment and return the sum so far. None while there is nothing to sum."""
        if self._total is None:
            if not readings:
                return None
            self._total = sum(readings.values())
        else:
            for key, value in readings.items():
                last = self._last.get(key)
                if last is not None:
                    self._total += value - last if value >= last else value
        self._last.update(readings)
        return self._total
