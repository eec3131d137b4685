"""How many requests of one caller are worked on at once, so that what others need is never all in one hand."""

import asyncio
from collections import deque
from collections.abc import Hashable
from types import TracebackType
from typing import Self

from fleetkeeper.errors import OverloadedError


class _Caller:
    """What one caller has under way, and what waits."""

    __slots__ = ("line", "working")

    def __init__(self) -> None:
        self.working = 0
        self.line: deque[asyncio.Future[None]] = deque()


class Shares:
    """The same share for each caller; what is beyond it waits in the caller's own line."""

    def __init__(self, most: int, *, waiting: int, patience_seconds: float) -> None:
        self._most = most
        self._waiting = waiting
        self._patience_seconds = patience_seconds
        self._callers: dict[Hashable, _Caller] = {}

    async def take(self, name: Hashable) -> "Share":
        """A part of a caller's share, to be used in a `with` block. Raises OverloadedError after too long a wait."""
        caller = self._callers.get(name)
        if caller is None:
            caller = self._callers[name] = _Caller()
        if caller.working < self._most:
            caller.working += 1
            return Share(self, name)
        if len(caller.line) >= self._waiting:
            raise OverloadedError("Too many requests at once from one caller.", retry_after_seconds=1)
        turn = asyncio.get_running_loop().create_future()
        caller.line.append(turn)
        try:
            async with asyncio.timeout(self._patience_seconds):
                await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            if turn.done() and not turn.cancelled():
                self._give_back(name)
            elif turn in caller.line:
                caller.line.remove(turn)
            if isinstance(error, TimeoutError):
                raise OverloadedError(
                    "Your other requests use your whole share. Wait until they finish.", retry_after_seconds=2
                ) from None
            raise
        return Share(self, name)

    def _give_back(self, name: Hashable) -> None:
        caller = self._callers[name]
        while caller.line:
            turn = caller.line.popleft()
            if not turn.done():
                # Who waited longest goes on in place of the one that is done.
                turn.set_result(None)
                return
        caller.working -= 1
        if not caller.working:
            del self._callers[name]


class Share:
    """One request's part, until the block ends."""

    __slots__ = ("_caller", "_shares")

    def __init__(self, shares: Shares, caller: Hashable) -> None:
        self._shares = shares
        self._caller = caller

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shares._give_back(self._caller)  # noqa: SLF001 - two halves of one thing
