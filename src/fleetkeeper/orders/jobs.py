"""The worker's part: orders whose approval ended without a yes."""

from uuid import UUID

from fleetkeeper.database.context import product_context
from fleetkeeper.jobs.declaring import job
from fleetkeeper.jobs.run import Run
from fleetkeeper.orders.approving import ENDED, see_to


@job(ENDED, "See to an order that was not approved")
async def approval_ended(run: Run) -> None:
    """Make the order rejected, or a draft again."""
    async with run.database.session(product_context("job", ENDED)) as session:
        await see_to(session, UUID(run.args["order"]), run.args["state"], run.args["why"])
