"""Who may have heavy work done: places are few, and nobody takes them from the others."""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable

from fleetkeeper.errors import OverloadedError


class FairPlaces:
    """Places for pieces of work, and a line for each caller where these wait.

    There are `usual` places, and `extra` ones for callers who have none: so whoever asks for one thing does not wait
    for those that ask for many. When a place gets free, the caller who holds the fewest has it, and of those the one
    whose last turn is longest ago.
    """

    def __init__(self, usual: int, extra: int = 0, *, waiting: int = 100, waiting_of_one: int = 20) -> None:
        self._usual = usual
        self.most = usual + extra
        self._most_waiting = waiting
        self.most_waiting_of_one = waiting_of_one
        self._held: Counter[Hashable] = Counter()
        self._lines: dict[Hashable, deque[asyncio.Future[None]]] = {}
        # How many places had been given out when each caller got one last; of those who hold one or wait.
        self._last_turn: dict[Hashable, int] = {}
        self._turns = 0

    @property
    def held(self) -> int:
        """How many places are taken."""
        return self._held.total()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._lines.values()))

    async def take(self, caller: Hashable, seconds: float) -> None:
        """Take a place, or wait for one so long. Raises TimeoutError, and OverloadedError where too many wait."""
        if caller not in self._lines and self._has_place_for(caller):
            self._give(caller)
            return
        turn = self._queue(caller)
        try:
            await asyncio.wait_for(asyncio.shield(turn), seconds)
        except (TimeoutError, asyncio.CancelledError):
            self._leave(caller, turn)
            raise

    def _queue(self, caller: Hashable) -> "asyncio.Future[None]":
        line = self._lines.get(caller, ())
        if len(line) >= self.most_waiting_of_one or self.waiting >= self._most_waiting:
            raise OverloadedError("Too many requests are waiting.", retry_after_seconds=2)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(caller, deque()).append(turn)
        return turn

    def _leave(self, caller: Hashable, turn: "asyncio.Future[None]") -> None:
        if turn.done():
            self.give_back(caller)
            return
        self._lines[caller].remove(turn)
        if not self._lines[caller]:
            del self._lines[caller]

    def give_back(self, caller: Hashable) -> None:
        """Let go of a place, and let the next ones have theirs."""
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]
        if caller not in self._lines and caller not in self._held:
            self._last_turn.pop(caller, None)
        while (following := self._next()) is not None:
            line = self._lines[following]
            self._give(following)
            line.popleft().set_result(None)
            if not line:
                del self._lines[following]

    def _give(self, caller: Hashable) -> None:
        self._held[caller] += 1
        self._turns += 1
        self._last_turn[caller] = self._turns

    def _next(self) -> Hashable | None:
        """Who holds the fewest places, and of those whose last turn is longest ago."""
        ready = [caller for caller in self._lines if self._has_place_for(caller)]
        return min(
            ready, key=lambda caller: (self._held[caller], self._last_turn.get(caller, 0)), default=None
        )

    def _has_place_for(self, caller: Hashable) -> bool:
        return self.held < (self.most if not self._held[caller] else self._usual)

    @contextlib.asynccontextmanager
    async def place(self, caller: Hashable, seconds: float) -> AsyncIterator[None]:
        """A place for as long as it is needed. Raises as `take` does."""
        await self.take(caller, seconds)
        try:
            yield
        finally:
            self.give_back(caller)
