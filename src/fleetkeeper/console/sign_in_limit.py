"""Slows down guessing of passwords: so many failed sign-ins per address and minute, in each web process."""

from collections import OrderedDict, deque

from fleetkeeper.errors import OverloadedError

WINDOW_SECONDS = 60.0
MAX_ADDRESSES = 10_000


class SignInLimit:
    """The failed attempts of the last minute, by address."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str, now: float, attempts: int) -> None:
        """Raise OverloadedError when the address has used up its attempts. `now` is in seconds, monotonic."""
        failures = self._failures.get(address)
        while failures and failures[0] <= now - WINDOW_SECONDS:
            failures.popleft()
        if failures and len(failures) >= attempts:
            wait = max(1, round(failures[0] + WINDOW_SECONDS - now))
            raise OverloadedError(
                f"Too many failed attempts from your address; try again in {wait} seconds.",
                retry_after_seconds=wait,
            )

    def note_failure(self, address: str, now: float) -> None:
        """Count a failed attempt; the longest quiet address is forgotten when there are too many."""
        self._failures.setdefault(address, deque()).append(now)
        self._failures.move_to_end(address)
        if len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)
