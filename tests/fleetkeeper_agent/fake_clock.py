"""A clock that moves only when a test moves it."""

from threading import Event


class FakeClock:
    """Time stands still; waiting moves it."""

    def __init__(self, monotonic: float = 1000.0, wall: float = 1_795_132_800.0) -> None:
        self.now = monotonic
        self.wall_now = wall
        self.waits: list[float] = []
        self.draw = 1.0

    def wall(self) -> float:
        return self.wall_now

    def monotonic(self) -> float:
        return self.now

    def wait(self, event: Event, seconds: float) -> bool:
        if event.is_set():
            return True
        self.waits.append(seconds)
        self.advance(max(0.0, seconds))
        return False

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.draw

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.wall_now += seconds
