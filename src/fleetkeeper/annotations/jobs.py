"""The worker's part."""

from fleetkeeper.annotations.service import remove_leftovers
from fleetkeeper.database.context import product_context
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run


@job(
    "annotations.remove_leftovers",
    "Remove annotations of deleted objects",
    cron="47 4 * * *",
    is_quiet=True,
)
async def clean_up(run: Run) -> None:
    """What was added to an object in the moment of its deletion goes here."""
    async with run.database.session(product_context("job", "annotations.remove_leftovers")) as session:
        await remove_leftovers(session)
