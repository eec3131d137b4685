"""Waits for what other processes bring about, which wake no event of this one."""

import asyncio
from collections.abc import Callable

POLL_SECONDS = 0.01


async def until(condition: Callable[[], object]) -> None:
    """Wait until something is so; fails after half a minute."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(POLL_SECONDS)
