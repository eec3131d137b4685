"""What a worker does for alerts, again and again: evaluates what is due, quiets what is silenced, tells of the rest."""

import asyncio
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.alerts.engine import queries
from fleetkeeper.alerts.engine.evaluating import CONTEXT, Engine
from fleetkeeper.alerts.routing.telling import tell_of_alerts
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.periodic import Periodic

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.5
# Units that are evaluated side by side: a slow one holds up no other.
AT_ONCE = 3


@dataclass
class AlertLoop:
    """Evaluates and tells until it is stopped."""

    engine: Engine

    def __post_init__(self) -> None:
        self._ticks = [
            Periodic("alerts.enlist", 5.0, self._enlist),
            *(
                Periodic(f"alerts.evaluate-{number}", TICK_SECONDS, self._evaluate)
                for number in range(AT_ONCE)
            ),
            Periodic("alerts.tell", TICK_SECONDS, self._tell),
        ]

    def start(self) -> None:
        """Begin."""
        for one in self._ticks:
            one.start()

    async def stop(self) -> None:
        """Let present work end, and begin no more."""
        await asyncio.gather(*(one.stop() for one in self._ticks))

    async def _enlist(self) -> None:
        async with _told(), self.engine.database.session(CONTEXT) as session:
            await queries.enlist(session)
        async with _told():
            await self.engine.recorder.end_orphans()

    async def _evaluate(self) -> None:
        async with _told():
            is_more = True
            while is_more:
                is_more = await self.engine.evaluate_next()

    async def _tell(self) -> None:
        async with _told():
            await tell_of_alerts(self.engine.database, self.engine.origin, utc_now())


class _told:  # noqa: N801 - reads as a function
    """Neither a database that is away for a moment nor a mistake ends the loop."""

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: object, error: BaseException | None, _: object) -> bool:
        if isinstance(error, (SQLAlchemyError, OSError)):
            log.warning("alerts wait for the database", reason=(str(error).splitlines() or [""])[0])
            return True
        if isinstance(error, Exception):
            # What nobody thought of must not end the watch over the whole fleet.
            log.error("alerts were not looked after", exc_info=error)
            return True
        return False
