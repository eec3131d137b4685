"""Events that somebody can cause at will: the first of a minute in full, and the rest as one with their number."""

import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.periodic import Periodic

IN_FULL = 10
WINDOW_SECONDS = 60.0
SUM_UP_SECONDS = 10.0
# Causes that are told apart at once; the oldest is summed up early when there are more.
MAX_CAUSES = 10_000


@dataclass(frozen=True)
class Event:
    """What is kept of each. `cause` is whose events count together, besides those of one action."""

    action: str
    resource_type: str
    cause: str
    record_id: str | None = None
    record_name: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class _Run:
    began: float
    last: Event
    context: TransactionContext
    number: int = 0


class EventTally:
    """One per process."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._runs: OrderedDict[tuple[str, str], _Run] = OrderedDict()
        self._periodic = Periodic("event tally", SUM_UP_SECONDS, self.flush)

    async def __aenter__(self) -> Self:
        self._periodic.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._periodic.stop()
        await self.flush(everything=True)

    async def note(self, context: TransactionContext, event: Event) -> None:
        """Keep an event, or count it."""
        key = (event.action, event.cause)
        run = self._runs.get(key)
        over = []
        if run is not None and self._is_over(run):
            over.append(self._runs.pop(key))
            run = None
        if run is None:
            if len(self._runs) >= MAX_CAUSES:
                over.append(self._runs.popitem(last=False)[1])
            run = self._runs[key] = _Run(self._clock(), event, context)
        run.number, run.last, run.context = run.number + 1, event, context
        number = run.number
        for ended in over:
            await self._sum_up(ended)
        if number <= IN_FULL:
            await self._keep(context, event, {})

    async def flush(self, *, everything: bool = False) -> None:
        """Sum up what is over. What the database does not take stays for the next time."""
        for key, run in list(self._runs.items()):
            if everything or self._is_over(run):
                with contextlib.suppress(SQLAlchemyError, OSError):
                    await self._sum_up(run)
                    self._runs.pop(key, None)

    def _is_over(self, run: _Run) -> bool:
        return self._clock() - run.began >= WINDOW_SECONDS

    async def _sum_up(self, run: _Run) -> None:
        more = run.number - IN_FULL
        if more > 0:
            seconds = round(self._clock() - run.began)
            await self._keep(run.context, run.last, {"more": more, "within_seconds": seconds})

    async def _keep(self, context: TransactionContext, event: Event, more: Mapping[str, Any]) -> None:
        async with self._database.session(context) as session:
            await record_event(
                session,
                event.action,
                event.resource_type,
                event.record_id,
                event.record_name,
                details={**event.details, **more},
            )
