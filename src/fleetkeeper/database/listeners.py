"""Rooms above that want to be told when something happens in one below, which may not know them."""

from collections.abc import Awaitable, Callable
from typing import Concatenate, Generic, ParamSpec

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

log = structlog.get_logger(__name__)

What = ParamSpec("What")


class Listeners(Generic[What]):
    """Those to be told of one kind of thing, in the transaction in which it happens."""

    def __init__(self) -> None:
        self._listeners: list[Callable[Concatenate[AsyncSession, What], Awaitable[None]]] = []

    def add(
        self, listener: Callable[Concatenate[AsyncSession, What], Awaitable[None]]
    ) -> Callable[Concatenate[AsyncSession, What], Awaitable[None]]:
        """Tell a function from now on; to be used as its decorator."""
        self._listeners.append(listener)
        return listener

    async def tell(self, session: AsyncSession, *args: What.args, **kwargs: What.kwargs) -> None:
        """Tell all. What happened stays so where one of them fails; that is an error in the log."""
        for listener in self._listeners:
            try:
                async with session.begin_nested():
                    await listener(session, *args, **kwargs)
            except Exception:
                log.exception("a listener failed", listener=listener.__qualname__)
