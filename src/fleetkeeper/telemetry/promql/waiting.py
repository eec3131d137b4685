"""Who may have a query worked on: places are few, and nobody takes them from the others."""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator

from fleetkeeper.telemetry.promql.errors import QueryTimeoutError, TooManyQueriesError


class Places:
    """Places for queries, and a line for each user where these wait.

    There are `usual` places, and `extra` ones for users who have none: so whoever asks a single query does not wait for
    those that ask many. When a place gets free, the user who holds the fewest has it, and of those the one whose last
    turn is longest ago.
    """

    def __init__(self, usual: int, extra: int = 0, *, waiting: int = 100, waiting_of_one: int = 20) -> None:
        self._usual = usual
        self.most = usual + extra
        self._most_waiting = waiting
        self.most_waiting_of_one = waiting_of_one
        self._held: Counter[str] = Counter()
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}
        # How many places had been given out when each user got one last; of those who hold one or wait.
        self._last_turn: dict[str, int] = {}
        self._turns = 0

    @property
    def held(self) -> int:
        """How many places are taken."""
        return self._held.total()

    @property
    def waiting(self) -> int:
        """How many queries wait."""
        return sum(map(len, self._lines.values()))

    async def take(self, user: str, seconds: float) -> None:
        """Take a place, or wait for one so long. Raises QueryTimeoutError or TooManyQueriesError."""
        if user not in self._lines and self._has_place_for(user):
            self._give(user)
            return
        turn = self._queue(user)
        try:
            await asyncio.wait_for(asyncio.shield(turn), seconds)
        except (TimeoutError, asyncio.CancelledError) as error:
            self._leave(user, turn)
            if isinstance(error, TimeoutError):
                raise QueryTimeoutError("query timed out in query queue") from None
            raise

    def _queue(self, user: str) -> "asyncio.Future[None]":
        line = self._lines.get(user, ())
        if len(line) >= self.most_waiting_of_one or self.waiting >= self._most_waiting:
            raise TooManyQueriesError("too many queries wait already; ask again later")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(user, deque()).append(turn)
        return turn

    def _leave(self, user: str, turn: "asyncio.Future[None]") -> None:
        if turn.done():
            self.give_back(user)
            return
        self._lines[user].remove(turn)
        if not self._lines[user]:
            del self._lines[user]

    def give_back(self, user: str) -> None:
        """Let go of a place, and let the next ones have theirs."""
        self._held[user] -= 1
        if not self._held[user]:
            del self._held[user]
        if user not in self._lines and user not in self._held:
            self._last_turn.pop(user, None)
        while (following := self._next()) is not None:
            line = self._lines[following]
            self._give(following)
            line.popleft().set_result(None)
            if not line:
                del self._lines[following]

    def _give(self, user: str) -> None:
        self._held[user] += 1
        self._turns += 1
        self._last_turn[user] = self._turns

    def _next(self) -> str | None:
        """Who holds the fewest places, and of those whose last turn is longest ago."""
        ready = [user for user in self._lines if self._has_place_for(user)]
        return min(ready, key=lambda user: (self._held[user], self._last_turn.get(user, 0)), default=None)

    def _has_place_for(self, user: str) -> bool:
        return self.held < (self.most if not self._held[user] else self._usual)

    @contextlib.asynccontextmanager
    async def place(self, user: str, seconds: float) -> AsyncIterator[None]:
        """A place for as long as it is needed. Raises as `take` does."""
        await self.take(user, seconds)
        try:
            yield
        finally:
            self.give_back(user)
