"""Waiting for what happens a moment later, by asking again instead of sleeping for long."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Result = TypeVar("Result")


async def eventually(ask: Callable[[], Awaitable[Result]], seconds: float = 60.0) -> Result:
    """The first truthy answer; fails when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        answer = await ask()
        if answer:
            return answer
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.05)
