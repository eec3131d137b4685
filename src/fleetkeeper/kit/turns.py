"""Long work gives way to others on the event loop: now and then, or by leaving it."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

LONGEST_SECONDS = 0.01
# Work on fewer things is done sooner than a thread has begun.
FEW = 200

Result = TypeVar("Result")


async def aside(things: int, work: Callable[[], Result]) -> Result:
    """Do work on so many things (of some ten microseconds each) in a thread, or here when they are few."""
    return work() if things < FEW else await asyncio.to_thread(work)


class Turns:
    """Counts how long its owner has been at work without a pause; for loops over many things."""

    def __init__(self) -> None:
        self._ends = perf_counter() + LONGEST_SECONDS

    async def give_way(self) -> None:
        """Let others work, if it has been ten milliseconds since they last could."""
        if perf_counter() > self._ends:
            await asyncio.sleep(0)
            self._ends = perf_counter() + LONGEST_SECONDS
