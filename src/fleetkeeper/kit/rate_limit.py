"""How often something may happen, by key: the generic cell rate algorithm, one number per key."""

from collections import OrderedDict

MAX_KEYS = 50_000
# Costs that were added up one by one are off by what floats round away.
ROUNDING_SECONDS = 1e-6


class RateLimit:
    """At most `per_minute` events of a key in a minute, in bursts of as many as that.

    Kept in memory: each process counts for itself, and the key that was quiet for longest is forgotten first.
    """

    def __init__(self, per_minute: int) -> None:
        self._cost_seconds = 60.0 / per_minute
        # Key -> when it will have used up nothing.
        self._empty_at: OrderedDict[bytes, float] = OrderedDict()

    def take(self, key: bytes, now: float, events: int = 1) -> float:
        """Count events at a monotonic time; returns 0, or the seconds until one is allowed (then none is counted)."""
        empty_at = max(self._empty_at.get(key, now), now)
        wait = empty_at + self._cost_seconds - now - 60.0
        if wait > ROUNDING_SECONDS:
            return wait
        self._empty_at[key] = min(empty_at + events * self._cost_seconds, now + 120.0)
        self._empty_at.move_to_end(key)
        if len(self._empty_at) > MAX_KEYS:
            self._empty_at.popitem(last=False)
        return 0.0

    def wait(self, key: bytes, now: float) -> float:
        """What `take` would return, without counting anything."""
        wait = self._empty_at.get(key, now) + self._cost_seconds - now - 60.0
        return wait if wait > ROUNDING_SECONDS else 0.0
