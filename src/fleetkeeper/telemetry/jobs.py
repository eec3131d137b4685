"""The periodic work of this room."""

from fleetkeeper.config.service import read_config
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.devices import queries as devices
from fleetkeeper.devices.presence import offline_after
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry import queries


async def manage_partitions(database: Database) -> None:
    """Make the partitions of the coming week; drop what the archive policy no longer keeps."""
    async with database.session(product_context("job", "telemetry.manage_partitions")) as session:
        await queries.manage_partitions(session)


async def mark_silent_devices(database: Database, settings: Settings) -> int:
    """Set devices offline that have not reported for several intervals, as configured and of their own."""
    async with database.session(product_context("job", "telemetry.mark_silent_devices")) as session:
        config = await read_config(session)
        lag = settings.telemetry.presence_seconds
        silence = offline_after(config.sampling.interval_seconds, lag)
        return await devices.mark_silent_offline(session, utc_now() - silence, lag)


async def repair_latest(database: Database) -> None:
    """Bring `latest` up to date after a web process that was killed between a commit and its next flush."""
    async with database.session(product_context("job", "telemetry.repair_latest")) as session:
        await queries.repair_latest(session)


@job("telemetry.manage_partitions", "Manage telemetry partitions", cron="7 * * * *", is_quiet=True)
async def manage_partitions_hourly(run: Run) -> None:
    """Keep the partitions as they must be."""
    await manage_partitions(run.database)
