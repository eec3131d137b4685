"""Long work on the event loop gives way to others now and then."""

import asyncio
from time import perf_counter

LONGEST_SECONDS = 0.01


class Turns:
    """Counts how long its owner has been at work without a pause; for loops over many things."""

    def __init__(self) -> None:
        self._ends = perf_counter() + LONGEST_SECONDS

    async def give_way(self) -> None:
        """Let others work, if it has been ten milliseconds since they last could."""
        if perf_counter() > self._ends:
            await asyncio.sleep(0)
            self._ends = perf_counter() + LONGEST_SECONDS
