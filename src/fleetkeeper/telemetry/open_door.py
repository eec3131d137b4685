"""Keeps since when telemetry can come in without a pause, so that readers know whether the past is complete."""

from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.periodic import Periodic

log = structlog.get_logger(__name__)

MARK_SECONDS = 5.0
# Shorter pauses are none: senders try again for longer.
_PAUSE = "interval '15 seconds'"


@dataclass
class OpenDoor:
    """Marks that this process takes telemetry."""

    database: Database
    _marker: Periodic = field(init=False)

    def __post_init__(self) -> None:
        self._marker = Periodic("open door", MARK_SECONDS, self._try_mark)

    def start(self) -> None:
        """Begin to mark."""
        self._marker.start()

    async def stop(self) -> None:
        """End."""
        await self._marker.stop()

    async def _try_mark(self) -> None:
        try:
            async with self.database.session(product_context("job", "telemetry.open_door")) as session:
                await mark(session)
        except (SQLAlchemyError, OSError) as error:
            log.warning("the open door was not marked", reason=str(error).splitlines()[0])


async def mark(session: AsyncSession) -> None:
    """Telemetry comes in now."""
    await session.execute(
        text(
            f"""
            INSERT INTO telemetry_doors AS d (open_since, open_until) VALUES (now(), now())
            ON CONFLICT (id) DO UPDATE SET open_until = excluded.open_until,
                open_since = CASE WHEN d.open_until < now() - {_PAUSE} THEN now() ELSE d.open_since END
            """  # noqa: S608 - a constant
        )
    )


async def open_since(session: AsyncSession) -> datetime | None:
    """Since when telemetry has come in without a pause; None while it does not."""
    found: datetime | None = await session.scalar(
        text(f"SELECT open_since FROM telemetry_doors WHERE open_until > now() - {_PAUSE}")  # noqa: S608
    )
    return found
