"""Refreshing what changed, day after day."""

from itertools import groupby
from uuid import UUID

import structlog
from psycopg import errors

from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.chunks import jobs as chunks
from fleetkeeper.telemetry.chunks.jobs import sealing_connection
from fleetkeeper.telemetry.rollups import queries, service

log = structlog.get_logger(__name__)

# Days, of which those of a device are made in one transaction, as they share weeks and months.
_AT_ONCE = 100


async def refresh_rollups(url: str, settings: Settings | None = None) -> int:
    """Refresh the rollups of all days that changed; returns how many. Any number of workers may do so at once."""
    refreshed, after = 0, (UUID(int=0), 0)
    async with sealing_connection(url) as connection:
        while True:
            changed = await queries.changed_days(connection, after, _AT_ONCE)
            for device_id, of_device in groupby(changed, key=lambda item: item[0]):
                days = [day for _, day in of_device]
                try:
                    refreshed += await service.refresh_days(connection, device_id, days, settings)
                except (
                    errors.SerializationFailure,
                    errors.DeadlockDetected,
                    errors.UniqueViolation,
                ) as error:
                    # The device was sealed meanwhile; the next run finds its days again.
                    log.info("days were left for later", device=str(device_id), reason=type(error).__name__)
            if len(changed) < _AT_ONCE:
                return refreshed
            after = changed[-1]


@job("telemetry.seal", "Seal telemetry", cron="*/5 * * * *", is_quiet=True, is_alone=True)
async def seal_and_roll_up(run: Run) -> None:
    """Make chunks of frames, and rollups of what changed."""
    await chunks.seal_frames(run.database.url, run.settings.telemetry)
    await refresh_rollups(run.database.url, run.settings)


@job("telemetry.merge", "Merge chunks of past days", cron="13 * * * *", is_quiet=True)
async def merge_by_schedule(run: Run) -> None:
    """Make day-sized chunks."""
    await chunks.merge_chunks(run.database.url)
