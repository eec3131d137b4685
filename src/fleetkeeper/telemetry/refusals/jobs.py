"""The periodic work of this room."""

from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.telemetry.refusals.service import forget_old


@job("telemetry.forget_refusals", "Remove old refusals", cron="57 * * * *", is_quiet=True)
async def forget_refusals(run: Run) -> None:
    """Forget what has not been refused for a month."""
    await forget_old(run.database)
