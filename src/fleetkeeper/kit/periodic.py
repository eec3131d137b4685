"""Work that is done again and again in the background, and is never cut off in the middle."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger(__name__)


@dataclass
class Periodic:
    """Calls `action` every `seconds` until it is stopped; a call that runs is waited for.

    An error that the action lets out is logged, and the next call comes all the same: work that ended for good
    without a word would be missed by nobody.
    """

    name: str
    seconds: float
    action: Callable[[], Awaitable[object]]
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _task: "asyncio.Task[None] | None" = None

    def start(self) -> None:
        """Begin. The first call comes at once."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Let the present call end, and make no further one."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.action()
            except Exception:
                log.exception("periodic work failed; it goes on", work=self.name)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.seconds):
                    await self._stopping.wait()
