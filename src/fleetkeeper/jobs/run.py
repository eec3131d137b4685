"""A run as the work sees it: what it works with, what it was asked, and how it tells how far it is."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import procrastinate

from fleetkeeper.database.engine import Database
from fleetkeeper.settings import Settings

TELL_EVERY_SECONDS = 1.0
# Stores phase, done and total; returns whether somebody asked the run to stop.
Store = Callable[[str, int, int | None], Awaitable[bool]]


class RunCancelledError(Exception):
    """Somebody asked for the end of a run. The work lets it pass; what it has done so far stays."""


class RunFailedError(Exception):
    """The work is not done, or not all of it, and trying again at once would not help. What people read of it."""


@dataclass(frozen=True)
class Tools:
    """What jobs work with. `keeper` is a login of the audit log's keeper."""

    database: Database
    keeper: Database
    settings: Settings
    queue: procrastinate.App


@dataclass
class Run:
    """One run. Work that keeps nothing of it may run without an `id`."""

    tools: Tools
    id: UUID | None = None
    args: dict[str, Any] = field(default_factory=dict)
    requested_by: str = ""
    # What people should know of a finished run.
    outcome: dict[str, Any] = field(default_factory=dict)
    store: Store | None = None
    _told_at: float = 0.0
    _told_phase: str = ""

    @property
    def database(self) -> Database:
        """The application's login."""
        return self.tools.database

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return self.tools.settings

    async def tell(self, phase: str, done: int = 0, total: int | None = None) -> None:
        """Say how far it is: stored once a second, and at each new phase. Raises RunCancelledError."""
        now = time.monotonic()
        if self.store is None or (phase == self._told_phase and now - self._told_at < TELL_EVERY_SECONDS):
            return
        self._told_phase, self._told_at = phase, now
        if await self.store(phase, done, total):
            raise RunCancelledError
